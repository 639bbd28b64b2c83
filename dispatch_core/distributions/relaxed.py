"""Continuous relaxations of Bernoulli and one-hot variables (Maddison et al. 2017, Jang et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, broadcast_shapes
from dispatch_core.distributions._either import ByProbsOrLogits, OverCategorical
from dispatch_core.distributions.categorical import Categorical
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.transforms import ExpTransform, SigmoidTransform, Transform
from dispatch_core.distributions.utils import clamp_probs, shape_of, softplus

__all__ = [
    "ExpRelaxedCategorical",
    "LogitRelaxedBernoulli",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
]


class LogitRelaxedBernoulli(ByProbsOrLogits):
    """The log-odds of a relaxed Bernoulli variable: logistic with mean logits / temperature.

    Args:
        temperature: towards 0 the sigmoid of a sample becomes 0 or 1.
        probs: the probability of 1.
        logits: its log-odds; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        self._begin(validate_args, **self._either(probs, logits))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        param = self._param
        u = clamp_probs(K.rand(shape, dtype=param.dtype, device=param.device))
        p = clamp_probs(self.probs)
        return (K.log(u) - K.log1p(-u) + K.log(p) - K.log1p(-p)) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = self.logits - value * self.temperature
        scale = _log(self.temperature, distance)
        return scale + distance - 2 * softplus(distance)


def _log(temperature: Any, like: Any) -> Any:
    if not isinstance(temperature, Tensor):
        temperature = K.full((), temperature, dtype=like.dtype, device=like.device)
    return K.log(temperature)


class _Relaxed(TransformedDistribution):
    """A relaxed variable: what its logarithm, or log-odds, becomes by a transform."""

    has_rsample = True
    _of: Any
    """The class of the untransformed variable."""
    _by: type[Transform]

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = self._of(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, self._by(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """The temperature."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The log-odds, or the logarithms of probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probability of 1, or the probabilities, normalised."""
        return self.base_dist.probs


class RelaxedBernoulli(_Relaxed):
    """Numbers in (0, 1), near 0 or 1 for low temperatures.

    Args:
        temperature: towards 0 samples become 0 or 1.
        probs: the probability of 1.
        logits: its log-odds; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given.

    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    _of = LogitRelaxedBernoulli
    _by = SigmoidTransform


class ExpRelaxedCategorical(OverCategorical):
    """The logarithms of a relaxed one-hot vector: logits plus Gumbel noise, over the temperature, normalised.

    Args:
        temperature: towards 0 the exponential of a sample becomes one-hot.
        probs: weights of the categories along the last dimension.
        logits: their logarithms; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given, with at least one dimension.

    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self.temperature = temperature
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = shape_of(sample_shape, self.param_shape)
        u = clamp_probs(K.rand(shape, dtype=self.logits.dtype, device=self.logits.device))
        scores = (self.logits - K.log(-K.log(u))) / self.temperature
        return scores - K.logsumexp(scores, -1, True)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.event_shape[0]
        shape = broadcast_shapes(tuple(self.logits.shape), tuple(value.shape))
        scores = K.expand(self.logits, shape) - value * self.temperature
        scores = K.sum(scores - K.logsumexp(scores, -1, True), -1)
        factorial = K.lgamma(K.full_like(scores, n))
        return scores + factorial + (n - 1) * _log(self.temperature, scores)


class RelaxedOneHotCategorical(_Relaxed):
    """Points of the simplex, near a corner for low temperatures.

    Args:
        temperature: towards 0 samples become one-hot.
        probs: weights of the categories along the last dimension.
        logits: their logarithms; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given, with at least one dimension.

    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    _of = ExpRelaxedCategorical
    _by = ExpTransform
