"""Poisson random numbers."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import float64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import all_true
from dispatch_core.ops.chance._rejection import by_inversion, by_rejection, is_going, uniform

LARGE_RATE = 16.0


@composite(
    custom(FLOATING), grad={"input": lambda K, g: K.zeros_like(g)}, random=True, method=False
)
def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Numbers from the Poisson distribution whose rate each element says.

    Below rate 16 by adding probabilities until they pass a uniform number; from there on by transformed
    rejection (PTRS, Hoermann 1993), whose effort does not depend on the rate.
    """
    if not all_true(K.ge(input, 0)):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    rate = K.cast(input, float64)
    large = K.ge(rate, LARGE_RATE)
    few = K.where(large, 0.0, rate)
    found = by_inversion(K.exp(-few), lambda k: few / k, uniform(rate, generator))
    if is_going(large, 0):
        finite = large & K.lt(rate, float("inf"))
        safe = K.where(finite, rate, LARGE_RATE)
        many = by_rejection(lambda rate: _ptrs(rate, generator), [safe])
        found = K.where(large, K.where(finite, many, float("inf")), found)
    return K.cast(found, input.dtype)


def _ptrs(rate: Tensor, generator: Any) -> tuple[Tensor, Tensor]:
    b = K.sqrt(rate) * 2.53 + 0.931
    a = b * 0.02483 - 0.059
    log_scale = K.log(1.1328 / (b - 3.4) + 1.1239)
    u = uniform(rate, generator) - 0.5
    v = 1 - uniform(rate, generator)
    edge = K.maximum(0.5 - K.abs(u), 1e-300)
    k = K.floor((a * 2 / edge + b) * u + rate + 0.43)
    surely = K.ge(edge, 0.07) & K.le(v, 0.9277 - 3.6224 / (b - 2))
    likely = K.log(v) + log_scale - K.log(a / (edge * edge) + b)
    weight = K.log(rate) * k - rate - K.lgamma(K.maximum(k, 0.0) + 1)
    return k, surely | (K.ge(k, 0) & K.le(likely, weight))
