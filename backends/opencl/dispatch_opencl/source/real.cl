// Functions of real numbers that OpenCL C has not, for family @F: vectors of floating point numbers.
// SINGLE: in single precision.

static V_@F python_mod_@F(V_@F x, V_@F y) {
  V_@F rest = fmod(x, y);
  V_@F moved = (rest < 0) != (y < 0) ? rest + y : rest;
  return rest == 0 ? copysign((V_@F)0, y) : moved;
}

static V_@F power_@F(V_@F x, V_@F y) {
  if (all(y == (V_@F)2)) return x * x;
  if (all(y == (V_@F)1)) return x;
  if (all(y == (V_@F)3)) return x * x * x;
  if (all(y == (V_@F)-1)) return 1 / x;
  return pow(x, y);
}

static V_@F sign_@F(V_@F x) {
  return (x > 0 ? (V_@F)1 : (V_@F)0) - (x < 0 ? (V_@F)1 : (V_@F)0);
}

// A rational fit of erf(x) / x in x^2 for |x| <= 4, relative error 1e-9; the device's own is many times
// slower. Double precision keeps the device's.
#if @SINGLE
static V_@F erf_@F(V_@F x) {
  V_@F c = clamp(x, (V_@F)-4, (V_@F)4), s = c * c;
  V_@F p = (V_@F)-1.451559271e-10f;
  p = p * s + 2.873272285e-9f;
  p = p * s + 3.299010184e-6f;
  p = p * s + 3.395133309e-4f;
  p = p * s + 3.447246828e-3f;
  p = p * s + 5.257682277e-2f;
  p = p * s + 0.1771244158f;
  p = p * s + 1.128379168f;
  V_@F q = (V_@F)5.280122936e-5f;
  q = q * s + 1.178379014e-3f;
  q = q * s + 1.451130951e-2f;
  q = q * s + 0.1100300213f;
  q = q * s + 0.4903057948f;
  q = q * s + 1;
  V_@F y = clamp(c * p / q, (V_@F)-1, (V_@F)1);
  return x != x ? x : y;
}
#else
static V_@F erf_@F(V_@F x) { return erf(x); }
#endif
