"""Probability distributions: samples, densities, entropies, divergences, transforms, constraints."""

from __future__ import annotations

from dispatch_core.distributions import (  # noqa: F401  namespaces
    constraint_registry,
    constraints,
    kl,
    transforms,
    utils,
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
