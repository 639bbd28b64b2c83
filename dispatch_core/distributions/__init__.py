"""Probability distributions: samples, densities, entropies, divergences, transforms, constraints."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions import (  # noqa: F401  namespaces
    bernoulli,
    beta,
    categorical,
    cauchy,
    constraint_registry,
    constraints,
    counts,
    gamma,
    independent,
    kl,
    laplace,
    mixture_same_family,
    multivariate_normal,
    normal,
    pareto,
    relaxed,
    transforms,
    uniform,
    utils,
    von_mises,
    wishart,
)
from dispatch_core.distributions.bernoulli import Bernoulli, ContinuousBernoulli
from dispatch_core.distributions.beta import Beta, Dirichlet, Kumaraswamy
from dispatch_core.distributions.categorical import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from dispatch_core.distributions.cauchy import Cauchy, HalfCauchy, StudentT
from dispatch_core.distributions.constraint_registry import biject_to, transform_to
from dispatch_core.distributions.counts import Binomial, Geometric, NegativeBinomial, Poisson
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.exp_family import ExponentialFamily
from dispatch_core.distributions.gamma import Chi2, Exponential, FisherSnedecor, Gamma, InverseGamma
from dispatch_core.distributions.independent import Independent
from dispatch_core.distributions.kl import kl_divergence, register_kl
from dispatch_core.distributions.laplace import Gumbel, Laplace
from dispatch_core.distributions.mixture_same_family import MixtureSameFamily
from dispatch_core.distributions.multivariate_normal import (
    LowRankMultivariateNormal,
    MultivariateNormal,
)
from dispatch_core.distributions.normal import HalfNormal, LogisticNormal, LogNormal, Normal
from dispatch_core.distributions.pareto import GeneralizedPareto, Pareto, Weibull
from dispatch_core.distributions.relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from dispatch_core.distributions.transformed_distribution import TransformedDistribution
from dispatch_core.distributions.transforms import *  # noqa: F403  # its __all__ lists every transform
from dispatch_core.distributions.uniform import Uniform
from dispatch_core.distributions.von_mises import VonMises
from dispatch_core.distributions.wishart import LKJCholesky, Wishart

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "StudentT",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "kl_divergence",
    "register_kl",
    "transform_to",
]
__all__ += transforms.__all__

_MODULES = {
    "binomial": counts,
    "chi2": gamma,
    "continuous_bernoulli": bernoulli,
    "dirichlet": beta,
    "exponential": gamma,
    "fishersnedecor": gamma,
    "generalized_pareto": pareto,
    "geometric": counts,
    "gumbel": laplace,
    "half_cauchy": cauchy,
    "half_normal": normal,
    "inverse_gamma": gamma,
    "kumaraswamy": beta,
    "lkj_cholesky": wishart,
    "log_normal": normal,
    "logistic_normal": normal,
    "lowrank_multivariate_normal": multivariate_normal,
    "multinomial": categorical,
    "negative_binomial": counts,
    "one_hot_categorical": categorical,
    "poisson": counts,
    "relaxed_bernoulli": relaxed,
    "relaxed_categorical": relaxed,
    "studentT": cauchy,
    "weibull": pareto,
}
"""PyTorch's modules that are named otherwise here: families share one."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return _MODULES[name]
    raise AttributeError(f"module 'dispatch_core.distributions' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
