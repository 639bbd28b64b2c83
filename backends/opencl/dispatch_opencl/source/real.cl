// Functions of real numbers that OpenCL C has not, for family @F: vectors of floating point numbers.

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
