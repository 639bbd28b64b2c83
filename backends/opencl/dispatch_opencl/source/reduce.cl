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

#define BLOCK 16  // vectors that are combined before what they give is joined to the total

#define PARTS                                                                              \
  long part_number = get_global_id(1);                                                          \
  long q0 = 0, q1 = g.outer, i0 = 0, i1 = g.n;                                             \
  if (g.split_inner) { i0 = part_number * g.part_span; i1 = min(i0 + g.part_span, g.n); }         \
  else { q0 = part_number * g.part_span; q1 = min(q0 + g.part_span, g.outer); }

#define REDUCTION(NAME, FAMILY, FIRST, COMBINE, JOIN)                                      \
kernel void NAME##_rows(Out out, In a, const Reduction g) {                                \
  PARTS                                                                                    \
  long last = min((long)(get_global_id(0) + 1) * g.row_span, g.rows);                      \
  for (long row = get_global_id(0) * g.row_span; row < last; row++) {                      \
    long start = g.offset + walked(row, g.keep_dims, g.keep_size, g.keep_stride);          \
    T_##FAMILY total = FIRST;                                                              \
    V_##FAMILY totals = FIRST, lost = 0;                                                   \
    for (long q = q0; q < q1; q++) {                                                       \
      long at = start + walked(q, g.dims, g.size, g.stride), i = i0;                       \
      while (i + LANES_##FAMILY <= i1) {                                                   \
        V_##FAMILY x, part = load_##FAMILY(a, at + i * g.step, g.step, LANES_##FAMILY, g.kind_in); \
        i += LANES_##FAMILY;                                                               \
        for (int b = 1; b < BLOCK && i + LANES_##FAMILY <= i1; b++, i += LANES_##FAMILY) { \
          x = load_##FAMILY(a, at + i * g.step, g.step, LANES_##FAMILY, g.kind_in);        \
          part = COMBINE(part, x);                                                         \
        }                                                                                  \
        JOIN(V_##FAMILY, COMBINE, totals, lost, part)                                      \
      }                                                                                    \
      for (; i < i1; i++) {                                                                \
        T_##FAMILY y = read_##FAMILY(a, at + i * g.step, g.kind_in);                       \
        total = COMBINE(total, y);                                                         \
      }                                                                                    \
    }                                                                                      \
    T_##FAMILY lanes[LANES_##FAMILY];                                                      \
    STORE_LANES_##FAMILY(totals, 0, lanes);                                                \
    for (int j = 0; j < LANES_##FAMILY; j++) total = COMBINE(total, lanes[j]);             \
    write_##FAMILY(out, part_row, g.kind_out, total);                                      \
  }                                                                                        \
}                                                                                          \
kernel void NAME##_columns(Out out, In a, const Reduction g) {                             \
  PARTS                                                                                    \
  long wide = GROUP * LANES_##FAMILY, chunks = (g.width + wide - 1) / wide;                \
  long last = min((long)(get_global_id(0) + 1) * g.row_span, g.rows * chunks);             \
  for (long task = get_global_id(0) * g.row_span; task < last; task++) {                   \
    long row = task / chunks, c = (task - row * chunks) * wide;                            \
    long width = min(wide, g.width - c);                                                   \
    long start = g.offset + walked(row, g.keep_dims, g.keep_size, g.keep_stride) + c;      \
    V_##FAMILY totals[GROUP], lost[GROUP], part[GROUP];                                    \
    for (int v = 0; v < GROUP; v++) { totals[v] = FIRST; lost[v] = 0; }                    \
    for (long q = q0; q < q1; q++) {                                                       \
      long at = start + walked(q, g.dims, g.size, g.stride);                               \
      for (long i = i0; i < i1; i += BLOCK) {                                              \
        for (long r = i; r < min(i + BLOCK, i1); r++)                                      \
          if (width == wide)                                                               \
            for (int v = 0; v < GROUP; v++) {                                              \
              long from = at + r * g.step + v * LANES_##FAMILY;                            \
              V_##FAMILY x = load_##FAMILY(a, from, 1, LANES_##FAMILY, g.kind_in);         \
              part[v] = r == i ? x : COMBINE(part[v], x);                                  \
            }                                                                              \
          else                                                                             \
            for (long w = 0, v = 0; w < width; w += LANES_##FAMILY, v++) {                 \
              int count = (int)min((long)LANES_##FAMILY, width - w);                       \
              V_##FAMILY x = load_##FAMILY(a, at + r * g.step + w, 1, count, g.kind_in);   \
              part[v] = r == i ? x : COMBINE(part[v], x);                                  \
            }                                                                              \
        for (int v = 0; v * LANES_##FAMILY < width; v++)                                   \
          JOIN(V_##FAMILY, COMBINE, totals[v], lost[v], part[v])                           \
      }                                                                                    \
    }                                                                                      \
    for (long w = 0, v = 0; w < width; w += LANES_##FAMILY, v++) {                         \
      int count = (int)min((long)LANES_##FAMILY, width - w);                               \
      long to = (part_row) * g.width + c + w;                                              \
      store_##FAMILY(out, to, 1, count, g.kind_out, totals[v]);                            \
    }                                                                                      \
  }                                                                                        \
}
#define part_row part_number * g.rows + row

#define JOIN_PLAIN(TYPE, COMBINE, total, lost, x) { total = COMBINE(total, x); }
// Kahan 1965: what is lost of each addend is added to the next; nothing where the sum is infinite.
#define JOIN_EXACT(TYPE, COMBINE, total, lost, x)                                          \
  { TYPE more = x - lost, sum = total + more, rest = (sum - total) - more;                 \
    lost = rest == rest ? rest : (TYPE)0; total = sum; }

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
