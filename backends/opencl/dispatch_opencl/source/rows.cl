// Kernels that go along a row several times, for family @F: a row is an inner dimension of n elements.

#define EACH_VECTOR(BODY, TAIL)                                                            \
  { long i = 0;                                                                            \
    for (; i + LANES_@F <= g.n; i += LANES_@F) { const int count = LANES_@F; BODY }        \
    for (; i < g.n; i++) { TAIL } }

#define X(k, from, start) load_@F(from, start + i * g.inner[k], g.inner[k], count, g.kind[k])
#define X1(k, from, start) read_@F(from, start + i * g.inner[k], g.kind[k])
#define PUT(x) store_@F(out, o + i * g.inner[0], g.inner[0], count, g.kind[0], x)
#define PUT1(x) write_@F(out, o + i * g.inner[0], g.kind[0], x)

static T_@F sum_of(V_@F x) {
  T_@F t[LANES_@F], total = 0;
  vstore@N(x, 0, t);
  for (int j = 0; j < LANES_@F; j++) total += t[j];
  return total;
}

static T_@F largest_of(V_@F x, T_@F most) {
  T_@F t[LANES_@F];
  vstore@N(x, 0, t);
  for (int j = 0; j < LANES_@F; j++) most = t[j] > most || t[j] != t[j] ? t[j] : most;
  return most;
}

#define MOST                                                                               \
  V_@F most_lanes = -INFINITY;                                                             \
  T_@F most = -INFINITY;                                                                   \
  EACH_VECTOR(V_@F x = X(1, a, p); most_lanes = x > most_lanes | x != x ? x : most_lanes;, \
              T_@F x = X1(1, a, p); most = x > most || x != x ? x : most;)                 \
  most = largest_of(most_lanes, most);

kernel void softmax(Out out, In a, const Geometry g) {
  EACH_ROW
    MOST
    V_@F lanes = 0;
    T_@F total = 0;
    EACH_VECTOR(V_@F e = exp(X(1, a, p) - most); lanes += e; PUT(e);,
                T_@F e = exp(X1(1, a, p) - most); total += e; PUT1(e);)
    T_@F scale = 1 / (total + sum_of(lanes));
    if (g.kind[0] == NATIVE_@F) {
      EACH_VECTOR(PUT(load_@F((In)out, o + i * g.inner[0], g.inner[0], count, g.kind[0]) * scale);,
                  PUT1(read_@F((In)out, o + i * g.inner[0], g.kind[0]) * scale);)
    } else
      EACH_VECTOR(PUT(exp(X(1, a, p) - most) * scale);, PUT1(exp(X1(1, a, p) - most) * scale);)
  }
}

kernel void log_softmax(Out out, In a, const Geometry g) {
  EACH_ROW
    MOST
    V_@F lanes = 0;
    T_@F total = 0;
    EACH_VECTOR(lanes += exp(X(1, a, p) - most);, total += exp(X1(1, a, p) - most);)
    T_@F logarithm = log(total + sum_of(lanes));
    EACH_VECTOR(PUT(X(1, a, p) - most - logarithm);, PUT1(X1(1, a, p) - most - logarithm);)
  }
}

kernel void softmax_backward(Out out, In a, In b, const Geometry g) {
  EACH_ROW
    V_@F lanes = 0;
    T_@F total = 0;
    EACH_VECTOR(lanes += X(1, a, p) * X(2, b, q);, total += X1(1, a, p) * X1(2, b, q);)
    total += sum_of(lanes);
    EACH_VECTOR(PUT((X(1, a, p) - total) * X(2, b, q));, PUT1((X1(1, a, p) - total) * X1(2, b, q));)
  }
}

kernel void log_softmax_backward(Out out, In a, In b, const Geometry g) {
  EACH_ROW
    V_@F lanes = 0;
    T_@F total = 0;
    EACH_VECTOR(lanes += X(1, a, p);, total += X1(1, a, p);)
    total += sum_of(lanes);
    EACH_VECTOR(PUT(X(1, a, p) - exp(X(2, b, q)) * total);,
                PUT1(X1(1, a, p) - exp(X1(2, b, q)) * total);)
  }
}
