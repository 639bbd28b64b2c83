// Convolutions of family @F on CPUs. Images are first arranged so that every kernel element finds its
// inputs one after the other: padded, and divided by the remainder of the place modulo the stride. A
// convolution is then a matrix product whose right matrix is read from there, with nothing copied.

#pragma OPENCL FP_CONTRACT ON

typedef struct {
  long planes, height, width, stride_n, stride_h, stride_w, offset;   // of what is arranged
  long top, left, spread_h, spread_w, phases_h, phases_w, rows, columns;
  int kind, size;       // `size` elements a plane, where that is more than its rows have
} Arrangement;

// out[plane][phase h][phase w][row][column]; zeros around the image, and between its elements where
// `spread` says so.
kernel void arrange(Out out, In a, const Arrangement g) {
  long phases = g.phases_h * g.phases_w;
  long plane = get_global_id(0), phase = get_global_id(1);
  long ph = phase / g.phases_w, pw = phase - ph * g.phases_w;
  long start = g.offset + plane * g.stride_n;
  long size = max((long)g.size, g.rows * g.columns);
  global T_@F* to = (global T_@F*)out + (plane * phases + phase) * size;
  for (long i = g.rows * g.columns; i < size; i++) to[i] = 0;
  for (long i = 0; i < g.rows; i++) {
    long y = i * g.phases_h + ph - g.top;
    bool inside = y >= 0 && y < g.height * g.spread_h && y % g.spread_h == 0;
    global T_@F* row = to + i * g.columns;
    if (!inside) {
      for (long j = 0; j < g.columns; j++) row[j] = 0;
      continue;
    }
    long from = start + y / g.spread_h * g.stride_h;
    if (g.phases_w == 1 && g.spread_w == 1 && g.stride_w == 1) {
      long j = 0, end = min(g.left + g.width, g.columns);
      for (; j < min(g.left, g.columns); j++) row[j] = 0;
      for (; j + @N <= end; j += @N)
        vstore@N(load_@F(a, from + j - g.left, 1, @N, g.kind), 0, row + j);
      for (; j < end; j++) row[j] = read_@F(a, from + j - g.left, g.kind);
      for (; j < g.columns; j++) row[j] = 0;
      continue;
    }
    for (long j = 0; j < g.columns; j++) {
      long x = j * g.phases_w + pw - g.left;
      bool found = x >= 0 && x < g.width * g.spread_w && x % g.spread_w == 0;
      row[j] = found ? read_@F(a, from + x / g.spread_w * g.stride_w, g.kind) : (T_@F)0;
    }
  }
}

typedef struct {
  long images, groups, outputs, depth, places, columns, image_size, group_size, height, width;
  long panels_each, parts, images_each;
  int kind_out, has_bias;
} Correlation;

// out[n][o][y][x] = sum_k weight[o][k] * image[table[k] + y * columns + x], for all outputs of a group.
kernel void correlate(Out out, In arranged, In left, In bias, global const int* table,
                      const Correlation g) {
  long n = get_global_id(2) / g.groups, group = get_global_id(2) - n * g.groups;
  global const T_@F* image = (global const T_@F*)arranged + n * g.image_size + group * g.group_size;
  global const T_@F* weight = (global const T_@F*)left + group * g.outputs * g.depth;
  global T_@F* to = (global T_@F*)out + (n * g.groups + group) * g.outputs * g.height * g.width;
  long o_begin = get_global_id(1) * g.parts, o_end = min(o_begin + g.parts, g.outputs);
  long end = min((long)(get_global_id(0) + 1) * g.panels_each * @N, g.places);
  for (long p = get_global_id(0) * g.panels_each * @N; p < end; p += @N) {
    long y = p / g.columns, x = p - y * g.columns;
    global const T_@F* at = image + p;
    for (long o = o_begin; o < o_end; o += @R) {
      long last = o_end - 1 - o;
      @POINTERS
      V_@F @ZEROS;
      for (long k = 0; k < g.depth; k++) {
        V_@F z = vload@N(0, at + table[k]);
        @STEPS
      }
      if (g.has_bias) {
        global const T_@F* b = (global const T_@F*)bias + group * g.outputs + o;
        @BIAS
      }
      if (x + @N <= g.width) {
        long place = y * g.width + x;
        @STORES
      } else {
        T_@F t[@R * @N];
        @SPILLS
        long row = y, column = x;
        for (int j = 0; j < @N && row < g.height; j++) {
          if (column < g.width)
            for (int r = 0; r <= min(last, (long)@R - 1); r++)
              to[(o + r) * g.height * g.width + row * g.width + column] = t[r * @N + j];
          if (++column == g.columns) { column = 0; row++; }
        }
      }
    }
  }
}

// part[o][k] = sum over some images and all places of grad[n][o][p] * image[n][table[k] + p]. A work-item
// makes TILES_O x TILES_K tiles of 3 x 2 sums, one stretch of places after the other, so that what the
// tiles share stays in the first cache.
#define TILES_O 3
#define TILES_K 4
#define STRETCH 384

static V_@F first_of(V_@F x, long count) {
  T_@F t[@N];
  vstore@N(x, 0, t);
  for (int j = 0; j < @N; j++) t[j] = j < count ? t[j] : (T_@F)0;
  return vload@N(0, t);
}

kernel void correlate_weight(Out out, In arranged, In grads, global const int* table,
                             const Correlation g) {
  long group = get_global_id(2) % g.groups, part = get_global_id(2) / g.groups;
  long first = part * g.images_each, last = min(first + g.images_each, g.images);
  long o_begin = get_global_id(1) * (3 * TILES_O), o_last = g.outputs - 1;
  long k_begin = get_global_id(0) * (2 * TILES_K), k_last = g.depth - 1;
  long step = g.places, valid = (g.height - 1) * g.columns + g.width;
  V_@F sums[TILES_O * TILES_K * 6];
  for (int i = 0; i < TILES_O * TILES_K * 6; i++) sums[i] = 0;
  long images = max((long)STRETCH / step, 1L);
  for (long n0 = first; n0 < last; n0 += images)
    for (long p0 = 0; p0 < step; p0 += STRETCH) {
      long n1 = min(n0 + images, last), p1 = min(p0 + STRETCH, step);
      int tile = 0;
      for (long o = o_begin; o <= min(o_last, o_begin + 3 * TILES_O - 1); o += 3)
        for (long k = k_begin; k <= min(k_last, k_begin + 2 * TILES_K - 1); k += 2, tile += 6) {
          V_@F @LOADED;
          long t0 = table[k], t1 = table[min(k + 1, k_last)];
          for (long n = n0; n < n1; n++) {
            global const T_@F* image =
              (global const T_@F*)arranged + n * g.image_size + group * g.group_size;
            global const T_@F* grad =
              (global const T_@F*)grads + (n * g.groups + group) * g.outputs * step;
            global const T_@F* g0 = grad + o * step;
            global const T_@F* g1 = grad + min(o + 1, o_last) * step;
            global const T_@F* g2 = grad + min(o + 2, o_last) * step;
            for (long p = p0; p < p1; p += @N) {
              V_@F x0 = vload@N(0, image + t0 + p), x1 = vload@N(0, image + t1 + p);
              if (p + @N > valid) {  // what lies behind the image is not zero times zero
                x0 = first_of(x0, valid - p);
                x1 = first_of(x1, valid - p);
              }
              V_@F y = vload@N(0, g0 + p);
              s00 += y * x0; s01 += y * x1;
              y = vload@N(0, g1 + p);
              s10 += y * x0; s11 += y * x1;
              y = vload@N(0, g2 + p);
              s20 += y * x0; s21 += y * x1;
            }
          }
          @KEPT
        }
    }
  global T_@F* to = (global T_@F*)out + (part * g.groups + group) * g.outputs * g.depth;
  int tile = 0;
  for (long o = o_begin; o <= min(o_last, o_begin + 3 * TILES_O - 1); o += 3)
    for (long k = k_begin; k <= min(k_last, k_begin + 2 * TILES_K - 1); k += 2, tile += 6)
      for (int i = 0; i < 6; i++) {
        long row = o + i / 2, column = k + i % 2;
        T_@F lanes[@N], total = 0;
        vstore@N(sums[tile + i], 0, lanes);
        for (int j = 0; j < @N; j++) total += lanes[j];
        if (row <= o_last && column <= k_last) to[row * g.depth + column] = total;
      }
}
