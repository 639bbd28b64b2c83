"""Distributions with heavy tails: Cauchy's, its half, Student's t."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor
from dispatch_core.distributions._folded import Folded
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.gamma import Chi2
from dispatch_core.distributions.utils import standard_normal, standard_uniform

__all__ = ["Cauchy", "HalfCauchy", "StudentT"]


class Cauchy(Distribution):
    """Cauchy's (Lorentz's) distribution, which has no mean: the ratio of two normal numbers.

    Args:
        loc: the median.
        scale: half the width at half the height.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    loc: Any
    scale: Any

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return K.full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return K.full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.icdf(standard_uniform(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -math.log(math.pi) - K.log(self.scale) - K.log1p(z * z)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return K.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return K.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + K.log(self.scale)


class HalfCauchy(Folded):
    """|x| of a Cauchy x with median 0.

    Args:
        scale: the scale of x.
        validate_args: as in `Distribution`.

    """

    _of = Cauchy

    @property
    def mean(self) -> Tensor:
        return K.full_like(self.scale, math.inf)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance


class StudentT(Distribution):
    """Student's t: a normal number over the root of a chi-squared one that is divided by `df`.

    Args:
        df: the degrees of freedom.
        loc: the median.
        scale: the scale.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True
    df: Any
    loc: Any
    scale: Any

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self._begin(validate_args, df=df, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return K.where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        df = K.where(self.df > 2, self.df, 3.0)
        finite = self.scale**2 * df / (df - 2)
        return K.where(self.df > 2, finite, K.where(self.df > 1, math.inf, math.nan))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        x = standard_normal(shape, self.df.dtype, self.df.device)
        z = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * x * K.rsqrt(z / self.df)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -0.5 * (self.df + 1) * K.log1p(z * z / self.df) - self._log_norm

    @property
    def _log_norm(self) -> Any:
        half = 0.5 * self.df
        gammas = K.lgamma(half) - K.lgamma(half + 0.5)
        return K.log(self.scale) + 0.5 * K.log(self.df) + 0.5 * math.log(math.pi) + gammas

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        return self._log_norm + (half + 0.5) * (K.digamma(half + 0.5) - K.digamma(half))
