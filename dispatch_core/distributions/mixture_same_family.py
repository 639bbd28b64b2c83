"""Mixtures of distributions of one family."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, no_grad
from dispatch_core.distributions.categorical import Categorical
from dispatch_core.distributions.distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A component is drawn, then a value from it.

    Args:
        mixture_distribution: a `Categorical` over the components.
        component_distribution: the components, along the last dimension of its batch.
        validate_args: as in `Distribution`.

    Raises ValueError for other classes, and for batches or numbers of components that do not fit.

    """

    arg_constraints: Any = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Any,
        component_distribution: Any,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                "The Mixture distribution needs to be an instance of "
                "dispatch_core.distributions.Categorical, but got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of "
                "dispatch_core.distributions.Distribution, but got "
                f"{type(component_distribution).__name__}"
            )
        weights, batch = mixture_distribution.batch_shape, component_distribution.batch_shape
        pairs = zip(reversed(weights), reversed(batch[:-1]), strict=False)
        if any(a != b and 1 not in (a, b) for a, b in pairs):
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({weights}) is not compatible with "
                f"`component_distribution.batch_shape`({batch[:-1]})"
            )
        count = mixture_distribution.logits.shape[-1]
        if not batch or batch[-1] != count:
            found = batch[-1] if batch else "none"
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({found})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(
            batch[:-1], component_distribution.event_shape, validate_args=validate_args
        )

    @constraints.dependent_property
    def support(self) -> Any:
        """Values that every component can have."""
        return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """The distribution over the components."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    @property
    def _place(self) -> int:
        """The dimension of the components, counted from the end."""
        return -1 - len(self.event_shape)

    def _weights(self) -> Any:
        probs = self.mixture_distribution.probs
        return K.reshape(probs, (*probs.shape, *[1] * len(self.event_shape)))

    @property
    def mean(self) -> Tensor:
        return K.sum(self._weights() * self.component_distribution.mean, self._place)

    @property
    def variance(self) -> Tensor:
        weights, parts = self._weights(), self.component_distribution
        within = K.sum(weights * parts.variance, self._place)
        distance = parts.mean - K.unsqueeze(self.mean, self._place)
        return within + K.sum(weights * distance**2, self._place)

    def cdf(self, value: Tensor) -> Tensor:
        parts = self.component_distribution.cdf(K.unsqueeze(value, self._place))
        return K.sum(parts * self.mixture_distribution.probs, -1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        parts = self.component_distribution.log_prob(K.unsqueeze(value, self._place))
        logs = K.log_softmax(self.mixture_distribution.logits, -1)
        return K.logsumexp(parts + logs, -1)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            chosen = self.mixture_distribution.expand(self.batch_shape).sample(sample_shape)
            values = self.component_distribution.sample(sample_shape)
            ones = (1,) * len(self.event_shape)
            places = K.reshape(chosen, (*chosen.shape, 1, *ones))
            cut = len(shape) - len(self.event_shape)
            places = K.expand(places, (*shape[:cut], 1, *shape[cut:]))
            return K.squeeze(K.gather(values, self._place, places), self._place)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
        )
