// Matrix products of any family and layout: a work-item makes LANES columns of some rows.

typedef struct {
  long m, n, k, rows_each;
  long a_row, a_column, b_row, b_column, a_offset, b_offset, batches;
  int dims, kind_a, kind_b, kind_out;
  long size[DIMS], a_stride[DIMS], b_stride[DIMS];
} Product;

kernel void matmul(Out out, In a, In b, const Product g) {
  long rest = get_global_id(2), p = g.a_offset, q = g.b_offset;
  long base = get_global_id(2) * g.m * g.n;
  for (int d = 0; d < g.dims; d++) {
    long above = rest / g.size[d], at = rest - above * g.size[d];
    rest = above;
    p += at * g.a_stride[d];
    q += at * g.b_stride[d];
  }
  long j = get_global_id(0) * LANES_@F;
  int count = (int)min((long)LANES_@F, g.n - j);
  long last = min((long)(get_global_id(1) + 1) * g.rows_each, g.m);
  for (long i = get_global_id(1) * g.rows_each; i < last; i++) {
    V_@F sum = 0;
    for (long k = 0; k < g.k; k++) {
      T_@F x = read_@F(a, p + i * g.a_row + k * g.a_column, g.kind_a);
      V_@F y = load_@F(b, q + k * g.b_row + j * g.b_column, g.b_column, count, g.kind_b);
      sum += @PRODUCT;
    }
    store_@F(out, base + i * g.n + j, 1, count, g.kind_out, sum);
  }
}
