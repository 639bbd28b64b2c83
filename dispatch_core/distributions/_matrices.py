"""Distributions that are given by a covariance, its inverse or its factor, and products with triangles."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions._core import K, linalg
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.utils import lazy_property, shape_of


class ByScaleMatrix(Distribution):
    """A distribution with the parameter `covariance_matrix`, `precision_matrix` or `scale_tril`."""

    _factor: Any
    """The lower Cholesky factor of the covariance, whose batch is as small as that of the parameter."""

    def _one_matrix(self, covariance: Any, precision: Any, factor: Any) -> tuple[str, Any]:
        """The matrix that was given, with its name; ValueError unless there is exactly one."""
        names = ("covariance_matrix", "precision_matrix", "scale_tril")
        matrices = zip(names, (covariance, precision, factor), strict=True)
        given = [(name, matrix) for name, matrix in matrices if matrix is not None]
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
            )
        name, matrix = given[0]
        if matrix.ndim < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions, but "
                f"got {tuple(matrix.shape)}"
            )
        return name, matrix

    def _set_factor(self, name: str, matrix: Any) -> None:
        if name == "covariance_matrix":
            matrix = linalg.cholesky(matrix)
        elif name == "precision_matrix":
            matrix = factor_of_inverse(matrix)
        self._factor = matrix

    def _whole(self, matrix: Any) -> Any:
        return K.expand(matrix, shape_of(self.batch_shape, matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Any:
        """The lower Cholesky factor of the covariance."""
        return self._whole(self._factor)

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        return self._whole(self._factor @ self._factor.mT)

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        return self._whole(K.cholesky_inverse(self._factor))


def factor_of_inverse(matrix: Any) -> Any:
    """The lower Cholesky factor of the inverse of a matrix.

    That of the matrix in reverse order, reversed again, is an upper factor, whose inverse it is.
    """
    reverse = (-2, -1)
    upper = K.flip(linalg.cholesky(K.flip(matrix, reverse)), reverse).mT
    one = K.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    return linalg.solve_triangular(upper, K.expand(one, matrix.shape), upper=False)


def squared_length(factor: Any, x: Any) -> Any:
    """x^T (factor factor^T)^-1 x for a lower triangular factor, whose batch and that of x broadcast."""
    if factor.ndim == 2:  # one solution for all vectors
        rows = K.reshape(x, (-1, x.shape[-1]))
        solved = linalg.solve_triangular(factor, rows.mT, upper=False)
        return K.reshape(K.sum(solved * solved, -2), x.shape[:-1])
    solved = linalg.solve_triangular(factor, K.unsqueeze(x, -1), upper=False)
    return K.sum(solved * solved, (-2, -1))


def log_diagonal(factor: Any) -> Any:
    """The logarithm of the determinant of a triangular matrix with positive diagonal."""
    return K.sum(K.log(K.diagonal(factor, 0, -2, -1)), -1)
