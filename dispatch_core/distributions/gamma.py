"""The gamma distribution and its relatives: exponential, chi-squared, inverse gamma, F."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, finfo
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.transforms import PowerTransform
from dispatch_core.distributions.utils import standard_uniform

__all__ = ["Chi2", "Exponential", "FisherSnedecor", "Gamma", "InverseGamma"]

_PARAMETERS = {"concentration": constraints.positive, "rate": constraints.positive}


def _at_least_tiny(value: Any) -> Any:
    """Samples that were rounded to 0 become the smallest number, with the gradient that they had."""
    least = K.clamp(value.detach(), finfo(value.dtype).tiny)
    return value + (least - value.detach())


class Gamma(ExponentialFamily):
    """Positive numbers with density proportional to x^(concentration - 1) exp(-rate x).

    Samples are differentiable by both parameters (implicit reparameterisation).

    Args:
        concentration: the shape, alpha.
        rate: the inverse scale, beta.
        validate_args: as in `Distribution`.

    """

    arg_constraints: Any = _PARAMETERS
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    concentration: Any
    rate: Any

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, concentration=concentration, rate=rate)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return K.clamp((self.concentration - 1) / self.rate, 0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        value = K.standard_gamma(K.expand(self.concentration, shape)) / self.rate
        return _at_least_tiny(value)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return K.xlogy(a, rate) + K.xlogy(a - 1, value) - rate * value - K.lgamma(a)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return K.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - K.log(self.rate) + K.lgamma(a) + (1 - a) * K.digamma(a)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Any) -> Any:
        first, second = natural_params
        return K.lgamma(first + 1) - (first + 1) * K.log(-second)


class Chi2(Gamma):
    """The sum of the squares of `df` standard normal numbers: Gamma(df / 2, 1 / 2).

    Args:
        df: the degrees of freedom, which need not be whole.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def _parameter_names(self) -> Iterable[str]:
        return _PARAMETERS

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2


class Exponential(ExponentialFamily):
    """Waiting times: density rate exp(-rate x).

    Args:
        rate: the inverse of the mean.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    rate: Any

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, rate=rate)

    @property
    def mean(self) -> Tensor:
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        return K.zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        return self.rate**-2

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return -K.log(standard_uniform(self._extended_shape(sample_shape), self.rate)) / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return K.log(self.rate) - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -K.expm1(-self.rate * value)

    def icdf(self, value: Tensor) -> Tensor:
        return -K.log1p(-value) / self.rate

    def entropy(self) -> Tensor:
        return 1 - K.log(self.rate)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (-self.rate,)

    def _log_normalizer(self, *natural_params: Any) -> Any:
        return -K.log(-natural_params[0])


class InverseGamma(TransformedDistribution):
    """1 / x of a gamma number x.

    Args:
        concentration: the shape, alpha.
        rate: the inverse scale of x, beta.
        validate_args: as in `Distribution`.

    """

    arg_constraints = _PARAMETERS
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        power = PowerTransform(-K.ones_like(base.rate))
        super().__init__(base, power, validate_args=validate_args)

    def _expanded(self, batch_shape: Any) -> dict[str, Any]:
        state = super()._expanded(batch_shape)
        state["transforms"] = [PowerTransform(-K.ones_like(state["base_dist"].rate))]
        return state

    @property
    def concentration(self) -> Any:
        """The shape."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Any:
        """The inverse scale of the gamma number."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        a = self.concentration
        return K.where(a > 1, self.rate / K.where(a > 1, a - 1, 1.0), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = K.where(self.concentration > 2, self.concentration, 3.0)
        finite = self.rate**2 / ((a - 1) ** 2 * (a - 2))
        return K.where(self.concentration > 2, finite, math.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + K.log(self.rate) + K.lgamma(a) - (1 + a) * K.digamma(a)


class FisherSnedecor(Distribution):
    """Fisher and Snedecor's F: the ratio of two chi-squared numbers, each over its degrees of freedom.

    Args:
        df1: the degrees of freedom of the numerator.
        df2: those of the denominator.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    df1: Any
    df2: Any

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, df1=df1, df2=df2)

    @property
    def mean(self) -> Tensor:
        df2 = K.where(self.df2 > 2, self.df2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return K.where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self) -> Tensor:
        df2 = K.where(self.df2 > 4, self.df2, math.nan)
        above = 2 * df2**2 * (self.df1 + df2 - 2)
        return above / (self.df1 * (df2 - 2) ** 2 * (df2 - 4))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        parts = (Gamma(df / 2, df / 2, validate_args=False) for df in (self.df1, self.df2))
        above, below = (part.rsample(sample_shape) for part in parts)
        return _at_least_tiny(above / below)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b = self.df1 / 2, self.df2 / 2
        ratio = self.df1 / self.df2
        log_norm = K.lgamma(a + b) - K.lgamma(a) - K.lgamma(b)
        power = a * K.log(ratio) + (a - 1) * K.log(value)
        return log_norm + power - (a + b) * K.log1p(ratio * value)
