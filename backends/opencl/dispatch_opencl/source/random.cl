// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) as in dispatch_core.backend.philox, element by element.

typedef struct {
  ulong seed, offset, low, range;
  long n, half_, span;
  int kind, bits;
  double scale, shift;
} Draw;

static uint4 block(ulong number, ulong seed) {
  uint4 c = (uint4)((uint)number, (uint)(number >> 32), 0, 0);
  uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint h0 = mul_hi((uint)0xD2511F53, c.x), l0 = 0xD2511F53 * c.x;
    uint h1 = mul_hi((uint)0xCD9E8D57, c.z), l1 = 0xCD9E8D57 * c.z;
    c = (uint4)(h1 ^ c.y ^ k0, l1, h0 ^ c.w ^ k1, l0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

static uint word(const Draw g, long i) {
  uint4 c = block(g.offset + i / 4, g.seed);
  int at = i & 3;
  return at == 0 ? c.x : at == 1 ? c.y : at == 2 ? c.z : c.w;
}

static ulong wide_word(const Draw g, long i) {
  uint4 c = block(g.offset + i / 2, g.seed);
  return i & 1 ? ((ulong)c.w << 32) | c.z : ((ulong)c.y << 32) | c.x;
}

#ifdef DRAW_FLOATS
static @T unit(const Draw g, long i, int bits) {
#ifdef DRAW_DOUBLES
  return (@T)(wide_word(g, i) >> 11) * (@T)0x1p-53;
#else
  return (@T)(word(g, i) >> (32 - bits)) * pown((@T)2, -bits);
#endif
}

static @T stored(@T x, int kind) {
#ifndef DRAW_DOUBLES
  if (kind == F16) {
    ushort bits[1];
    vstore_half_rte(x, 0, (half*)bits);
    return vload_half(0, (half*)bits);
  }
  if (kind == BF16) return from_bf16(to_bf16(x));
#endif
  return x;
}

static @T scaled(const Draw g, @T x) {
  x = stored(x, g.kind);
  if (g.scale != 1) x = stored(x * stored((@T)g.scale, g.kind), g.kind);
  return g.shift != 0 ? stored(x + stored((@T)g.shift, g.kind), g.kind) : x;
}

kernel void uniform_(Out out, const Draw g) {
  long end = min((long)(get_global_id(0) + 1) * g.span, g.n);
  for (long i = get_global_id(0) * g.span; i < end; i++)
    write_@F(out, i, g.kind, scaled(g, unit(g, i, g.bits)));
}

// Box and Muller: the first half of the numbers gives radii, the second angles.
kernel void normal_(Out out, const Draw g) {
  long end = min((long)(get_global_id(0) + 1) * g.span, g.half_);
  for (long i = get_global_id(0) * g.span; i < end; i++) {
    @T radius = sqrt(log1p(-unit(g, i, 24)) * -2);
    @T angle = unit(g, g.half_ + i, 24) * (@T)6.283185307179586;
    write_@F(out, i, g.kind, scaled(g, radius * cos(angle)));
    if (g.half_ + i < g.n) write_@F(out, g.half_ + i, g.kind, scaled(g, radius * sin(angle)));
  }
}
#else
// The upper half of a random number times the range (Lemire 2019); all bits for a range of 0.
kernel void integers(Out out, const Draw g) {
  long end = min((long)(get_global_id(0) + 1) * g.span, g.n);
  for (long i = get_global_id(0) * g.span; i < end; i++) {
    ulong bits = wide_word(g, i);
    write_@F(out, i, g.kind, as_long(g.range ? mul_hi(bits, g.range) + g.low : bits));
  }
}
#endif
