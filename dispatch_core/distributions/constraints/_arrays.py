"""Constraints of vectors and matrices."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions._core import K, all_true, bool_, finfo, linalg
from dispatch_core.distributions.constraints._base import Constraint, over_event

SUM_TOLERANCE = 1e-6


class _OfVectors(Constraint):
    event_dim = 1


class _OfMatrices(Constraint):
    event_dim = 2


class OneHot(_OfVectors):
    """Vectors of zeros and one 1."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        binary = (value == 0) | (value == 1)
        return binary.all(-1) & (value.sum(-1) == 1)


class Simplex(_OfVectors):
    """Vectors of numbers >= 0 with sum 1, up to 1e-6."""

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < SUM_TOLERANCE)


class Multinomial(_OfVectors):
    """Vectors of counts with a sum of at most `upper_bound`."""

    is_discrete = True

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


class LowerTriangular(_OfMatrices):
    """Square matrices with zeros above the diagonal."""

    def check(self, value: Any) -> Any:
        return over_event(K.tril(value) == value, 2)


class LowerCholesky(LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Any) -> Any:
        return super().check(value) & (K.diagonal(value, 0, -2, -1) > 0).all(-1)


class CorrCholesky(LowerCholesky):
    """Cholesky factors of correlation matrices: lower triangular ones whose rows have norm 1."""

    def check(self, value: Any) -> Any:
        tolerance = finfo(value.dtype).eps * value.shape[-1] * 10
        norms = K.sqrt((value.detach() * value.detach()).sum(-1))
        return super().check(value) & ((norms - 1).abs() <= tolerance).all(-1)


class Square(_OfMatrices):
    """Square matrices."""

    def check(self, value: Any) -> Any:
        square = value.shape[-2] == value.shape[-1]
        return K.full(value.shape[:-2], square, dtype=bool_, device=value.device)


class Symmetric(Square):
    """Symmetric matrices, up to 1e-6."""

    def check(self, value: Any) -> Any:
        square = super().check(value)
        if value.shape[-2] != value.shape[-1]:
            return square
        return over_event(K.isclose(value, value.mT, atol=SUM_TOLERANCE), 2)


class PositiveSemidefinite(Symmetric):
    """Symmetric matrices without negative eigenvalues."""

    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        if not all_true(symmetric):
            return symmetric
        return (linalg.eigvalsh(value) >= 0).all(-1)


class PositiveDefinite(Symmetric):
    """Symmetric matrices with positive eigenvalues: those that have a Cholesky factor."""

    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        if not all_true(symmetric):
            return symmetric
        return linalg.cholesky_ex(value).info == 0
