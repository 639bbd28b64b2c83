"""Divergences of distributions that are made of others."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions.independent import Independent
from dispatch_core.distributions.kl._registry import kl_divergence, register_kl
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.utils import sum_rightmost


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    """The same transforms change nothing."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            "the KL divergence of transformed distributions is known where both have the same transforms "
            f"and event shapes, but got {p.transforms} and {q.transforms}, {p.event_shape} and "
            f"{q.event_shape}"
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "the KL divergence of Independent distributions is known for equal reinterpreted_batch_ndims, "
            f"but got {p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
