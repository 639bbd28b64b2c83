"""Pareto's distributions and Weibull's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.gamma import Exponential
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.transforms import AffineTransform, ExpTransform, PowerTransform
from dispatch_core.distributions.utils import broadcast_all, euler_constant, standard_uniform

__all__ = ["GeneralizedPareto", "Pareto", "Weibull"]


class Pareto(TransformedDistribution):
    """Numbers from `scale` on that exceed x with probability (scale / x)^alpha.

    Args:
        scale: the least value.
        alpha: the exponent.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        transforms = [ExpTransform(), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        a = K.clamp(self.alpha, 1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = K.clamp(self.alpha, 2)
        return self.scale**2 * a / ((a - 1) ** 2 * (a - 2))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """Numbers from `scale` on."""
        return constraints.greater_than_eq(self.scale)

    def entropy(self) -> Tensor:
        return K.log(self.scale / self.alpha) + (1 + 1 / self.alpha)


class Weibull(TransformedDistribution):
    """Positive numbers that exceed x with probability exp(-(x / scale)^concentration).

    Args:
        scale: lambda.
        concentration: the shape k.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(K.ones_like(self.scale), validate_args=validate_args)
        transforms = [
            PowerTransform(1 / self.concentration),
            AffineTransform(loc=0, scale=self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def concentration_reciprocal(self) -> Tensor:
        """1 / concentration."""
        return 1 / self.concentration

    def _moment(self, n: int) -> Any:
        return K.exp(K.lgamma(1 + n / self.concentration))

    @property
    def mean(self) -> Tensor:
        return self.scale * self._moment(1)

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        return self.scale * ((k - 1) / k) ** (1 / k)

    @property
    def variance(self) -> Tensor:
        return self.scale**2 * (self._moment(2) - self._moment(1) ** 2)

    def entropy(self) -> Tensor:
        k = self.concentration
        return euler_constant * (1 - 1 / k) + K.log(self.scale / k) + 1


class GeneralizedPareto(Distribution):
    """The excess over a threshold: exceeded with probability (1 + concentration z)^(-1 / concentration).

    There z = (x - loc) / scale; for concentration 0 it is exp(-z).

    Args:
        loc: the least value.
        scale: the scale.
        concentration: the shape xi; below 0 values end at loc - scale / xi.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    loc: Any
    scale: Any
    concentration: Any

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self._begin(validate_args, loc=loc, scale=scale, concentration=concentration)

    def _by_shape(self, of_shape: Any, of_zero: Any) -> Any:
        """of_shape(xi) where xi is not about 0, else of_zero."""
        zero = K.isclose(self.concentration, K.zeros_like(self.concentration))
        return K.where(zero, of_zero, of_shape(K.where(zero, 1.0, self.concentration)))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From `loc` on, to loc - scale / xi for negative xi."""
        xi = self.concentration
        below = K.where(xi < 0, xi, -1.0)
        upper = K.where(xi < 0, self.loc - self.scale / below, math.inf)
        return constraints.interval(self.loc, upper)

    @property
    def mean(self) -> Tensor:
        xi = self.concentration
        finite = self.loc + self.scale / (1 - K.where(xi < 1, xi, 0.0))
        return K.where(xi < 1, finite, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        xi = K.where(self.concentration < 0.5, self.concentration, 0.0)
        finite = self.scale**2 / ((1 - xi) ** 2 * (1 - 2 * xi))
        return K.where(self.concentration < 0.5, finite, math.nan)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.icdf(standard_uniform(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        return -K.log(self.scale) - self._by_shape(lambda xi: (1 + 1 / xi) * K.log1p(z * xi), z)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of values beyond this one."""
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        return self._by_shape(lambda xi: -K.log1p(z * xi) / xi, -z)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of values up to this one."""
        return K.log1p(-K.exp(self.log_survival_function(value)))

    def cdf(self, value: Tensor) -> Tensor:
        return -K.expm1(self.log_survival_function(value))

    def icdf(self, value: Tensor) -> Tensor:
        log_rest = K.log1p(-value)
        return self.loc + self.scale * self._by_shape(
            lambda xi: K.expm1(-xi * log_rest) / xi, -log_rest
        )

    def _z(self, value: Any) -> Any:
        return (value - self.loc) / self.scale

    def entropy(self) -> Tensor:
        return K.log(self.scale) + self.concentration + 1
