"""Distributions of counts: successes, failures, events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import F, K, Tensor, all_true, no_grad
from dispatch_core.distributions._either import ByProbsOrLogits
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.gamma import Gamma
from dispatch_core.distributions.utils import (
    broadcast_all,
    cross_entropy_of_logits,
    softplus,
    standard_uniform,
)

__all__ = ["Binomial", "Geometric", "NegativeBinomial", "Poisson"]


class Binomial(ByProbsOrLogits):
    """Successes among `total_count` trials of probability `probs`.

    Args:
        total_count: the number of trials.
        probs: the probability of success.
        logits: its log-odds; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        _begin_counting(self, total_count, probs, logits, validate_args)

    total_count: Any

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """Integers from 0 to `total_count`."""
        count = self.total_count
        return constraints.integer_interval(0, count.item() if not count.ndim else count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return K.minimum(K.floor((self.total_count + 1) * self.probs), self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return K.binomial(K.expand(self.total_count, shape), K.expand(self.probs, shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        ways = K.lgamma(n + 1) - K.lgamma(value + 1) - K.lgamma(n - value + 1)
        return ways + value * self.logits - n * softplus(self.logits)

    def entropy(self) -> Tensor:
        count = self._common_count("entropy")
        logs = self.log_prob(self._enumerated(self._counts(count), False))
        return -K.sum(K.exp(logs) * logs, 0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerated(self._counts(self._common_count("enumerate_support")), expand)

    def _counts(self, most: int) -> Any:
        return K.arange(most + 1, dtype=self._param.dtype, device=self._param.device)

    def _common_count(self, what: str) -> int:
        least, most = int(K.min(self.total_count)), int(K.max(self.total_count))
        if least != most:
            raise NotImplementedError(
                f"Inhomogeneous total count not supported by `{what}`: it is between {least} and {most}"
            )
        return most


def _begin_counting(
    self: Any, total_count: Any, probs: Any, logits: Any, validate_args: bool | None
) -> None:
    """Set `total_count` and a probability, which broadcast; counts get the dtype of the other."""
    ((name, value),) = self._either(probs, logits).items()
    count, value = broadcast_all(total_count, value)
    if not value.is_floating_point():
        (value,) = broadcast_all(value * 1.0)
    setattr(self, name, value)
    self.total_count = K.cast(count, value.dtype)
    Distribution.__init__(self, value.shape, validate_args=validate_args)


class NegativeBinomial(ByProbsOrLogits):
    """Successes before `total_count` failures, when trials succeed with probability `probs`.

    Args:
        total_count: the number of failures to wait for, which need not be whole.
        probs: the probability of success, below 1.
        logits: its log-odds; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        _begin_counting(self, total_count, probs, logits, validate_args)

    total_count: Any

    @property
    def mean(self) -> Tensor:
        return self.total_count * K.exp(self.logits)

    @property
    def mode(self) -> Tensor:
        return K.clamp(K.floor((self.total_count - 1) * K.exp(self.logits)), 0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / K.sigmoid(-self.logits)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with no_grad():
            rates = Gamma(self.total_count, K.exp(-self.logits), validate_args=False)
            return K.poisson(rates.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        weight = n * F.logsigmoid(-logits) + value * F.logsigmoid(logits)
        ways = K.lgamma(n + value) - K.lgamma(value + 1) - K.lgamma(n)
        return weight + K.where(n + value == 0, 0.0, ways)


class Geometric(ByProbsOrLogits):
    """Failures before the first success, when trials succeed with probability `probs`.

    Args:
        probs: the probability of success, above 0.
        logits: its log-odds; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._begin(validate_args, **self._either(probs, logits))
        if self._validate_args and probs is not None and not all_true(self.probs > 0):
            raise ValueError(
                f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution "
                f"{self!r} to be positive but found invalid values:\n{self.probs}"
            )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return K.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with no_grad():
            u = standard_uniform(self._extended_shape(sample_shape), self.probs)
            return K.floor(K.log(u) / K.log1p(-self.probs))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        certain = (self.probs == 1) & (value == 0)
        failing = K.where(certain, 0.0, self.probs)
        return value * K.log1p(-failing) + K.log(self.probs)

    def entropy(self) -> Tensor:
        return cross_entropy_of_logits(self.logits, self.probs) / self.probs


class Poisson(ExponentialFamily):
    """How many independent events happen when `rate` are expected: rate^k exp(-rate) / k!.

    Args:
        rate: the mean.
        validate_args: as in `Distribution`.

    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    rate: Any

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, rate=rate)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return K.floor(self.rate)

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return K.poisson(K.expand(self.rate.detach(), self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return K.xlogy(value, self.rate) - self.rate - K.lgamma(value + 1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (K.log(self.rate),)

    def _log_normalizer(self, *natural_params: Any) -> Any:
        return K.exp(natural_params[0])
