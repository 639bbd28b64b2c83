"""Distributions of matrices: Wishart's over covariances, LKJ over factors of correlations."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from numbers import Number
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import (
    K,
    Tensor,
    any_true,
    as_tensor,
    broadcast_shapes,
    finfo,
    linalg,
)
from dispatch_core.distributions._matrices import ByScaleMatrix, log_diagonal
from dispatch_core.distributions.beta import Beta
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.gamma import Chi2
from dispatch_core.distributions.utils import broadcast_all, standard_normal

__all__ = ["LKJCholesky", "Wishart"]


class Wishart(ByScaleMatrix, ExponentialFamily):
    """The sum of `df` outer products x x^T of normal vectors with mean 0.

    Args:
        df: the degrees of freedom, more than the dimension less 1; they need not be whole.
        covariance_matrix: the covariance of the vectors,
        precision_matrix: its inverse, or
        scale_tril: its lower Cholesky factor; one of the three is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one matrix is given, and for too few degrees of freedom; warns of
    those below the dimension.

    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = self._one_matrix(covariance_matrix, precision_matrix, scale_tril)
        if isinstance(df, Number):
            df = as_tensor(df, dtype=matrix.dtype, device=matrix.device)
        n = matrix.shape[-1]
        if any_true(df <= n - 1):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        batch = broadcast_shapes(tuple(matrix.shape[:-2]), tuple(df.shape))
        setattr(self, name, K.expand(matrix, (*batch, -1, -1)))
        self.df = K.expand(df, batch)
        if any_true(df < n):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < "
                "ndim.",
                stacklevel=2,
            )
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        self._set_factor(name, matrix)

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The degrees of freedom are bounded by the dimension."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._n - 1),
        }

    @property
    def _n(self) -> int:
        return self.event_shape[-1]

    def _of_df(self, df: Any) -> Any:
        return K.reshape(df, (*self.batch_shape, 1, 1))

    @property
    def mean(self) -> Tensor:
        return self._of_df(self.df) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._n - 1
        return self._of_df(K.where(factor > 0, factor, math.nan)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        covariance = self.covariance_matrix
        diagonal = K.diagonal(covariance, 0, -2, -1)
        outer = K.unsqueeze(diagonal, -1) * K.unsqueeze(diagonal, -2)
        return self._of_df(self.df) * (covariance**2 + outer)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        """Samples by Bartlett's decomposition: L A A^T L^T with a triangle of normal numbers."""
        shape = self._extended_shape(sample_shape)
        steps = K.arange(self._n, dtype=self.df.dtype, device=self.df.device)
        squares = Chi2(K.unsqueeze(self.df, -1) - steps, validate_args=False).rsample(sample_shape)
        noise = standard_normal(shape, self.df.dtype, self.df.device)
        product = self._factor @ (K.tril(noise, -1) + K.diag_embed(K.sqrt(squares)))
        return product @ product.mT

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        half, n = self.df / 2, self._n
        factor = linalg.cholesky(value)
        distances = linalg.solve_triangular(
            K.expand(self._factor, factor.shape), factor, upper=False
        )
        log_norm = half * (n * math.log(2) + 2 * log_diagonal(self._factor)) + K.mvlgamma(half, n)
        weights = (self.df - n - 1) * log_diagonal(factor)
        return weights - 0.5 * K.sum(distances * distances, (-2, -1)) - log_norm

    def entropy(self) -> Tensor:
        half, n = self.df / 2, self._n
        log_det = 2 * log_diagonal(self._factor)
        mean_log_det = self._digammas(half) + n * math.log(2) + log_det
        log_norm = half * (n * math.log(2) + log_det) + K.mvlgamma(half, n)
        return log_norm - (self.df - n - 1) / 2 * mean_log_det + self.df * n / 2

    def _digammas(self, half: Any) -> Any:
        """The derivative of the multivariate lgamma."""
        steps = K.arange(self._n, dtype=half.dtype, device=half.device) / 2
        return K.sum(K.digamma(K.unsqueeze(half, -1) - steps), -1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._n - 1) / 2

    def _log_normalizer(self, *natural_params: Any) -> Any:
        first, second = natural_params
        n = self._n
        half = second + (n + 1) / 2
        return half * (n * math.log(2) - linalg.slogdet(-2 * first)[1]) + K.mvlgamma(half, n)


class LKJCholesky(Distribution):
    """Lower Cholesky factors of correlation matrices C, with density of C proportional to det(C)^(eta - 1).

    Samples by the onion method (Lewandowski, Kurowicka and Joe 2009).

    Args:
        dim: the dimension of the matrices.
        concentration: eta; 1 for all correlations alike, larger for weak ones.
        validate_args: as in `Distribution`.

    Raises ValueError for a dimension below 2.

    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        eta = self.concentration.detach()
        rows = K.clamp(K.arange(-1, self.dim - 1, dtype=eta.dtype, device=eta.device), 0)
        eta = K.unsqueeze(eta + (self.dim - 2) / 2, -1)
        lengths = Beta((rows + 1) / 2, eta - rows / 2, validate_args=False).sample(sample_shape)
        shape = self._extended_shape(sample_shape)
        below = K.tril(standard_normal(shape, eta.dtype, eta.device), -1)
        norms = K.sqrt(K.sum(below * below, -1, True))
        directions = K.where(norms > 0, below / K.where(norms > 0, norms, 1.0), 0.0)
        w = K.unsqueeze(K.sqrt(lengths), -1) * directions
        rest = K.clamp(1 - K.sum(w * w, -1), finfo(w.dtype).tiny)
        return w + K.diag_embed(K.sqrt(rest))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        eta, n = self.concentration, self.dim
        diagonal = K.diagonal(value, 0, -2, -1)[..., 1:]
        order = K.arange(2, n + 1, dtype=eta.dtype, device=eta.device)
        powers = 2 * (eta - 1)
        weights = K.sum((K.unsqueeze(powers, -1) + n - order) * K.log(diagonal), -1)
        alpha = eta + 0.5 * (n - 1)
        log_norm = 0.5 * (n - 1) * math.log(math.pi) + K.mvlgamma(alpha - 0.5, n - 1)
        return weights - log_norm + (n - 1) * K.lgamma(alpha)
