// Truth values, as bool is stored: one byte, 0 or 1. @N at a time, for masks as wide as family @F.

typedef @M@W M_@F;

OUT_OF_LINE static M_@F load_truth_slow_@F(In p, long at, long stride, int count) {
  uchar t[@N];
  for (int j = 0; j < @N; j++) t[j] = p[at + min(j, count - 1) * stride];
  return convert_@M@W(vload@W(0, t) != (uchar)0);
}

static M_@F load_truth_@F(In p, long at, long stride, int count, int kind) {
  return stride == 1 && count == @N
    ? convert_@M@W(vload@W(0, p + at) != (uchar)0)
    : load_truth_slow_@F(p, at, stride, count);
}

static void store_truth_@F(Out p, long at, long stride, int count, int kind, M_@F x) {
  uchar@W bits = convert_uchar@W(x & 1);
  if (stride == 1 && count == @N) { vstore@W(bits, 0, p + at); return; }
  uchar t[@N];
  vstore@W(bits, 0, t);
  for (int j = 0; j < count; j++) p[at + j * stride] = t[j];
}
