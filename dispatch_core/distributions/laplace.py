"""Laplace's distribution and Gumbel's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, finfo
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.transforms import AffineTransform, ExpTransform
from dispatch_core.distributions.uniform import Uniform
from dispatch_core.distributions.utils import broadcast_all, euler_constant, standard_uniform

__all__ = ["Gumbel", "Laplace"]

_PARAMETERS = {"loc": constraints.real, "scale": constraints.positive}


class Laplace(Distribution):
    """Exponential to both sides: density exp(-|x - loc| / scale) / (2 scale).

    Args:
        loc: the mean.
        scale: the scale.
        validate_args: as in `Distribution`.

    """

    arg_constraints = _PARAMETERS
    support = constraints.real
    has_rsample = True
    loc: Any
    scale: Any

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale**2

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.icdf(standard_uniform(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -K.log(2 * self.scale) - K.abs(value - self.loc) / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = value - self.loc
        return 0.5 - 0.5 * K.sign(z) * K.expm1(-K.abs(z) / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        term = value - 0.5
        return self.loc - self.scale * K.sign(term) * K.log1p(-2 * K.abs(term))

    def entropy(self) -> Tensor:
        return 1 + K.log(2 * self.scale)


class Gumbel(TransformedDistribution):
    """What the largest of many numbers tends to: loc - scale log(-log(u)) of a uniform u.

    Args:
        loc: the mode.
        scale: the scale.
        validate_args: as in `Distribution`.

    """

    arg_constraints = _PARAMETERS
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = finfo(self.loc.dtype)
        base = Uniform(
            K.full_like(self.loc, limits.tiny),
            K.full_like(self.loc, 1 - limits.eps),
            validate_args=validate_args,
        )
        transforms = [
            ExpTransform().inv,
            AffineTransform(loc=0, scale=-K.ones_like(self.scale)),
            ExpTransform().inv,
            AffineTransform(loc=self.loc, scale=-self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return math.pi**2 / 6 * self.scale**2

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - K.exp(y) - K.log(self.scale)

    def entropy(self) -> Tensor:
        return K.log(self.scale) + (1 + euler_constant)
