"""Transforms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import F, K, Size, finfo, linalg
from dispatch_core.distributions.transforms._base import FixedTransform, Transform, checked_shape
from dispatch_core.distributions.transforms._numbers import clipped_sigmoid
from dispatch_core.distributions.utils import softplus, tril_matrix_to_vec, vec_to_tril_matrix


class ReshapeTransform(Transform):
    """Events of one shape become events of another with as many elements.

    Args:
        in_shape: the shape of events before.
        out_shape: the shape of events after.
        cache_size: as in `Transform`.

    Raises ValueError where the shapes have different numbers of elements.

    """

    bijective = True

    def __init__(
        self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0
    ) -> None:
        self.in_shape = Size(in_shape)
        self.out_shape = Size(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ValueError(
                "in_shape, out_shape have different numbers of elements: "
                f"{tuple(in_shape)} and {tuple(out_shape)}"
            )
        super().__init__(cache_size=cache_size)

    @property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Any) -> Any:
        return K.reshape(x, (*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Any) -> Any:
        return K.reshape(y, (*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        batch = x.shape[: x.ndim - len(self.in_shape)]
        return K.zeros(batch, dtype=x.dtype, device=x.device)

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return _exchanged(shape, self.out_shape, self.in_shape)


def _exchanged(shape: Sequence[int], old: Size, new: Size) -> Size:
    shape = checked_shape(shape, len(old))
    cut = len(shape) - len(old)
    if tuple(shape[cut:]) != tuple(old):
        raise ValueError(f"Shape mismatch: expected {tuple(shape[cut:])} but got {tuple(old)}")
    return Size((*shape[:cut], *new))


class SoftmaxTransform(FixedTransform):
    """y = exp(x) scaled to sum 1: the simplex, for optimisation; not one to one (log is an inverse)."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Any) -> Any:
        return K.softmax(x, -1)

    def _inverse(self, y: Any) -> Any:
        return K.log(y)

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return checked_shape(shape, 1)

    inverse_shape = forward_shape


class StickBreakingTransform(FixedTransform):
    """n numbers to a point of the simplex of n + 1: each takes a share, by a sigmoid, of what is left.

    Shifted such that 0 gives the centre.
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _call(self, x: Any) -> Any:
        share = clipped_sigmoid(x - _log_left(x))
        left = K.cumprod(1 - share, -1)
        return F.pad(share, [0, 1], value=1) * F.pad(left, [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        first = y[..., :-1]
        left = K.clamp(1 - K.cumsum(first, -1), finfo(y.dtype).tiny)
        return K.log(first) - K.log(left) + _log_left(first)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        x = x - _log_left(x)
        return K.sum(-x + F.logsigmoid(x) + K.log(y[..., :-1]), -1)

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        shape = checked_shape(shape, 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        shape = checked_shape(shape, 1)
        return Size((*shape[:-1], shape[-1] - 1))


def _log_left(x: Any) -> Any:
    """log(n), log(n - 1), ... log(1): how many coordinates are left after each."""
    return K.log(K.arange(x.shape[-1], 0, -1, dtype=x.dtype, device=x.device))


class CorrCholeskyTransform(FixedTransform):
    """d (d - 1) / 2 numbers to the Cholesky factor of a d x d correlation matrix.

    Their hyperbolic tangents are, row by row, shares of what is left of the row's length 1 (Stan's
    reference manual, "Cholesky factors of correlation matrices").
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        x = K.tanh(x)
        eps = finfo(x.dtype).eps
        x = K.clamp(x, -1 + eps, 1 - eps)
        share = vec_to_tril_matrix(x, diag=-1)
        left = K.cumprod(K.sqrt(1 - share * share), -1)
        share = share + K.eye(share.shape[-1], dtype=share.dtype, device=share.device)
        return share * F.pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        left = F.pad(1 - K.cumsum(y * y, -1)[..., :-1], [1, 0], value=1)
        share = tril_matrix_to_vec(y, diag=-1) / K.sqrt(tril_matrix_to_vec(left, diag=-1))
        return (K.log1p(share) - K.log1p(-share)) / 2

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        left = tril_matrix_to_vec(1 - K.cumsum(y * y, -1), diag=-2)
        of_lengths = 0.5 * K.sum(K.log(left), -1)
        of_tanh = -2 * K.sum(x + softplus(-2 * x) - math.log(2.0), -1)
        return of_lengths + of_tanh

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        shape = checked_shape(shape, 1)
        count = shape[-1]
        d = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if d * (d - 1) // 2 != count:
            raise ValueError(
                f"Input is not a flattened lower-diagonal number: expected 1, 3, 6, 10, ..., got {count}"
            )
        return Size((*shape[:-1], d, d))

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        shape = checked_shape(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError(f"Input is not square: {tuple(shape)}")
        d = shape[-1]
        return Size((*shape[:-2], d * (d - 1) // 2))


class LowerCholeskyTransform(FixedTransform):
    """The lower triangle of a matrix with the exponentials of its diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Any) -> Any:
        return K.tril(x, -1) + K.diag_embed(K.exp(K.diagonal(x, 0, -2, -1)))

    def _inverse(self, y: Any) -> Any:
        return K.tril(y, -1) + K.diag_embed(K.log(K.diagonal(y, 0, -2, -1)))


class PositiveDefiniteTransform(FixedTransform):
    """The product of the Cholesky factor that `LowerCholeskyTransform` gives with its transpose."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Any) -> Any:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(linalg.cholesky(y))
