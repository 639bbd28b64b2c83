"""Pairs of families whose divergence is infinite: p has values that q excludes."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core.distributions._core import K
from dispatch_core.distributions.bernoulli import Bernoulli, ContinuousBernoulli
from dispatch_core.distributions.beta import Beta
from dispatch_core.distributions.counts import Binomial, Poisson
from dispatch_core.distributions.gamma import Exponential, Gamma
from dispatch_core.distributions.kl._registry import register_kl
from dispatch_core.distributions.laplace import Gumbel, Laplace
from dispatch_core.distributions.normal import Normal
from dispatch_core.distributions.pareto import Pareto
from dispatch_core.distributions.uniform import Uniform

_BOUNDED = (Beta, ContinuousBernoulli, Uniform)
_BOUNDED_BELOW = (*_BOUNDED, Pareto)
_POSITIVE = (*_BOUNDED_BELOW, Exponential, Gamma)

EXCLUDED: dict[type, tuple[type, ...]] = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: _BOUNDED_BELOW,
    Gamma: _BOUNDED_BELOW,
    Gumbel: _POSITIVE,
    Laplace: _POSITIVE,
    Normal: _POSITIVE,
    Pareto: _BOUNDED,
    Poisson: (Bernoulli, Binomial),
}
"""Families p by the families q that exclude some of their values."""


def _first_parameter(p: Any) -> Any:
    return getattr(p, next(iter(p.arg_constraints)))


def _infinite(p: Any, q: Any) -> Any:
    return K.full_like(_first_parameter(p), math.inf)


for _p, _family in EXCLUDED.items():
    for _q in _family:
        register_kl(_p, _q)(_infinite)
