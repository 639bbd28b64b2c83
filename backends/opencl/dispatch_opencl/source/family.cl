// Loads and stores of one family: @F computes in @T, @N at a time.

#define LANES_@F @N
typedef @T T_@F;
typedef @T@W V_@F;

@FUNCTIONS

// Up to @N elements, `stride` apart; the last one is repeated where there are fewer.
OUT_OF_LINE static V_@F load_slow_@F(In p, long at, long stride, int count, int kind) {
  if (stride == 1 && count == @N) {
    @LOADS
  }
  if (stride == 0) return (V_@F)(read_@F(p, at, kind));
  T_@F t[@N];
  for (int j = 0; j < @N; j++) t[j] = read_@F(p, at + min(j, count - 1) * stride, kind);
  return vload@W(0, t);
}

OUT_OF_LINE static void store_slow_@F(Out p, long at, long stride, int count, int kind, V_@F x) {
  if (stride == 1 && count == @N) {
    @STORES
  }
  T_@F t[@N];
  vstore@W(x, 0, t);
  for (int j = 0; j < count; j++) write_@F(p, at + j * stride, kind, t[j]);
}

static V_@F load_@F(In p, long at, long stride, int count, int kind) {
  return stride == 1 && count == @N && kind == @NATIVE
    ? vload@W(0, (global const T_@F*)p + at)
    : load_slow_@F(p, at, stride, count, kind);
}

static void store_@F(Out p, long at, long stride, int count, int kind, V_@F x) {
  if (stride == 1 && count == @N && kind == @NATIVE) vstore@W(x, 0, (global T_@F*)p + at);
  else store_slow_@F(p, at, stride, count, kind, x);
}
