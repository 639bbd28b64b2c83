// Element-wise kernels: an inner dimension of n elements, and outer ones on the second axis of the grid.
// A work-item takes `span` elements of `row_span` rows.

typedef struct {
  long n, span, rows, row_span;
  int dims, kind[4], reserved[3];
  long size[DIMS];
  long stride[4][DIMS];
  long inner[4];
  long offset[4];
  long whole[4];
} Geometry;

#define EACH_ROW                                                                           \
  long last_row = min((long)(get_global_id(1) + 1) * g.row_span, g.rows);                  \
  for (long row = get_global_id(1) * g.row_span; row < last_row; row++) {                  \
    long rest = row, o = g.offset[0], p = g.offset[1], q = g.offset[2], r = g.offset[3];   \
    for (int d = 0; d < g.dims; d++) {                                                     \
      long above = rest / g.size[d], at = rest - above * g.size[d];                        \
      rest = above;                                                                        \
      o += at * g.stride[0][d];                                                            \
      p += at * g.stride[1][d];                                                            \
      q += at * g.stride[2][d];                                                            \
      r += at * g.stride[3][d];                                                            \
    }

#define EACH_CHUNK(LANES)                                                                  \
  long begin = get_global_id(0) * g.span, end = min(begin + g.span, g.n);                  \
  EACH_ROW                                                                                 \
    for (long i = begin; i < end; i += LANES) {                                            \
      int count = (int)min((long)LANES, end - i);

#define END_CHUNK } }

#define LOAD_OPERAND(k, load, from, start) \
  load(from, start + i * g.inner[k], g.inner[k], count, g.kind[k])
#define STORE_RESULT(store, value) store(out, o + i * g.inner[0], g.inner[0], count, g.kind[0], value)
