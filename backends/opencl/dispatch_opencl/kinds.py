"""How elements of each dtype lie in memory, and in which C types kernels compute with them.

A kernel is compiled for a *family*, the type it computes in; in which *kind* each operand is stored it
learns when it runs. So float16 and bfloat16 need no kernels of their own, nor do seven sizes of integers.
"""

from __future__ import annotations

from typing import NamedTuple

from dispatch_core.extend import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)


class Family(NamedTuple):
    """A type that kernels compute in."""

    name: str
    """As in the names of the C functions: `load_f`, `store_f`."""
    scalar: str
    """The C type of one element."""
    wide: bool
    """Whether an element has eight bytes or more, so that fewer go into a vector."""
    parts: str = ""
    """For complex numbers the C type of their parts; they have no vectors."""

    @property
    def is_double(self) -> bool:
        """Whether the device must have double precision."""
        return "double" in self.scalar


FLOAT = Family("f", "float", False)
DOUBLE = Family("d", "double", True)
LONG = Family("l", "long", True)
ULONG = Family("u", "ulong", True)
COMPLEX_FLOAT = Family("cf", "float2", True, "float")
COMPLEX_DOUBLE = Family("cd", "double2", True, "double")

ORDER: tuple[dtype, ...] = (
    bool_,
    uint8,
    int8,
    uint16,
    int16,
    uint32,
    int32,
    uint64,
    int64,
    float16,
    bfloat16,
    float32,
    float64,
    complex64,
    complex128,
)
CODE: dict[dtype, int] = {each: code for code, each in enumerate(ORDER)}
"""The number by which kernels know a dtype; `types.cl` has the same under names."""

FAMILY: dict[dtype, Family] = {
    **dict.fromkeys((bool_, uint8, int8, uint16, int16, uint32, int32, int64), LONG),
    uint64: ULONG,
    **dict.fromkeys((float16, bfloat16, float32), FLOAT),
    float64: DOUBLE,
    complex64: COMPLEX_FLOAT,
    complex128: COMPLEX_DOUBLE,
}


def wide_dtype(given: dtype) -> dtype:
    """What sums of floating point numbers are kept in."""
    return float32 if FAMILY[given] is FLOAT else float64
