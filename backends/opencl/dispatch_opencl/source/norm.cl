// Normalisation, for family @F. What is normalised are images of `channels` stretches of `length`
// elements, in order; for a layer norm each image is one stretch.

typedef struct {
  long images, channels, length, each, parts, images_each;
  int kind, kind_weight, kind_bias, kind_statistics, has_weight, has_bias;
  long kind_grad;
  @T eps;
  @T reserved;
} Norm;

#define EACH_VECTOR(BODY, TAIL)                                                            \
  { long i = 0;                                                                            \
    for (; i + LANES_@F <= g.length; i += LANES_@F) { BODY }                               \
    for (; i < g.length; i++) { TAIL } }
#define X(p, kind) load_@F(p, start + i, 1, LANES_@F, kind)
#define X1(p, kind) read_@F(p, start + i, kind)

static T_@F sum_of(V_@F x) {
  T_@F t[LANES_@F], total = 0;
  vstore@N(x, 0, t);
  for (int j = 0; j < LANES_@F; j++) total += t[j];
  return total;
}

// -- layer norm: rows ---------------------------------------------------------------------------------

kernel void layer_norm(Out out, Out means, Out rstds, In a, In weight, In bias, const Norm g) {
  long last = min((long)(get_global_id(0) + 1) * g.each, g.images);
  for (long row = get_global_id(0) * g.each; row < last; row++) {
    long start = row * g.length;
    V_@F lanes = 0;
    T_@F total = 0;
    EACH_VECTOR(lanes += X(a, g.kind);, total += X1(a, g.kind);)
    T_@F mean = (total + sum_of(lanes)) / g.length;
    lanes = 0;
    total = 0;
    EACH_VECTOR(V_@F x = X(a, g.kind) - mean; lanes += x * x;,
                T_@F x = X1(a, g.kind) - mean; total += x * x;)
    T_@F rstd = 1 / sqrt((total + sum_of(lanes)) / g.length + g.eps);
    EACH_VECTOR(V_@F x = (X(a, g.kind) - mean) * rstd;
                if (g.has_weight) x *= load_@F(weight, i, 1, LANES_@F, g.kind_weight);
                if (g.has_bias) x += load_@F(bias, i, 1, LANES_@F, g.kind_bias);
                store_@F(out, start + i, 1, LANES_@F, g.kind, x);,
                T_@F x = (X1(a, g.kind) - mean) * rstd;
                if (g.has_weight) x *= read_@F(weight, i, g.kind_weight);
                if (g.has_bias) x += read_@F(bias, i, g.kind_bias);
                write_@F(out, start + i, g.kind, x);)
    write_@F(means, row, g.kind_statistics, mean);
    write_@F(rstds, row, g.kind_statistics, rstd);
  }
}

kernel void layer_norm_input(Out out, In grad, In a, In weight, In means, In rstds, const Norm g) {
  long last = min((long)(get_global_id(0) + 1) * g.each, g.images);
  for (long row = get_global_id(0) * g.each; row < last; row++) {
    long start = row * g.length;
    T_@F mean = read_@F(means, row, g.kind_statistics), rstd = read_@F(rstds, row, g.kind_statistics);
    V_@F levels = 0, slopes = 0;
    T_@F level = 0, slope = 0;
    EACH_VECTOR(V_@F y = X(grad, g.kind_grad);
                if (g.has_weight) y *= load_@F(weight, i, 1, LANES_@F, g.kind_weight);
                levels += y;
                slopes += y * ((X(a, g.kind) - mean) * rstd);,
                T_@F y = X1(grad, g.kind_grad);
                if (g.has_weight) y *= read_@F(weight, i, g.kind_weight);
                level += y;
                slope += y * ((X1(a, g.kind) - mean) * rstd);)
    level = (level + sum_of(levels)) / g.length;
    slope = (slope + sum_of(slopes)) / g.length;
    EACH_VECTOR(V_@F y = X(grad, g.kind_grad);
                if (g.has_weight) y *= load_@F(weight, i, 1, LANES_@F, g.kind_weight);
                y = (y - level - (X(a, g.kind) - mean) * rstd * slope) * rstd;
                store_@F(out, start + i, 1, LANES_@F, g.kind, y);,
                T_@F y = X1(grad, g.kind_grad);
                if (g.has_weight) y *= read_@F(weight, i, g.kind_weight);
                y = (y - level - (X1(a, g.kind) - mean) * rstd * slope) * rstd;
                write_@F(out, start + i, g.kind, y);)
  }
}

// Sums over a part of the rows: of the gradients, and of their products with what was normalised.
kernel void layer_norm_weight(Out out, In grad, In a, In means, In rstds, const Norm g) {
  long part = get_global_id(1), j = get_global_id(0) * LANES_@F;
  int count = (int)min((long)LANES_@F, g.length - j);
  long last = min((part + 1) * g.images_each, g.images);
  V_@F sums = 0, products = 0;
  for (long row = part * g.images_each; row < last; row++) {
    T_@F mean = read_@F(means, row, g.kind_statistics), rstd = read_@F(rstds, row, g.kind_statistics);
    V_@F y = load_@F(grad, row * g.length + j, 1, count, g.kind_grad);
    sums += y;
    products += y * ((load_@F(a, row * g.length + j, 1, count, g.kind) - mean) * rstd);
  }
  store_@F(out, part * 2 * g.length + j, 1, count, NATIVE_@F, products);
  store_@F(out, (part * 2 + 1) * g.length + j, 1, count, NATIVE_@F, sums);
}

// -- batch norm: channels -----------------------------------------------------------------------------

#define STRETCH(n) long start = ((n) * g.channels + c) * g.length;

kernel void batch_statistics(Out means, Out rstds, In a, const Norm g) {
  long c = get_global_id(0);
  T_@F total = 0, count = (T_@F)(g.images * g.length);
  for (long n = 0; n < g.images; n++) {
    STRETCH(n)
    V_@F lanes = 0;
    EACH_VECTOR(lanes += X(a, g.kind);, total += X1(a, g.kind);)
    total += sum_of(lanes);
  }
  T_@F mean = total / count;
  total = 0;
  for (long n = 0; n < g.images; n++) {
    STRETCH(n)
    V_@F lanes = 0;
    EACH_VECTOR(V_@F x = X(a, g.kind) - mean; lanes += x * x;,
                T_@F x = X1(a, g.kind) - mean; total += x * x;)
    total += sum_of(lanes);
  }
  write_@F(means, c, NATIVE_@F, mean);
  write_@F(rstds, c, NATIVE_@F, 1 / sqrt(total / count + g.eps));
}

kernel void batch_norm(Out out, In a, In weight, In bias, In means, In rstds, const Norm g) {
  long last = min((long)(get_global_id(0) + 1) * g.each, g.images * g.channels);
  for (long row = get_global_id(0) * g.each; row < last; row++) {
    long c = row % g.channels, start = row * g.length;
    T_@F mean = read_@F(means, c, NATIVE_@F), scale = read_@F(rstds, c, NATIVE_@F);
    if (g.has_weight) scale *= read_@F(weight, c, g.kind_weight);
    T_@F shift = g.has_bias ? read_@F(bias, c, g.kind_bias) : (T_@F)0;
    EACH_VECTOR(store_@F(out, start + i, 1, LANES_@F, g.kind, (X(a, g.kind) - mean) * scale + shift);,
                write_@F(out, start + i, g.kind, (X1(a, g.kind) - mean) * scale + shift);)
  }
}

// Per channel: the sum of products of gradients with what was normalised, and the sum of gradients.
kernel void batch_sums(Out products, Out sums, In grad, In a, In means, In rstds, const Norm g) {
  long c = get_global_id(0);
  T_@F mean = read_@F(means, c, g.kind_statistics), rstd = read_@F(rstds, c, g.kind_statistics);
  T_@F sum = 0, product = 0;
  for (long n = 0; n < g.images; n++) {
    STRETCH(n)
    V_@F lanes = 0, other = 0;
    EACH_VECTOR(V_@F y = X(grad, g.kind_grad); lanes += y; other += y * (X(a, g.kind) - mean);,
                T_@F y = X1(grad, g.kind_grad); sum += y; product += y * (X1(a, g.kind) - mean);)
    sum += sum_of(lanes);
    product += sum_of(other);
  }
  write_@F(products, c, NATIVE_@F, product * rstd);
  write_@F(sums, c, NATIVE_@F, sum);
}

kernel void batch_input(Out out, In grad, In a, In weight, In means, In rstds, In products, In sums,
                        const Norm g) {
  long last = min((long)(get_global_id(0) + 1) * g.each, g.images * g.channels);
  T_@F count = (T_@F)(g.images * g.length);
  for (long row = get_global_id(0) * g.each; row < last; row++) {
    long c = row % g.channels, start = row * g.length;
    T_@F mean = read_@F(means, c, g.kind_statistics), rstd = read_@F(rstds, c, g.kind_statistics);
    T_@F scale = g.has_weight ? rstd * read_@F(weight, c, g.kind_weight) : rstd;
    T_@F slope = read_@F(products, c, NATIVE_@F) / count * rstd;
    T_@F level = read_@F(sums, c, NATIVE_@F) / count;
    EACH_VECTOR(V_@F y = X(grad, g.kind_grad) - level - (X(a, g.kind) - mean) * slope;
                store_@F(out, start + i, 1, LANES_@F, g.kind, y * scale);,
                T_@F y = X1(grad, g.kind_grad) - level - (X1(a, g.kind) - mean) * slope;
                write_@F(out, start + i, g.kind, y * scale);)
  }
}
