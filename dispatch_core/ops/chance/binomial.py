"""Binomial random numbers."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import float64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import all_true
from dispatch_core.ops.chance._rejection import by_inversion, by_rejection, is_going, uniform

FEW = 10.0
"""Below so many successes in the mean their probabilities are added up."""

_NOTHING = {
    "count": lambda K, g: K.zeros_like(g),
    "prob": lambda K, g: K.zeros_like(g),
}


@composite(
    custom(
        FLOATING, samples=lambda make: [(make(3, 4, low=1, high=9), make(3, 4, low=0.0, high=1.0))]
    ),
    grad=_NOTHING,
    random=True,
    method=False,
)
def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """Numbers of successes among `count` trials of probability `prob` each, which broadcast.

    Where few are expected, by adding probabilities until they pass a uniform number; else by transformed
    rejection (BTRS, Hoermann 1993), whose effort does not depend on the count.
    """
    if count.dtype is not prob.dtype:
        raise ValueError(
            "binomial() expects count and prob of one dtype, but got "
            f"{count.dtype} and {prob.dtype}; convert one of them with .to(dtype)"
        )
    if not all_true(K.ge(count, 0) & K.ge(prob, 0) & K.le(prob, 1)):
        raise RuntimeError("binomial() expects count >= 0 and prob in [0, 1], but got other values")
    shape = broadcast_shapes(tuple(count.shape), tuple(prob.shape))
    n = K.floor(K.expand(K.cast(count, float64), shape))
    p = K.expand(K.cast(prob, float64), shape)
    mirrored = K.gt(p, 0.5)
    p = K.where(mirrored, 1 - p, p)
    many = K.ge(n * p, FEW)
    few, odds = K.where(many, 0.0, n), p / (1 - p)
    none = K.exp(few * K.log1p(-p))
    found = by_inversion(none, lambda k: (few + 1 - k) / k * odds, uniform(n, generator))
    if is_going(many, 0):
        safe_n, safe_p = K.where(many, n, 4 * FEW), K.where(many, p, 0.5)
        drawn = by_rejection(lambda n, p: _btrs(n, p, generator), [safe_n, safe_p])
        found = K.where(many, drawn, found)
    return K.cast(K.where(mirrored, n - found, found), count.dtype)


def _btrs(n: Tensor, p: Tensor, generator: Any) -> tuple[Tensor, Tensor]:
    spread = K.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha = (2.83 + 5.1 / b) * spread
    u = uniform(n, generator) - 0.5
    v = 1 - uniform(n, generator)
    edge = K.maximum(0.5 - K.abs(u), 1e-300)
    k = K.floor((2 * a / edge + b) * u + n * p + 0.5)
    inside = K.ge(k, 0) & K.le(k, n)
    surely = inside & K.ge(edge, 0.07) & K.le(v, 0.92 - 4.2 / b)
    mode = K.floor((n + 1) * p)
    at = K.minimum(K.maximum(k, 0.0), n)
    likely = K.log(v * alpha / (a / (edge * edge) + b))
    weight = _log_ways(n, mode) - _log_ways(n, at) + (at - mode) * (K.log(p) - K.log1p(-p))
    return k, surely | (inside & K.le(likely, weight))


def _log_ways(n: Tensor, k: Tensor) -> Any:
    return K.lgamma(k + 1) + K.lgamma(n - k + 1)
