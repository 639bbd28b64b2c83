"""Divergences within a family."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core.distributions._core import K, all_true
from dispatch_core.distributions.bernoulli import Bernoulli, ContinuousBernoulli
from dispatch_core.distributions.beta import Beta, Dirichlet
from dispatch_core.distributions.categorical import Categorical, OneHotCategorical
from dispatch_core.distributions.cauchy import Cauchy
from dispatch_core.distributions.counts import Binomial, Geometric, Poisson
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.gamma import Exponential, Gamma
from dispatch_core.distributions.kl._registry import register_kl
from dispatch_core.distributions.laplace import Gumbel, Laplace
from dispatch_core.distributions.normal import HalfNormal, Normal
from dispatch_core.distributions.pareto import Pareto
from dispatch_core.distributions.uniform import Uniform
from dispatch_core.distributions.utils import euler_constant, softplus, sum_rightmost


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Any:
    """The Bregman divergence of the log normaliser (Nielsen and Nock 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed: got "
            f"{type(p).__name__} and {type(q).__name__}; add it with register_kl"
        )
    p_params, p_norm, means = p._mean_statistics()
    q_params = q._natural_params
    result = q._log_normalizer(*q_params) - p_norm
    rank = len(q.batch_shape)
    for ours, theirs, mean in zip(p_params, q_params, means, strict=True):
        term = (theirs - ours) * mean
        result = result - sum_rightmost(term, max(term.ndim - rank, 0))
    return result


def _binary_divergence(p: Any, q: Any) -> Any:
    """KL of one trial; infinite where q excludes what p does not."""
    t = p.probs
    success = K.where(t == 0, 0.0, t * (softplus(-q.logits) - softplus(-p.logits)))
    failure = K.where(t == 1, 0.0, (1 - t) * (softplus(q.logits) - softplus(p.logits)))
    success = K.where((q.probs == 0) & (t > 0), math.inf, success)
    failure = K.where((q.probs == 1) & (t < 1), math.inf, failure)
    return success + failure


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    return _binary_divergence(p, q)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    """From the counts that both have; infinite where p has more trials."""
    if not all_true(p.total_count >= q.total_count):
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    kl = p.total_count * (p.probs * (p.logits - q.logits) + K.log1p(-p.probs) - K.log1p(-q.probs))
    return K.where(p.total_count > q.total_count, math.inf, kl)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - K.log1p(-q.probs) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (K.log(p.rate) - K.log(q.rate)) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    term = p.probs * (p.logits - q.logits)
    term = K.where(q.probs == 0, math.inf, term)
    return K.sum(K.where(p.probs == 0, 0.0, term), -1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    between = p.mean * (p.logits - q.logits)
    return between - p._log_integral(p.logits) + q._log_integral(q.logits)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    mean_log = K.digamma(a) - K.unsqueeze(K.digamma(K.sum(a, -1)), -1)
    return K.sum((a - b) * mean_log, -1) + q._log_normalizer(b) - p._log_normalizer(a)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - 1 - K.log(ratio)


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    gammas = K.lgamma(b) - K.lgamma(a) + (a - b) * K.digamma(a)
    return b * K.log(p.rate / q.rate) + gammas + (q.rate - p.rate) * (a / p.rate)


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale) ** 2
    distance = ((p.loc - q.loc) / q.scale) ** 2
    return 0.5 * (ratio + distance - 1 - K.log(ratio))


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Any:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    distance = K.abs(p.loc - q.loc)
    return -K.log(ratio) + distance / q.scale + ratio * K.exp(-distance / p.scale) - 1


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    shift = (q.loc - p.loc) / q.scale
    mean = ratio * euler_constant - shift
    return -K.log(ratio) + mean + K.exp(shift + K.lgamma(1 + ratio)) - (1 + euler_constant)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    """Chyzak and Nielsen 2019."""
    above = (p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2
    return K.log(above) - K.log(4 * p.scale * q.scale)


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    scales, shapes = p.scale / q.scale, q.alpha / p.alpha
    kl = q.alpha * K.log(scales) - K.log(shapes) + shapes - 1
    return K.where(p.scale < q.scale, math.inf, kl)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    kl = K.log((q.high - q.low) / (p.high - p.low))
    return K.where((q.low > p.low) | (q.high < p.high), math.inf, kl)
