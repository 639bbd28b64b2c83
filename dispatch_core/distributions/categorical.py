"""Draws from a finite number of categories: by number, as a one-hot vector, counted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import F, K, Tensor, broadcast_shapes, finfo, int64, no_grad
from dispatch_core.distributions._either import ByCategories, OverCategorical
from dispatch_core.distributions.counts import Binomial
from dispatch_core.distributions.utils import shape_of

__all__ = ["Categorical", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough"]

_CONSTRAINTS = {"probs": constraints.simplex, "logits": constraints.real_vector}


class Categorical(ByCategories):
    """The number of a category, from 0 on.

    Args:
        probs: weights of the categories along the last dimension, which are normalised.
        logits: their logarithms, which are normalised; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given, with at least one dimension.

    """

    arg_constraints = _CONSTRAINTS
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._begin_categories(probs, logits, validate_args)

    @property
    def _num_events(self) -> int:
        return self._param.shape[-1]

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """Integers below the number of categories."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return self._undefined()

    @property
    def mode(self) -> Tensor:
        return K.argmax(self.probs, -1)

    @property
    def variance(self) -> Tensor:
        return self._undefined()

    def _undefined(self) -> Any:
        param = self._param
        return K.full(self._extended_shape(), math.nan, dtype=param.dtype, device=param.device)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        rows = K.reshape(self.probs.detach(), (-1, self._num_events))
        count = math.prod(sample_shape)
        if count == 0 or rows.shape[0] == 0:
            return K.zeros(shape, dtype=int64, device=rows.device)
        return K.reshape(K.multinomial(rows, count, True).mT, shape)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        places = K.unsqueeze(K.cast(value, int64), -1)
        shape = broadcast_shapes(tuple(places.shape[:-1]), tuple(self.logits.shape[:-1]))
        logs = K.expand(self.logits, (*shape, self._num_events))
        return K.squeeze(K.gather(logs, -1, K.expand(places, (*shape, 1))), -1)

    def entropy(self) -> Tensor:
        logs = K.clamp(self.logits, finfo(self.logits.dtype).min)
        return -K.sum(logs * self.probs, -1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = K.arange(self._num_events, dtype=int64, device=self._param.device)
        return self._enumerated(values, expand)


class OneHotCategorical(OverCategorical):
    """A vector of zeros with a 1 at the place of the category.

    Args:
        probs: weights of the categories along the last dimension, which are normalised.
        logits: their logarithms, which are normalised; one of the two is given.
        validate_args: as in `Distribution`.

    Raises ValueError unless exactly one of `probs` and `logits` is given, with at least one dimension.

    """

    arg_constraints = _CONSTRAINTS
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _one_hot(self, places: Any) -> Any:
        return K.cast(F.one_hot(places, self.event_shape[0]), self.probs.dtype)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(K.argmax(value, -1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self.event_shape[0]
        return self._enumerated(K.eye(n, dtype=self.probs.dtype, device=self.probs.device), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """A one-hot vector whose gradient is that of `probs`: straight through (Bengio et al. 2013)."""

    has_rsample = True

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(OverCategorical):
    """How often each category comes up in `total_count` draws.

    Args:
        total_count: the number of draws, one int for the whole batch.
        probs: weights of the categories along the last dimension, which are normalised.
        logits: their logarithms, which are normalised; one of the two is given.
        validate_args: as in `Distribution`.

    Raises NotImplementedError for a tensor of counts; ValueError for a negative count, and unless
    exactly one of `probs` and `logits` is given, with at least one dimension.

    """

    arg_constraints = _CONSTRAINTS

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError(
                "inhomogeneous total_count is not supported: expected an int, got "
                f"{type(total_count).__name__}"
            )
        if total_count < 0:
            raise ValueError(f"expected a total_count of at least 0, but got {total_count}")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts that are `total_count` together."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with no_grad():
            places = self._categorical.sample(shape_of((self.total_count,), sample_shape))
            places = K.movedim(places, 0, -1)
            shape = self._extended_shape(sample_shape)
            counts = K.zeros(shape, dtype=self.probs.dtype, device=self.probs.device)
            return K.scatter_add(counts, -1, places, K.ones_like(places, dtype=counts.dtype))

    def entropy(self) -> Tensor:
        n = K.full_like(self.probs[..., 0], self.total_count)
        single = Binomial(self.total_count, probs=self.probs)
        counts = single.enumerate_support(expand=False)[1:]
        weights = K.exp(single.log_prob(counts)) * K.lgamma(counts + 1)
        return n * self._categorical.entropy() - K.lgamma(n + 1) + K.sum(weights, (0, -1))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        ways = K.lgamma(K.sum(value, -1) + 1) - K.sum(K.lgamma(value + 1), -1)
        impossible = (value == 0) & (self.logits == -math.inf)
        return ways + K.sum(K.where(impossible, 0.0, self.logits) * value, -1)
