"""Divergences between families: -entropy of p, less the mean under p of log q."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core.distributions._core import K
from dispatch_core.distributions.bernoulli import Bernoulli, ContinuousBernoulli
from dispatch_core.distributions.beta import Beta
from dispatch_core.distributions.counts import Poisson
from dispatch_core.distributions.gamma import Exponential, Gamma
from dispatch_core.distributions.kl._registry import register_kl
from dispatch_core.distributions.laplace import Gumbel, Laplace
from dispatch_core.distributions.normal import Normal
from dispatch_core.distributions.pareto import Pareto
from dispatch_core.distributions.uniform import Uniform
from dispatch_core.distributions.utils import euler_constant


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * K.log(q.rate) - q.rate)


# -- to a normal distribution: the mean of log q needs mean and variance of p only -----------------


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
def _to_normal(p: Any, q: Any) -> Any:
    square = p.variance + (p.mean - q.loc) ** 2
    mean_log = -0.5 * square / q.scale**2 - K.log(q.scale) - 0.5 * math.log(2 * math.pi)
    return -p.entropy() - mean_log


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Any:
    return K.where(p.alpha <= 2, math.inf, _to_normal(p, q))


# -- to an exponential distribution: it needs the mean of p ------------------------------------------


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
def _to_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - K.log(q.rate) + q.rate * p.mean


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Any:
    return K.where(p.alpha <= 1, math.inf, _to_exponential(p, q))


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    return K.where(p.low < 0, math.inf, _to_exponential(p, q))


# -- to a gamma distribution: it needs the means of p and of its logarithm -------------------------


def _to_gamma(p: Any, q: Any, mean_log: Any) -> Any:
    a = q.concentration
    log_norm = K.lgamma(a) - a * K.log(q.rate)
    return -p.entropy() + log_norm - (a - 1) * mean_log + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Any:
    a = p.concentration1
    return _to_gamma(p, q, K.digamma(a) - K.digamma(a + p.concentration0))


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Any:
    return _to_gamma(p, q, -euler_constant - K.log(p.rate))


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Any:
    kl = _to_gamma(p, q, K.log(p.scale) + 1 / p.alpha)
    return K.where(p.alpha <= 1, math.inf, kl)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    return K.where(p.low < 0, math.inf, _to_gamma(p, q, _mean_log(p.low, p.high)))


def _mean_log(low: Any, high: Any) -> Any:
    """The mean of log x over an interval."""
    return (K.xlogy(high, high) - K.xlogy(low, low)) / (high - low) - 1


# -- to a Gumbel distribution: it needs the mean of p and that of exp(-x / scale) ------------------


def _to_gumbel(p: Any, q: Any, mean_exp: Any) -> Any:
    """`mean_exp` is the mean of exp((loc - x) / scale) under p."""
    mean_z = (q.loc - p.mean) / q.scale
    return -p.entropy() + K.log(q.scale) - mean_z + mean_exp


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Any:
    return _to_gumbel(p, q, K.exp(q.loc / q.scale) / (1 + 1 / (p.rate * q.scale)))


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Any:
    power = K.log1p(1 / (p.rate * q.scale)) * -p.concentration
    return _to_gumbel(p, q, K.exp(q.loc / q.scale + power))


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    return _to_gumbel(p, q, K.exp((q.loc - p.loc) / q.scale + 0.5 * (p.scale / q.scale) ** 2))


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Any:
    ends = ((q.loc - end) / q.scale for end in (p.low, p.high))
    low, high = (K.exp(end) for end in ends)
    return _to_gumbel(p, q, (low - high) * q.scale / (p.high - p.low))


# -- the rest --------------------------------------------------------------------------------------


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    """The mean of |x - loc| is that of a folded normal distribution."""
    z = (p.loc - q.loc) / p.scale
    folded = math.sqrt(2 / math.pi) * K.exp(-0.5 * z * z) + z * K.erf(z / math.sqrt(2))
    return -p.entropy() + K.log(2 * q.scale) + p.scale / q.scale * folded


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.mean * q.logits - q._log_integral(q.logits))


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    outside = (p.low < 0) | (p.high > 1)
    return K.where(outside, math.inf, _beta_continuous_bernoulli(p, q))


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _unit_uniform(p: Any, q: Any) -> Any:
    kl = -p.entropy() + K.log(q.high - q.low)
    return K.where((q.low > 0) | (q.high < 1), math.inf, kl)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    a, b = q.concentration1, q.concentration0
    log_norm = K.lgamma(a) + K.lgamma(b) - K.lgamma(a + b)
    means = (a - 1) * _mean_log(p.low, p.high) + (b - 1) * _mean_log(1 - p.high, 1 - p.low)
    outside = (p.low < 0) | (p.high > 1)
    return K.where(outside, math.inf, -p.entropy() + log_norm - means)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    mean_log = K.log(q.alpha) + q.alpha * K.log(q.scale)
    mean_log = mean_log - (q.alpha + 1) * _mean_log(p.low, p.high)
    return K.where(p.low < q.scale, math.inf, -p.entropy() - mean_log)
