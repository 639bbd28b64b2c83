"""Floating-point numbers as they are stored: the next one, mantissa and exponent."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import dtype, finfo, int16, int32, int64
from dispatch_core._families.base import FLOATING, Family
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input, other: g * K.cast_like(input != other, g),
        "other": lambda K, g: K.zeros_like(g),
    },
    out=True,
)
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next number of the dtype after input towards other."""
    steps = {"float64": (2.0**-52, 2.0**-1074), "float32": (2.0**-23, 2.0**-149),
             "float16": (2.0**-10, 2.0**-24), "bfloat16": (2.0**-7, 2.0**-133)}  # fmt: skip
    relative, least = steps[input.dtype.name]
    size = K.abs(input)
    power = K.exp2(K.floor(K.log2(K.maximum(size, least))))
    up = K.maximum(power * relative, least)
    lower = K.bitwise_and(K.eq(size, power), K.ne(size, 0))
    down = K.where(lower, K.maximum(up / 2, least), up)
    direction = K.sgn(other - input)
    step = K.where(K.lt(direction * input, 0), down, up) * direction
    value = K.where(K.eq(input, other), other, input + step)
    return K.where(K.ne(input, input), input, K.where(K.ne(other, other), other, value))


_LAYOUTS = {"float64": (int64, 52, 11), "float32": (int32, 23, 8),
            "float16": (int16, 10, 5), "bfloat16": (int16, 7, 8)}  # fmt: skip
"""The integer of the same size, and how many bits of it mantissa and exponent have."""


def _scale(K: Any, input: Any, mantissa: Any) -> Any:
    """2 to the power of minus the exponent."""
    still = K.logical_or(K.eq(mantissa, input), K.isnan(input))
    return K.where(still, 1.0, mantissa / K.where(still, 1.0, input))


class _Exact(Family):
    """Results that `out=` takes in their own dtypes only."""

    def fits_out(self, result: dtype, out: dtype) -> bool:
        return out is result


@composite(
    _Exact(
        FLOATING, samples=lambda make: [(make(3, 4),), (make(),), (make(0, 3, low=9, high=99),)]
    ),
    grad={"input": lambda K, gs, input, out0: gs[0] * _scale(K, input, out0)},
    outputs=2,
    fields=("mantissa", "exponent"),
    out=True,
    batch="leading",
)
def frexp(input: Tensor) -> Any:
    """The mantissa, of size 1/2 to 1, and the exponent (int32) of 2 by which it gives each element.

    Zeros, infinities and NaN are their own mantissas, with exponent 0.
    """
    stored, places, width = _LAYOUTS[input.dtype.name]
    bias = 2 ** (width - 1) - 2
    field = (2**width - 1) << places
    subnormal = K.lt(K.abs(input), finfo(input.dtype).tiny)
    normal = K.where(subnormal, input * 2.0 ** (places + 1), input)
    bits = K.bits_as(normal, stored)
    mantissa = K.bits_as(K.bitwise_or(K.bitwise_and(bits, ~field), bias << places), input.dtype)
    raised = K.bitwise_and(K.bitwise_right_shift(bits, places), field >> places)
    exponent = K.cast(raised, int32) - K.where(subnormal, bias + places + 1, bias)
    still = K.logical_or(K.eq(input, 0), K.logical_not(K.isfinite(input)))
    return K.frexp.op.result_type(
        K.where(still, input, mantissa), K.cast(K.where(still, 0, exponent), int32)
    )
