// Matrix products of family @F on CPUs: the right matrix packed into panels of LANES columns, and @R rows
// of them at a time in registers (Goto and van de Geijn 2008). Work-groups have one work-item.

#pragma OPENCL FP_CONTRACT ON

typedef struct {
  long m, n, k, a_row, a_column, b_row, b_column, rows_each, panels_each, depth;
  long a_offset, b_offset, out_offset, bias_offset, bias_step, out_row;
  int dims, kind_b, kind_out, kind_bias;
  long size[DIMS], a_stride[DIMS], b_stride[DIMS];
} Product;

static long batch_offset(long rest, int dims, const long* size, const long* stride) {
  long found = 0;
  for (int d = 0; d < dims; d++) {
    long above = rest / size[d];
    found += (rest - above * size[d]) * stride[d];
    rest = above;
  }
  return found;
}

// Panels of the right matrix: [batch][panel][k][LANES], with zeros where there are no columns.
kernel void pack(Out out, In b, const Product g) {
  long start = g.b_offset + batch_offset(get_global_id(2), g.dims, g.size, g.b_stride);
  long panels = (g.n + @N - 1) / @N, panel = get_global_id(0);
  long first = get_global_id(1) * g.depth, last = min(first + g.depth, g.k);
  global T_@F* to = (global T_@F*)out + (get_global_id(2) * panels + panel) * g.k * @N;
  long j = panel * @N;
  int count = (int)min((long)@N, g.n - j);
  start += j * g.b_column;
  if (g.b_column == 1 && count == @N) {
    for (long k = first; k < last; k++)
      vstore@N(load_@F(b, start + k * g.b_row, 1, @N, g.kind_b), 0, to + k * @N);
    return;
  }
  if (count < @N)
    for (long k = first; k < last; k++) vstore@N((V_@F)0, 0, to + k * @N);
  for (int c = 0; c < count; c++)
    for (long k = first; k < last; k++)
      to[k * @N + c] = read_@F(b, start + k * g.b_row + c * g.b_column, g.kind_b);
}

kernel void gemm(Out out, In left, In packed, In bias, const Product g) {
  long panels = (g.n + @N - 1) / @N;
  global const T_@F* a = (global const T_@F*)left + g.a_offset
    + batch_offset(get_global_id(2), g.dims, g.size, g.a_stride);
  global const T_@F* b = (global const T_@F*)packed
    + batch_offset(get_global_id(2), g.dims, g.size, g.b_stride);
  long base = g.out_offset + get_global_id(2) * g.m * g.out_row;
  long row_begin = get_global_id(1) * g.rows_each, row_end = min(row_begin + g.rows_each, g.m);
  long panel_begin = get_global_id(0) * g.panels_each;
  long panel_end = min(panel_begin + g.panels_each, panels);
  for (long k0 = 0; k0 < g.k; k0 += g.depth) {
    long depth = min(g.depth, g.k - k0);
    for (long panel = panel_begin; panel < panel_end; panel++) {
      long j = panel * @N;
      int count = (int)min((long)@N, g.n - j);
      global const T_@F* y = b + (panel * g.k + k0) * @N;
      for (long i = row_begin; i < row_end; i += @R) {
        long last = row_end - 1 - i;
        global const T_@F* x = a + k0 * g.a_column;
        @POINTERS
        V_@F @ZEROS;
        if (g.a_column == 1)
          for (long k = 0; k < depth; k++) {
            V_@F z = vload@N(0, y + k * @N);
            @STEPS_ROW
          }
        else
          for (long k = 0; k < depth; k++) {
            V_@F z = vload@N(0, y + k * @N);
            long at = k * g.a_column;
            @STEPS
          }
        if (k0) {
          @ADD_OLD
        } else if (g.bias_step) {
          V_@F w = load_@F(bias, g.bias_offset + j * g.bias_step, g.bias_step, count, g.kind_bias);
          @ADD_BIAS
        }
        @STORES
      }
    }
  }
}
