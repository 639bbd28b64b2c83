// What every program begins with: the kinds of elements, in the order of kinds.py.

#pragma OPENCL FP_CONTRACT OFF
#ifdef HAS_DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

enum { BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, BF16, F32, F64, C64, C128 };

typedef global uchar* Out;
typedef global const uchar* In;

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

// What is seldom run is compiled once, not wherever it is called.
#define OUT_OF_LINE __attribute__((noinline))

// -- 16-bit floats -----------------------------------------------------------------------------------

static float from_bf16(ushort x) { return as_float((uint)x << 16); }

static ushort to_bf16(float x) {
  uint bits = as_uint(x);
  // To the nearest, ties to even; NaN stays NaN.
  return x != x ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
