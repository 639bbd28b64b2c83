// Pooling over windows of up to three dimensions, for family @F. A work-item takes some outputs, or
// (backwards, where windows may overlap) whole planes.

typedef struct {
  long planes, each;
  long size[3], out[3], window[3], stride[3], padding[3], dilation[3];
  long divisor;
  int kind, kind_index, count_padding, reserved;
} Pool;

typedef struct { long low, high, first; } Range;   // numbers of the window's elements that lie inside

static Range inside(const Pool g, int d, long at) {
  Range r;
  long begin = at * g.stride[d] - g.padding[d], gap = g.dilation[d];
  r.low = begin < 0 ? (-begin + gap - 1) / gap : 0;
  r.high = min(g.window[d], (g.size[d] - begin + gap - 1) / gap);
  r.first = begin;
  return r;
}

#define EACH_OUTPUT                                                                        \
  long volume = g.out[0] * g.out[1] * g.out[2], plane_size = g.size[0] * g.size[1] * g.size[2]; \
  long last = min((long)(get_global_id(0) + 1) * g.each, g.planes * volume);               \
  for (long i = get_global_id(0) * g.each; i < last; i++) {                                \
    long plane = i / volume, rest = i - plane * volume, base = plane * plane_size;         \
    WINDOW
#define WINDOW                                                                             \
    long y0 = rest / (g.out[1] * g.out[2]), y2 = rest % g.out[2], y1 = rest / g.out[2] % g.out[1]; \
    Range r0 = inside(g, 0, y0), r1 = inside(g, 1, y1), r2 = inside(g, 2, y2);
#define EACH_PLACE                                                                         \
  for (long a0 = r0.low; a0 < r0.high; a0++)                                               \
    for (long a1 = r1.low; a1 < r1.high; a1++)                                             \
      for (long a2 = r2.low; a2 < r2.high; a2++) {                                         \
        long at = ((r0.first + a0 * g.dilation[0]) * g.size[1]                             \
                   + r1.first + a1 * g.dilation[1]) * g.size[2] + r2.first + a2 * g.dilation[2];

// The first of equal values counts; a NaN wins, and of several the last.
kernel void max_pool(Out out, global long* index, In a, const Pool g) {
  EACH_OUTPUT
    T_@F best = 0;
    long found = -1;
    EACH_PLACE
        T_@F x = read_@F(a, base + at, g.kind);
        if (found < 0 || x > best || x != x) { best = x; found = at; }
      }
    write_@F(out, i, g.kind, best);
    index[i] = max(found, 0L);
  }
}

kernel void max_pool_backward(Out out, In grad, In index, global long* report, const Pool g) {
  long volume = g.out[0], plane_size = g.size[0];
  long last = min((long)(get_global_id(0) + 1) * g.each, g.planes);
  for (long plane = get_global_id(0) * g.each; plane < last; plane++) {
    for (long i = 0; i < plane_size; i++) write_@F(out, plane * plane_size + i, g.kind, 0);
    for (long i = plane * volume; i < (plane + 1) * volume; i++) {
      long at = ((global const long*)index)[i];
      if (at < 0 || at >= plane_size) { report[1] = at; report[0] = 1; continue; }
      at += plane * plane_size;
      write_@F(out, at, g.kind, read_@F((In)out, at, g.kind) + read_@F(grad, i, g.kind));
    }
  }
}

static long length_of(const Pool g, int d, long at) {
  long begin = at * g.stride[d] - g.padding[d], end = min(begin + g.window[d], g.size[d] + g.padding[d]);
  if (!g.count_padding) { begin = max(begin, 0L); end = min(end, g.size[d]); }
  return max(end - begin, 1L);
}

#define DIVISOR (T_@F)(g.divisor ? g.divisor                                               \
  : length_of(g, 0, y0) * length_of(g, 1, y1) * length_of(g, 2, y2))

kernel void avg_pool(Out out, In a, const Pool g) {
  EACH_OUTPUT
    T_@F total = 0;
    EACH_PLACE total += read_@F(a, base + at, g.kind); }
    write_@F(out, i, g.kind, total / DIVISOR);
  }
}

kernel void avg_pool_backward(Out out, In grad, const Pool g) {
  long volume = g.out[0] * g.out[1] * g.out[2], plane_size = g.size[0] * g.size[1] * g.size[2];
  long last = min((long)(get_global_id(0) + 1) * g.each, g.planes);
  for (long plane = get_global_id(0) * g.each; plane < last; plane++) {
    long base = plane * plane_size;
    for (long i = 0; i < plane_size; i++) write_@F(out, base + i, g.kind, 0);
    for (long rest = 0; rest < volume; rest++) {
      WINDOW
      T_@F x = read_@F(grad, plane * volume + rest, g.kind) / DIVISOR;
      EACH_PLACE
          write_@F(out, base + at, g.kind, read_@F((In)out, base + at, g.kind) + x);
        }
    }
  }
}
