"""Distributions over proportions: Dirichlet's, beta, Kumaraswamy's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import F, K, Tensor
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.transforms import AffineTransform, PowerTransform
from dispatch_core.distributions.uniform import Uniform
from dispatch_core.distributions.utils import broadcast_all, euler_constant

__all__ = ["Beta", "Dirichlet", "Kumaraswamy"]

_PARAMETERS = {"concentration1": constraints.positive, "concentration0": constraints.positive}


class Dirichlet(ExponentialFamily):
    """Points of the simplex with density proportional to the product of x_i^(concentration_i - 1).

    Samples are differentiable by the concentrations (implicit reparameterisation).

    Args:
        concentration: one for each coordinate, along the last dimension.
        validate_args: as in `Distribution`.

    Raises ValueError for a concentration without dimensions.

    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ValueError(
                "`concentration` parameter must be at least one-dimensional, but got "
                f"{concentration}; its last dimension are the coordinates"
            )
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def _total(self) -> Any:
        return K.sum(self.concentration, -1, True)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self._total

    @property
    def mode(self) -> Tensor:
        above = K.clamp(self.concentration - 1, 0.0)
        total = K.sum(above, -1, True)
        corner = F.one_hot(K.argmax(above, -1), self.event_shape[0])
        all_below = K.all(self.concentration < 1, -1, True)
        return K.where(all_below, K.cast(corner, above.dtype), above / total)

    @property
    def variance(self) -> Tensor:
        mean = self.mean
        return mean * (1 - mean) / (self._total + 1)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return K.sample_dirichlet(K.expand(self.concentration, self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        weights = K.sum(K.xlogy(self.concentration - 1, value), -1)
        return weights - self._log_normalizer(self.concentration)

    def entropy(self) -> Tensor:
        a, total = self.concentration, K.sum(self.concentration, -1)
        count = self.event_shape[0]
        inner = (count - total) * K.digamma(total) + K.sum((a - 1) * K.digamma(a), -1)
        return self._log_normalizer(a) - inner

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Any) -> Any:
        (a,) = natural_params
        return K.sum(K.lgamma(a), -1) - K.lgamma(K.sum(a, -1))


class Beta(ExponentialFamily):
    """Numbers in (0, 1) with density proportional to x^(concentration1 - 1) (1 - x)^(concentration0 - 1).

    Samples are differentiable by both parameters (implicit reparameterisation).

    Args:
        concentration1: alpha.
        concentration0: beta.
        validate_args: as in `Distribution`.

    """

    arg_constraints = _PARAMETERS
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        both = K.stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args=validate_args)
        super().__init__(self._dirichlet.batch_shape, validate_args=validate_args)

    @property
    def concentration1(self) -> Tensor:
        """Alpha."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """Beta."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        return self._dirichlet.mean[..., 0]

    @property
    def mode(self) -> Tensor:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        return self._dirichlet.variance[..., 0]

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self._dirichlet.log_prob(K.stack((value, 1 - value), -1))

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, *natural_params: Any) -> Any:
        a, b = natural_params
        return K.lgamma(a) + K.lgamma(b) - K.lgamma(a + b)


class Kumaraswamy(TransformedDistribution):
    """Numbers in (0, 1) with cdf 1 - (1 - x^concentration1)^concentration0.

    Args:
        concentration1: a.
        concentration0: b.
        validate_args: as in `Distribution`.

    """

    arg_constraints = _PARAMETERS
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        one = K.ones_like(self.concentration0)
        base = Uniform(K.zeros_like(one), one, validate_args=validate_args)
        transforms = [
            PowerTransform(1 / self.concentration0),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(1 / self.concentration1),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def _moment(self, n: int) -> Any:
        b, shift = self.concentration0, 1 + n / self.concentration1
        return K.exp(K.log(b) + K.lgamma(shift) + K.lgamma(b) - K.lgamma(shift + b))

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        inside = K.exp((K.log(a - 1) - K.log(a * b - 1)) / a)
        return K.where(K.lt(a, 1) | K.lt(b, 1), math.nan, inside)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self._moment(1) ** 2

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = K.digamma(b + 1) + euler_constant
        return (1 - 1 / b) + (1 - 1 / a) * harmonic - K.log(a) - K.log(b)
