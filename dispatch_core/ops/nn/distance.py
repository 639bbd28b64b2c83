"""Distances and similarities of vectors."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._families.base import FLOATING, INEXACT, NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes, check_dim
from dispatch_core._tensor import Tensor

F = "nn.functional"


def power_norm(x: Tensor, p: float, dim: int, keepdim: bool) -> Tensor:
    """(sum of |x|^p)^(1/p) along a dimension; the derivative at 0 is 0."""
    if x.is_complex():
        x = K.abs(x)
    if p == 2:
        # The zeros are kept away from the square root, whose slope there is infinite.
        total = K.sum(K.square(x), dim, keepdim)
        zero = K.eq(total, 0)
        return K.where(zero, 0.0, K.sqrt(K.where(zero, 1.0, total)))
    if p == 1:
        return K.sum(K.abs(x), dim, keepdim)
    if math.isinf(p):
        return (K.amax if p > 0 else K.amin)(K.abs(x), dim, keepdim)
    if p == 0:
        return K.cast(K.sum(K.ne(x, 0), dim, keepdim), x.dtype)
    total = K.sum(K.pow(K.abs(x), p), dim, keepdim)
    zero = K.eq(total, 0)
    return K.where(zero, 0.0, K.pow(K.where(zero, 1.0, total), 1 / p))


@composite(
    custom(NUMBERS, samples=lambda make: [(make(3, 4), make(3, 4)), (make(4), make(4), 1.0)]),
    aliases=("nn.functional.pairwise_distance",),
    method=False,
)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension."""
    return power_norm(x1 - x2 + eps, p, -1, keepdim)


@composite(
    custom(
        FLOATING,
        promotes=True,
        samples=lambda make: [(make(3, 4), make(3, 4)), (make(2, 3, 4), make(3, 4), -1)],
    ),
    aliases=("nn.functional.cosine_similarity",),
    method=False,
)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between two tensors along `dim`; norms count as at least `eps`."""
    shape = broadcast_shapes(x1.shape, x2.shape)
    dim = check_dim(dim, len(shape))
    if eps < 0:
        raise RuntimeError(f"eps must be non-negative, got: {eps}")
    vectors = [K.expand(x, shape) for x in (x1, x2)]
    units: list[Any] = [x / K.maximum(power_norm(x, 2, dim, True), eps) for x in vectors]
    return K.sum(units[0] * units[1], dim)


@composite(
    custom(INEXACT, samples=lambda make: [(make(3, 4),), (make(3, 4), 1.0, 0)]),
    namespace=F,
    out=True,
)
def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """The vectors along `dim` divided by their p-norm, or by `eps` where that is smaller."""
    return input / K.maximum(power_norm(input, p, dim, True), eps)


@composite(
    custom(FLOATING, samples=lambda make: [(make(4, 3),), (make(3, 2), 1.0)]),
    aliases=("nn.functional.pdist",),
    method=False,
)
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of all pairs of rows (i < j) of (N, D), N (N - 1) / 2 of them."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    n = input.shape[0]
    row = K.unsqueeze(K.storage_index(input, n), 1)
    column = K.storage_index(input, n)
    pairs = K.nonzero_static(K.lt(row, column), size=n * (n - 1) // 2)
    a, b = (K.index_select(input, 0, K.select(pairs, 1, i)) for i in (0, 1))
    return power_norm(a - b, p, -1, False)
