// Cross-entropy of class numbers, for family @F: rows are the (image, pixel) pairs of (N, C, pixels).

typedef struct {
  long images, classes, pixels, each, ignored;
  int kind, kind_target, kind_weight, kind_grad, has_weight, mean, none, kind_log;
} Loss;

// What a row's class counts, and which it is; -1 for one that is ignored.
static T_@F share_of(In target, In weight, long row, global long* report, const Loss g, long* at) {
  long c = read_l(target, row, g.kind_target);
  *at = -1;
  if (c == g.ignored) return 0;
  if (c < 0 || c >= g.classes) { report[1] = c; report[0] = 1; return 0; }
  *at = c;
  return g.has_weight ? read_@F(weight, c, g.kind_weight) : (T_@F)1;
}

kernel void cross_entropy(Out losses, Out log_probs, Out counts, In a, In target, In weight,
                          global long* report, const Loss g) {
  long last = min((long)(get_global_id(0) + 1) * g.each, g.images * g.pixels);
  for (long row = get_global_id(0) * g.each; row < last; row++) {
    long n = row / g.pixels, start = n * g.classes * g.pixels + row - n * g.pixels;
    T_@F most = -INFINITY, total = 0;
    for (long c = 0; c < g.classes; c++) {
      T_@F x = read_@F(a, start + c * g.pixels, g.kind);
      most = x > most || x != x ? x : most;
    }
    for (long c = 0; c < g.classes; c++) total += exp(read_@F(a, start + c * g.pixels, g.kind) - most);
    T_@F rest = most + log(total);
    for (long c = 0; c < g.classes; c++)
      write_@F(log_probs, start + c * g.pixels, g.kind, read_@F(a, start + c * g.pixels, g.kind) - rest);
    long at;
    T_@F share = share_of(target, weight, row, report, g, &at);
    T_@F chosen = at < 0 ? (T_@F)0 : read_@F(a, start + at * g.pixels, g.kind) - rest;
    write_@F(losses, row, g.kind_log, share == 0 ? (T_@F)0 : -share * chosen);
    write_@F(counts, row, g.kind_log, share);
  }
}

// The sum, or mean by what each row counts, of all rows; one work-item.
kernel void total(Out out, In losses, In counts, const Loss g) {
  T_@F loss = 0, count = 0;
  for (long begin = 0; begin < g.images * g.pixels; begin += 256) {
    T_@F part = 0, weight = 0;
    for (long row = begin; row < min(begin + 256, g.images * g.pixels); row++) {
      part += read_@F(losses, row, g.kind_log);
      weight += read_@F(counts, row, g.kind_log);
    }
    loss += part;
    count += weight;
  }
  write_@F(out, 0, g.kind, g.mean ? loss / count : loss);
}

kernel void count(Out counts, In target, In weight, global long* report, const Loss g) {
  T_@F total = 0;
  long at;
  for (long begin = 0; begin < g.images * g.pixels; begin += 256) {
    T_@F part = 0;
    for (long row = begin; row < min(begin + 256, g.images * g.pixels); row++)
      part += share_of(target, weight, row, report, g, &at);
    total += part;
  }
  write_@F(counts, 0, g.kind_log, total);
}

kernel void cross_entropy_backward(Out out, In grad, In log_probs, In target, In weight, In counts,
                                   global long* report, const Loss g) {
  long last = min((long)(get_global_id(0) + 1) * g.each, g.images * g.pixels);
  T_@F scale = g.mean ? 1 / read_@F(counts, 0, g.kind_log) : (T_@F)1;
  for (long row = get_global_id(0) * g.each; row < last; row++) {
    long n = row / g.pixels, start = n * g.classes * g.pixels + row - n * g.pixels, at;
    T_@F share = share_of(target, weight, row, report, g, &at) * scale
      * read_@F(grad, g.none ? row : 0, g.kind_grad);
    for (long c = 0; c < g.classes; c++) {
      T_@F x = exp(read_@F(log_probs, start + c * g.pixels, g.kind)) - (c == at ? (T_@F)1 : (T_@F)0);
      write_@F(out, start + c * g.pixels, g.kind, x * share);
    }
  }
}
