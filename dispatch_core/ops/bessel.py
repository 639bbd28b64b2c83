"""The modified Bessel function that is a method, and what its relatives in `ops/special` share with it."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import REAL
from dispatch_core._families.pointwise import FLOAT, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


@composite(
    pointwise(FLOAT, REAL),
    grad={"input": lambda K, g, input: g * K.i1(input)},
    aliases=("special.i0", "special.modified_bessel_i0"),
    out=True,
)
def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 0."""
    return unscaled(K.i0e(input), input)


def unscaled(scaled: Tensor, x: Tensor) -> Any:
    """exp(|x|) times a value, in two halves, so that it overflows no earlier than the result."""
    half = K.exp(K.abs(x) / 2)
    return K.where(K.isinf(x), half * K.copysign(half, scaled), half * (half * scaled))


def slope(K: Any, before: Any, x: Any, value: Any) -> Any:
    """C_1' = C_0 - C_1 / x (DLMF 10.6.2, 10.29.2) for functions whose quotient is 1/2 at 0."""
    zero = K.eq(x, 0)
    return before(x) - K.where(zero, 0.5, value / K.where(zero, 1.0, x))
