"""Normal distributions of vectors: with any covariance, and with one of low rank beside a diagonal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, broadcast_shapes, linalg
from dispatch_core.distributions._matrices import (
    ByScaleMatrix,
    log_diagonal,
    squared_length,
)
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.utils import lazy_property, shape_of, standard_normal

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal"]

_LOG_2PI = math.log(2 * math.pi)


class MultivariateNormal(ByScaleMatrix):
    """The normal distribution of vectors.

    Args:
        loc: the mean, a vector along the last dimension.
        covariance_matrix: the covariance,
        precision_matrix: its inverse, or
        scale_tril: its lower Cholesky factor, which is what computes fastest; one of the three is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one matrix is given, or where one has too few dimensions.

    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError(f"loc must be at least one-dimensional, but got {loc}.")
        name, matrix = self._one_matrix(covariance_matrix, precision_matrix, scale_tril)
        batch = broadcast_shapes(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1]))
        setattr(self, name, K.expand(matrix, (*batch, -1, -1)))
        self.loc = K.expand(loc, (*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._set_factor(name, matrix)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        variance = K.sum(self._factor * self._factor, -1)
        return K.expand(variance, self._extended_shape())

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        eps = standard_normal(shape, self.loc.dtype, self.loc.device)
        return self.loc + K.squeeze(self._factor @ K.unsqueeze(eps, -1), -1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = squared_length(self._factor, value - self.loc)
        return -0.5 * (self.event_shape[0] * _LOG_2PI + distance) - log_diagonal(self._factor)

    def entropy(self) -> Tensor:
        entropy = 0.5 * self.event_shape[0] * (1 + _LOG_2PI) + log_diagonal(self._factor)
        return K.expand(entropy, self.batch_shape)


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors with covariance cov_factor cov_factor^T + diag(cov_diag).

    For factors (n, m) with small m everything is computed with m x m matrices (Woodbury's identity, the
    matrix determinant lemma).

    Args:
        loc: the mean, n numbers along the last dimension.
        cov_factor: matrices (n, m).
        cov_diag: n positive numbers along the last dimension.
        validate_args: as in `Distribution`.

    Raises ValueError for shapes that do not fit.

    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None
    ) -> None:
        event = loc.shape[-1:]
        _check_low_rank(loc, cov_factor, cov_diag)
        shapes = (tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1]))
        batch = broadcast_shapes(*shapes)
        self.loc = K.expand(loc, (*batch, -1))
        self.cov_factor = K.expand(cov_factor, (*batch, -1, -1))
        self.cov_diag = K.expand(cov_diag, (*batch, -1))
        self._factor = cov_factor
        self._diagonal = cov_diag
        super().__init__(batch, event, validate_args=validate_args)
        self._capacitance = capacitance_factor(cov_factor, cov_diag)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """The diagonal of the covariance."""
        variance = K.sum(self._factor * self._factor, -1) + self._diagonal
        return K.expand(variance, self._extended_shape())

    def _whole(self, matrix: Any) -> Any:
        return K.expand(matrix, shape_of(self.batch_shape, self.event_shape, self.event_shape))

    @lazy_property
    def scale_tril(self) -> Any:
        """The lower Cholesky factor of the covariance."""
        root = K.unsqueeze(K.sqrt(self._diagonal), -1)
        scaled = self._factor / root
        inner = scaled @ scaled.mT
        inner = inner + K.eye(inner.shape[-1], dtype=inner.dtype, device=inner.device)
        return self._whole(root * linalg.cholesky(inner))

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        return self._whole(self._factor @ self._factor.mT + K.diag_embed(self._diagonal))

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        scaled = self._factor.mT / K.unsqueeze(self._diagonal, -2)
        inner = linalg.solve_triangular(self._capacitance, scaled, upper=False)
        return self._whole(K.diag_embed(1 / self._diagonal) - inner.mT @ inner)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        place = self.loc.dtype, self.loc.device
        along = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), *place)
        beside = standard_normal(shape, *place)
        low = K.squeeze(self._factor @ K.unsqueeze(along, -1), -1)
        return self.loc + low + K.sqrt(self._diagonal) * beside

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = low_rank_distance(
            self._factor, self._diagonal, value - self.loc, self._capacitance
        )
        return -0.5 * (self.event_shape[0] * _LOG_2PI + self._log_determinant + distance)

    @property
    def _log_determinant(self) -> Any:
        return 2 * log_diagonal(self._capacitance) + K.sum(K.log(self._diagonal), -1)

    def entropy(self) -> Tensor:
        entropy = 0.5 * (self.event_shape[0] * (1 + _LOG_2PI) + self._log_determinant)
        return K.expand(entropy, self.batch_shape)


def _check_low_rank(loc: Any, cov_factor: Any, cov_diag: Any) -> None:
    if loc.ndim < 1:
        raise ValueError(f"loc must be at least one-dimensional, but got {loc}.")
    event = loc.shape[-1:]
    if cov_factor.ndim < 2:
        raise ValueError(
            "cov_factor must be at least two-dimensional, with optional leading batch dimensions, but "
            f"got {tuple(cov_factor.shape)}"
        )
    if cov_factor.shape[-2:-1] != event:
        raise ValueError(
            f"cov_factor must be a batch of matrices with shape {event[0]} x m, but got "
            f"{tuple(cov_factor.shape)}"
        )
    if cov_diag.shape[-1:] != event:
        raise ValueError(
            f"cov_diag must be a batch of vectors with shape {event}, but got {tuple(cov_diag.shape)}"
        )


def capacitance_factor(W: Any, D: Any) -> Any:
    """The Cholesky factor of I + W^T D^-1 W."""
    inner = (W.mT / K.unsqueeze(D, -2)) @ W
    return linalg.cholesky(inner + K.eye(inner.shape[-1], dtype=W.dtype, device=W.device))


def low_rank_distance(W: Any, D: Any, x: Any, capacitance: Any) -> Any:
    """x^T (W W^T + diag(D))^-1 x, given the factor of the capacitance matrix (Woodbury)."""
    scaled = x / D
    along = K.squeeze(W.mT @ K.unsqueeze(scaled, -1), -1)
    return K.sum(x * scaled, -1) - squared_length(capacitance, along)
