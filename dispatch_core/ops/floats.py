"""Floating-point numbers as they are stored: the next one, mantissa and exponent."""

from __future__ import annotations

from dispatch_core._families.base import FLOATING
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
