"""Bernoulli's distribution and its continuous relative."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor
from dispatch_core.distributions._either import ByProbsOrLogits
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.utils import (
    broadcast_all,
    clamp_probs,
    cross_entropy_of_logits,
    standard_uniform,
)

__all__ = ["Bernoulli", "ContinuousBernoulli"]


class Bernoulli(ByProbsOrLogits, ExponentialFamily):
    """1 with probability `probs`, else 0.

    Args:
        probs: the probability of 1.
        logits: its log-odds, log(p / (1 - p)); one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._begin(validate_args, **self._either(probs, logits))

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        mode = K.cast(self.probs >= 0.5, self.probs.dtype)
        return K.where(self.probs == 0.5, math.nan, mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return K.bernoulli(K.expand(self.probs.detach(), shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -cross_entropy_of_logits(*broadcast_all(self.logits, value))

    def entropy(self) -> Tensor:
        return cross_entropy_of_logits(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = K.arange(2, dtype=self._param.dtype, device=self._param.device)
        return self._enumerated(values, expand)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (K.logit(self.probs),)

    def _log_normalizer(self, *natural_params: Any) -> Any:
        return K.log1p(K.exp(natural_params[0]))


class ContinuousBernoulli(ByProbsOrLogits, ExponentialFamily):
    """Numbers in [0, 1] with density proportional to p^x (1 - p)^(1 - x) (Loaiza-Ganem, Cunningham 2019).

    With the log-odds l = log(p / (1 - p)) that is exp(l x), whose integral is (exp(l) - 1) / l.

    Args:
        probs: the parameter p, which is not the mean.
        logits: its log-odds; one of the two is given.
        lims: between these p, where formulas in l lose digits, Taylor series are used.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._lims = lims
        self._begin(validate_args, **self._either(probs, logits))
        if probs is not None:
            self.probs = clamp_probs(self.probs)

    def _by_odds(self, far: Any, near: Any, odds: Any = None) -> Any:
        """far(l) where the log-odds are far from 0, near(l) elsewhere."""
        odds = self.logits if odds is None else odds
        low, high = (math.log(p / (1 - p)) for p in self._lims)
        outside = (odds <= low) | (odds > high)
        return K.where(outside, far(K.where(outside, odds, 1.0)), near(odds))

    def _log_integral(self, odds: Any) -> Any:
        """log((exp(l) - 1) / l), even but for the term max(l, 0)."""

        def far(odds: Any) -> Any:
            size = K.abs(odds)
            return K.maximum(odds, 0.0) + K.log(-K.expm1(-size)) - K.log(size)

        return self._by_odds(far, lambda odds: odds / 2 + odds**2 / 24 - odds**4 / 2880, odds)

    @property
    def mean(self) -> Tensor:
        return self._by_odds(
            lambda odds: -1 / K.expm1(-odds) - 1 / odds,
            lambda odds: 0.5 + odds / 12 - odds**3 / 720,
        )

    @property
    def variance(self) -> Tensor:
        def far(odds: Any) -> Any:
            size = K.abs(odds)
            return 1 / odds**2 - K.exp(-size) / K.expm1(-size) ** 2

        return self._by_odds(far, lambda odds: 1 / 12 - odds**2 / 240 + odds**4 / 6048)

    @property
    def stddev(self) -> Tensor:
        return K.sqrt(self.variance)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.icdf(standard_uniform(self._extended_shape(sample_shape), self._param))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self.logits * value - self._log_integral(self.logits)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)

        def far(odds: Any) -> Any:
            size, inner = K.abs(odds), K.clamp(value, 0, 1)
            share = K.expm1(-size * inner) / K.expm1(-size)
            return K.where(odds > 0, K.exp(-size * (1 - inner)), 1.0) * share

        return K.clamp(
            self._by_odds(far, lambda odds: value - odds * value * (1 - value) / 2), 0, 1
        )

    def icdf(self, value: Tensor) -> Tensor:
        def far(odds: Any) -> Any:
            size = K.abs(odds)
            turned = odds > 0
            share, rest = K.where(turned, 1 - value, value), K.where(turned, value, 1 - value)
            near = K.log1p(share * K.expm1(-K.minimum(size, 1.0)))
            log = K.where(size < 1, near, K.log(rest + share * K.exp(-size)))
            return K.where(turned, 1 + log / size, -log / size)

        return self._by_odds(far, lambda odds: value + odds * value * (1 - value) / 2)

    def entropy(self) -> Tensor:
        return self._log_integral(self.logits) - self.logits * self.mean

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Any) -> Any:
        return self._log_integral(natural_params[0])
