"""Distributions of an exponential family."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions._core import K, Tensor, enable_grad, grad
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.utils import sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions with density exp(t(x) . theta - F(theta) + k(x)).

    theta are the natural parameters, t the sufficient statistic, F the log normaliser, k the carrier
    measure. A subclass gives `_natural_params`, `_log_normalizer(*theta)` and `_mean_carrier_measure`,
    the mean of k(x); entropy and KL divergence follow by derivatives of F (Nielsen and Nock 2010).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self).__name__} does not say its natural parameters")

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say its log normaliser")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say its carrier measure")

    def _mean_statistics(self) -> tuple[tuple[Any, ...], Any, tuple[Any, ...]]:
        """Natural parameters, log normaliser and its derivatives, which are the means of the statistics."""
        own = self._natural_params
        recorded = any(p.requires_grad for p in own)
        with enable_grad():
            parameters = tuple(p if p.requires_grad else p.detach().requires_grad_() for p in own)
            log_normalizer = self._log_normalizer(*parameters)
            means = grad(K.sum(log_normalizer), parameters, create_graph=recorded)
        if recorded:
            return parameters, log_normalizer, means
        return own, log_normalizer.detach(), means

    def entropy(self) -> Tensor:
        parameters, log_normalizer, means = self._mean_statistics()
        result = log_normalizer - self._mean_carrier_measure
        rank = len(self.batch_shape)
        for theta, mean in zip(parameters, means, strict=True):
            product = theta * mean
            result = result - sum_rightmost(product, product.ndim - rank)
        return result
