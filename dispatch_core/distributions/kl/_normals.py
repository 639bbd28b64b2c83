"""Divergences between normal distributions of vectors."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions._core import K, broadcast_shapes, linalg
from dispatch_core.distributions._matrices import log_diagonal, squared_length
from dispatch_core.distributions.kl._registry import register_kl
from dispatch_core.distributions.multivariate_normal import (
    LowRankMultivariateNormal,
    MultivariateNormal,
    low_rank_distance,
)


def _check_events(p: Any, q: Any) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between two {type(p).__name__} and {type(q).__name__} with different event "
            f"shapes cannot be computed: {p.event_shape} and {q.event_shape}"
        )


def _trace(factor: Any, matrix: Any) -> Any:
    """The trace of (factor factor^T)^-1 matrix matrix^T for a lower triangular factor."""
    batch = broadcast_shapes(tuple(factor.shape[:-2]), tuple(matrix.shape[:-2]))
    factor, matrix = (K.expand(m, (*batch, *m.shape[-2:])) for m in (factor, matrix))
    solved = linalg.solve_triangular(factor, matrix, upper=False)
    return K.sum(solved * solved, (-2, -1))


def _divergence(log_dets: Any, trace: Any, distance: Any, q: Any) -> Any:
    return 0.5 * (log_dets + trace + distance - q.event_shape[0])


def _log_determinant(p: Any) -> Any:
    if isinstance(p, LowRankMultivariateNormal):
        return p._log_determinant
    return 2 * log_diagonal(p._factor)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _to_full(p: Any, q: Any) -> Any:
    _check_events(p, q)
    trace = _trace(q._factor, p._factor)
    if isinstance(p, LowRankMultivariateNormal):
        trace = trace + _trace(q._factor, K.diag_embed(K.sqrt(p._diagonal)))
    distance = squared_length(q._factor, q.loc - p.loc)
    return _divergence(_log_determinant(q) - _log_determinant(p), trace, distance, q)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _to_low_rank(p: Any, q: Any) -> Any:
    """tr(Q^-1 P) with Q^-1 = D^-1 - A A^T, A = D^-1 W L^-T for the factor L of the capacitance."""
    _check_events(p, q)
    W, D = q._factor, K.unsqueeze(q._diagonal, -1)
    parts = [p._factor]
    if isinstance(p, LowRankMultivariateNormal):
        parts.append(K.diag_embed(K.sqrt(p._diagonal)))
    trace: Any = 0.0
    for part in parts:
        direct = K.sum(part * part / D, (-2, -1))
        trace = trace + direct - _trace(q._capacitance, W.mT @ (part / D))
    distance = low_rank_distance(W, q._diagonal, q.loc - p.loc, q._capacitance)
    return _divergence(_log_determinant(q) - _log_determinant(p), trace, distance, q)
