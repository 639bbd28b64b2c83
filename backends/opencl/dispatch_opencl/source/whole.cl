// Functions of integers, for family @F: vectors of long or ulong (then UNSIGNED has all bits set).

static V_@F python_mod_@F(V_@F x, V_@F y) {
  // A division by -1 of the smallest number, or by 0, stops some processors.
  M_@F plain = (y != 0) & ((y != (V_@F)-1) | (M_@F)(@UNSIGNED));
  V_@F rest = x % (plain ? y : (V_@F)1);
  rest = plain ? rest : (V_@F)0;
  return (rest != 0) & (as_@M@W(rest ^ y) < 0) & ~(M_@F)(@UNSIGNED) ? rest + y : rest;
}

static V_@F power_@F(V_@F x, V_@F y) {
  V_@F result = 1, factor = x, rest = y;
  M_@F negative = (as_@M@W(y) < 0) & ~(M_@F)(@UNSIGNED);
  rest = negative ? (V_@F)0 : rest;
  while (any(rest != 0)) {
    result = (rest & 1) != 0 ? result * factor : result;
    factor *= factor;
    rest >>= 1;
  }
  V_@F odd = (y & 1) != 0 ? x : (V_@F)1;
  V_@F inverse = (x == 1) | (x == (V_@F)-1) ? odd : (V_@F)0;
  return negative ? inverse : result;
}
