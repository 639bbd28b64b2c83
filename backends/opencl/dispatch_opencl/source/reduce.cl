// Reductions: kept dimensions are rows (a line of columns where those are the ones that lie together),
// and every work-item takes some rows, or a part of the elements of a few.

typedef struct {
  long rows, row_span, n, outer, part_span, width, step, offset;
  int keep_dims, dims, kind_in, kind_out, split_inner, reserved[3];
  long keep_size[DIMS], keep_stride[DIMS], size[DIMS], stride[DIMS];
} Reduction;

static long walked(long at, int dims, const long* size, const long* stride) {
  long found = 0;
  for (int d = 0; d < dims; d++) {
    long above = at / size[d];
    found += (at - above * size[d]) * stride[d];
    at = above;
  }
  return found;
}

#define BLOCK 64  // vectors that are combined before what they give is added to the total

#define PARTS                                                                              \
  long part = get_global_id(1);                                                            \
  long q0 = 0, q1 = g.outer, i0 = 0, i1 = g.n;                                             \
  if (g.split_inner) { i0 = part * g.part_span; i1 = min(i0 + g.part_span, g.n); }         \
  else { q0 = part * g.part_span; q1 = min(q0 + g.part_span, g.outer); }

#define REDUCTION(NAME, FAMILY, FIRST, COMBINE, FOLD)                                      \
kernel void NAME##_rows(Out out, In a, const Reduction g) {                                \
  PARTS                                                                                    \
  long last = min((long)(get_global_id(0) + 1) * g.row_span, g.rows);                      \
  for (long row = get_global_id(0) * g.row_span; row < last; row++) {                      \
    long start = g.offset + walked(row, g.keep_dims, g.keep_size, g.keep_stride);          \
    T_##FAMILY total = FIRST;                                                              \
    for (long q = q0; q < q1; q++) {                                                       \
      long at = start + walked(q, g.dims, g.size, g.stride), i = i0;                       \
      while (i + LANES_##FAMILY <= i1) {                                                   \
        V_##FAMILY x, sum = load_##FAMILY(a, at + i * g.step, g.step, LANES_##FAMILY, g.kind_in); \
        i += LANES_##FAMILY;                                                               \
        for (int b = 1; b < BLOCK && i + LANES_##FAMILY <= i1; b++, i += LANES_##FAMILY) { \
          x = load_##FAMILY(a, at + i * g.step, g.step, LANES_##FAMILY, g.kind_in);        \
          sum = COMBINE(sum, x);                                                           \
        }                                                                                  \
        FOLD(COMBINE, FAMILY)                                                              \
      }                                                                                    \
      for (; i < i1; i++) {                                                                \
        T_##FAMILY y = read_##FAMILY(a, at + i * g.step, g.kind_in);                       \
        total = COMBINE(total, y);                                                         \
      }                                                                                    \
    }                                                                                      \
    write_##FAMILY(out, part * g.rows + row, g.kind_out, total);                           \
  }                                                                                        \
}                                                                                          \
kernel void NAME##_columns(Out out, In a, const Reduction g) {                             \
  PARTS                                                                                    \
  long chunks = (g.width + LANES_##FAMILY - 1) / LANES_##FAMILY;                           \
  long last = min((long)(get_global_id(0) + 1) * g.row_span, g.rows * chunks);             \
  for (long task = get_global_id(0) * g.row_span; task < last; task++) {                   \
    long row = task / chunks, c = (task - row * chunks) * LANES_##FAMILY;                  \
    int count = (int)min((long)LANES_##FAMILY, g.width - c);                               \
    long start = g.offset + walked(row, g.keep_dims, g.keep_size, g.keep_stride) + c;      \
    V_##FAMILY total = FIRST;                                                              \
    for (long q = q0; q < q1; q++) {                                                       \
      long at = start + walked(q, g.dims, g.size, g.stride), i = i0;                       \
      while (i < i1) {                                                                     \
        V_##FAMILY sum = load_##FAMILY(a, at + i * g.step, 1, count, g.kind_in);           \
        i++;                                                                               \
        for (int b = 1; b < BLOCK && i < i1; b++, i++) {                                   \
          V_##FAMILY x = load_##FAMILY(a, at + i * g.step, 1, count, g.kind_in);           \
          sum = COMBINE(sum, x);                                                           \
        }                                                                                  \
        total = COMBINE(total, sum);                                                       \
      }                                                                                    \
    }                                                                                      \
    store_##FAMILY(out, (part * g.rows + row) * g.width + c, 1, count, g.kind_out, total); \
  }                                                                                        \
}

#define FOLD_VECTOR(COMBINE, FAMILY)                                                       \
  T_##FAMILY lanes[LANES_##FAMILY];                                                        \
  STORE_LANES_##FAMILY(sum, 0, lanes);                                                     \
  for (int j = 0; j < LANES_##FAMILY; j++) total = COMBINE(total, lanes[j]);
#define FOLD_SINGLE(COMBINE, FAMILY) total = COMBINE(total, sum);

#define ADDED(x, y) ((x) + (y))
#define MULTIPLIED(x, y) ((x) * (y))
#define LARGER(x, y) (((y) > (x)) | ((y) != (y)) ? (y) : (x))
#define SMALLER(x, y) (((y) < (x)) | ((y) != (y)) ? (y) : (x))

// -- scans: one work-item goes along a line ----------------------------------------------------------

#define SCAN(NAME, FAMILY, FIRST, COMBINE)                                                 \
kernel void NAME(Out out, In a, const Geometry g) {                                        \
  EACH_ROW                                                                                 \
    T_##FAMILY total = FIRST;                                                              \
    for (long i = 0; i < g.n; i++) {                                                       \
      T_##FAMILY x = read_##FAMILY(a, p + i * g.inner[1], g.kind[1]);                      \
      total = COMBINE(total, x);                                                           \
      write_##FAMILY(out, o + i * g.inner[0], g.kind[0], total);                           \
    }                                                                                      \
  }                                                                                        \
}
