// Loads and stores of a family taken one element at a time: @F computes in @T.

#define LANES_@F 1
typedef @T T_@F;
typedef @T V_@F;
typedef int M_@F;

@FUNCTIONS

static V_@F load_@F(In p, long at, long stride, int count, int kind) { return read_@F(p, at, kind); }

static void store_@F(Out p, long at, long stride, int count, int kind, V_@F x) {
  write_@F(p, at, kind, x);
}

static M_@F load_truth_@F(In p, long at, long stride, int count, int kind) { return p[at] != 0; }

static void store_truth_@F(Out p, long at, long stride, int count, int kind, M_@F x) {
  p[at] = x != 0;
}
