static float read_f(In p, long i, int kind) {
  if (kind == F32) return ((global const float*)p)[i];
  if (kind == F16) return vload_half(i, (global const half*)p);
  return from_bf16(((global const ushort*)p)[i]);
}

static void write_f(Out p, long i, int kind, float x) {
  if (kind == F32) ((global float*)p)[i] = x;
  else if (kind == F16) vstore_half_rte(x, i, (global half*)p);
  else ((global ushort*)p)[i] = to_bf16(x);
}
