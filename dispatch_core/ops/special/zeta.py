"""Hurwitz's zeta function."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number, underivable
from dispatch_core.ops.gamma import BERNOULLI
from dispatch_core.ops.special._declare import special

TERMS = 10
"""So many terms of the sum are added one by one before its tail is taken from a series."""
STEEP = 16.0
"""Where the exponent is this many times the base of the tail, the tail does not count."""


@special(
    {
        "input": underivable("zeta: input"),
        "other": lambda K, g, input, other: -g * input * K.zeta(input + 1, other),
    },
    domain=(1.2, 4.0),
    constant=("input",),
)
def zeta(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Sum of (other + k)^-input over k = 0, 1, ...; inf at input = 1 and at the poles, NaN for input < 1.

    A negative `other` needs a whole `input`, else the result is NaN. Differentiable in `other`.
    """
    like = input if isinstance(input, Tensor) else other
    x, q = (v if isinstance(v, Tensor) else K.full_like(like, v) for v in (input, other))
    positive = K.gt(q, 0)
    value = K.where(positive, _sum(x, K.where(positive, q, 1.0)), _reflected(x, q))
    value = K.where(K.isnan(q), math.nan, value)
    value = K.where(K.bitwise_and(K.le(q, 0), K.eq(q, K.floor(q))), math.inf, value)
    return K.where(K.gt(x, 1), value, K.where(K.eq(x, 1), math.inf, math.nan))


def _sum(x: Tensor, q: Any) -> Any:
    """For q > 0: some terms, and the rest by Euler and Maclaurin's formula (DLMF 25.11.5)."""
    total = K.pow(q, -x)
    for k in range(1, TERMS):
        total = total + K.pow(q + k, -x)
    w = q + TERMS
    term = K.pow(w, -x)
    total = total + K.pow(w, 1 - x) / (x - 1) + 0.5 * term
    inverse, steep = 1 / w, K.minimum(x / w, STEEP)
    term = term * steep
    for k, b in enumerate(BERNOULLI, 1):
        total = total + term * (b / math.factorial(2 * k))
        term = term * (steep + (2 * k - 1) * inverse) * (steep + 2 * k * inverse)
    return total


def _reflected(x: Tensor, q: Any) -> Any:
    """For q < 0 and whole x: the terms of negative base are the first ones of another such sum."""
    below = K.lt(q, 0)
    q = K.where(below, q, -0.5)
    above, rest = q - K.floor(q), K.ceil(q) - q
    odd = K.eq(K.remainder(x, 2.0), 1)
    flipped = _sum(x, K.where(K.eq(rest, 0), 1.0, rest)) - _sum(x, 1 - q)
    value = _sum(x, K.where(K.eq(above, 0), 1.0, above)) + K.where(odd, -flipped, flipped)
    return K.where(K.eq(x, K.floor(x)), value, math.nan)
