// Functions of complex numbers: @C, with parts of type @R.

typedef @R R_@F;
#define C_@F(re, im) ((@C)((@R)(re), (@R)(im)))

static @C mul_@F(@C x, @C y) { return C_@F(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x); }

// Smith 1962: the larger part is divided by, so that nothing overflows before the result does.
static @C div_@F(@C x, @C y) {
  if (fabs(y.x) >= fabs(y.y)) {
    if (y.x == 0 && y.y == 0) return C_@F(x.x / fabs(y.x), x.y / fabs(y.x));
    @R ratio = y.y / y.x, scale = 1 / (y.x + y.y * ratio);
    return C_@F((x.x + x.y * ratio) * scale, (x.y - x.x * ratio) * scale);
  }
  @R ratio = y.x / y.y, scale = 1 / (y.y + y.x * ratio);
  return C_@F((x.x * ratio + x.y) * scale, (x.y * ratio - x.x) * scale);
}

static @R abs_@F(@C x) { return hypot(x.x, x.y); }

static @C sgn_@F(@C x) {
  @R size = abs_@F(x);
  return size == 0 ? C_@F(0, 0) : C_@F(x.x / size, x.y / size);
}

static @C exp_@F(@C x) {
  @R size = exp(x.x);
  if (x.y == 0) return C_@F(size, x.y);
  if (isinf(x.x) && !isfinite(x.y)) return x.x < 0 ? C_@F(0, 0) : C_@F(INFINITY, NAN);
  return C_@F(size * cos(x.y), size * sin(x.y));
}

static @C expm1_@F(@C x) {
  if (isinf(x.x) && !isfinite(x.y)) return x.x < 0 ? C_@F(-1, 0) : C_@F(INFINITY, NAN);
  @R half_sine = sin(x.y / 2);
  @R re = expm1(x.x) * cos(x.y) - 2 * half_sine * half_sine + 0;
  return C_@F(re, x.y == 0 ? x.y : exp(x.x) * sin(x.y));
}

// log(1 + r) / 2, for r = |z|^2 - 1 where that is small, keeps the digits near the unit circle.
static @C log_@F(@C x) {
  @R size = abs_@F(x), a = fmax(fabs(x.x), fabs(x.y)), b = fmin(fabs(x.x), fabs(x.y));
  @R re = size > (@R)0.5 && size < 2 ? (@R)0.5 * log1p((a - 1) * (a + 1) + b * b) : log(size);
  return C_@F(re, atan2(x.y, x.x));
}

static @C log1p_@F(@C x) {
  @R size = hypot(x.x + 1, x.y);
  @R re = size > (@R)0.5 && size < 2 ? (@R)0.5 * log1p(x.x * (x.x + 2) + x.y * x.y) : log(size);
  return C_@F(re, atan2(x.y, x.x + 1));
}

static @C sin_@F(@C x) { return C_@F(sin(x.x) * cosh(x.y), cos(x.x) * sinh(x.y)); }

static @C cos_@F(@C x) { return C_@F(cos(x.x) * cosh(x.y), -sin(x.x) * sinh(x.y)); }

static @C sqrt_@F(@C x) {
  if (x.x == 0 && x.y == 0) return C_@F(0, x.y);
  if (isinf(x.y)) return C_@F(INFINITY, x.y);
  @R half_size = sqrt((abs_@F(x) + fabs(x.x)) / 2);
  if (x.x >= 0) return C_@F(half_size, x.y / (2 * half_size));
  return C_@F(fabs(x.y) / (2 * half_size), copysign(half_size, x.y));
}

// Kahan 1987.
static @C tanh_@F(@C x) {
  if (fabs(x.x) > (sizeof(@R) == 4 ? 11 : 22)) {
    @R im = isfinite(x.y) ? 4 * sin(x.y) * cos(x.y) * exp(-2 * fabs(x.x)) : (@R)0;
    return C_@F(copysign((@R)1, x.x), isinf(x.x) && isfinite(x.y) ? copysign((@R)0, x.y) : im);
  }
  @R t = tan(x.y), b = 1 + t * t, s = sinh(x.x), r = sqrt(1 + s * s);
  if (isinf(t)) return C_@F(r / s, 1 / t);
  @R under = 1 + b * s * s;
  return C_@F(b * r * s / under, t / under);
}

static @C pow_@F(@C x, @C y) {
  if (y.x == 0 && y.y == 0) return C_@F(1, 0);
  if (x.x == 0 && x.y == 0) return y.x > 0 && y.y == 0 ? C_@F(0, 0) : C_@F(NAN, NAN);
  if (y.y == 0 && y.x == rint(y.x) && fabs(y.x) < 100) {
    int n = (int)fabs(y.x);
    @C result = C_@F(1, 0), factor = x;
    for (; n; n >>= 1) {
      if (n & 1) result = mul_@F(result, factor);
      factor = mul_@F(factor, factor);
    }
    return y.x < 0 ? div_@F(C_@F(1, 0), result) : result;
  }
  return exp_@F(mul_@F(y, log_@F(x)));
}
