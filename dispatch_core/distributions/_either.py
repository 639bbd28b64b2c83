"""Distributions that are given by probabilities or by logits; the other is computed when it is asked for."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions._core import K, Size, Tensor
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.utils import lazy_property, logits_to_probs, probs_to_logits


class ByProbsOrLogits(Distribution):
    """A distribution with the parameter `probs` or `logits`."""

    _binary = True
    """Whether each is the probability of one event, or they are normalised over the last dimension."""
    _given: str

    def _either(self, probs: Any, logits: Any) -> dict[str, Any]:
        """The one that was given, under its name; ValueError where not exactly one was."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        self._given = "probs" if logits is None else "logits"
        return {self._given: probs if logits is None else logits}

    @lazy_property
    def probs(self) -> Any:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=self._binary)

    @lazy_property
    def logits(self) -> Any:
        """Log-odds, or logarithms of probabilities up to a constant."""
        return probs_to_logits(self.probs, is_binary=self._binary)

    @property
    def _param(self) -> Any:
        return getattr(self, self._given)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._param.shape


class ByCategories(ByProbsOrLogits):
    """A distribution over the places of the last dimension of `probs` or `logits`."""

    _binary = False

    def _begin_categories(self, probs: Any, logits: Any, validate_args: bool | None) -> None:
        ((name, value),) = self._either(probs, logits).items()
        if value.ndim < 1:
            raise ValueError(
                f"`{name}` parameter must be at least one-dimensional, but got {value}; its last dimension "
                "are the categories"
            )
        if name == "probs":
            value = value / K.sum(value, -1, True)
        else:
            value = value - K.logsumexp(value, -1, True)
        setattr(self, name, value)
        Distribution.__init__(self, value.shape[:-1], validate_args=validate_args)


class OverCategorical(Distribution):
    """A distribution whose `probs` or `logits` are those of the member `_categorical`."""

    _categorical: Any

    @property
    def probs(self) -> Tensor:
        """Probabilities, normalised."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Logarithms of probabilities."""
        return self._categorical.logits

    @property
    def _param(self) -> Any:
        return self._categorical._param

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._categorical.param_shape
