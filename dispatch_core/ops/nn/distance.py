"""Distances and similarities of vectors."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


def power_norm(x: Tensor, p: float, dim: int, keepdim: bool) -> Tensor:
    """(sum of |x|^p)^(1/p) along a dimension; the derivative at 0 is 0."""
    if p == 2:
        # The zeros are kept away from the square root, whose slope there is infinite.
        total = K.sum(K.square(x), dim, keepdim)
        zero = K.eq(total, 0)
        return K.where(zero, 0.0, K.sqrt(K.where(zero, 1.0, total)))  # type: ignore[no-any-return]
    if p == 1:
        return K.sum(K.abs(x), dim, keepdim)  # type: ignore[no-any-return]
    if math.isinf(p):
        return (K.amax if p > 0 else K.amin)(K.abs(x), dim, keepdim)  # type: ignore[no-any-return]
    if p == 0:
        return K.cast(K.sum(K.ne(x, 0), dim, keepdim), x.dtype)  # type: ignore[no-any-return]
    total = K.sum(K.pow(K.abs(x), p), dim, keepdim)
    zero = K.eq(total, 0)
    return K.where(zero, 0.0, K.pow(K.where(zero, 1.0, total), 1 / p))  # type: ignore[no-any-return]


@composite(
    custom(FLOATING, samples=lambda make: [(make(3, 4), make(3, 4)), (make(4), make(4), 1.0)]),
    aliases=("nn.functional.pairwise_distance",),
    method=False,
)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension."""
    return power_norm(x1 - x2 + eps, p, -1, keepdim)


@composite(
    custom(FLOATING, samples=lambda make: [(make(3, 4), make(3, 4)), (make(2, 3, 4), make(3, 4), -1)]),
    aliases=("nn.functional.cosine_similarity",),
    method=False,
)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between two tensors along `dim`; norms count as at least `eps`."""
    units: list[Any] = [x / K.maximum(power_norm(x, 2, dim, True), eps) for x in (x1, x2)]
    return K.sum(units[0] * units[1], dim)  # type: ignore[no-any-return]
