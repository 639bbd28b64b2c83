"""Examples of every distribution, transform and constraint, built with any library that has PyTorch's names.

A case is a function of `D`, the module `distributions`, and `t`, which makes a float64 tensor of nested lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Case = Callable[[Any, Any], Any]

MATRIX = [[2.0, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1.0]]
MATRICES = [MATRIX, [[1.0, 0.2, 0.0], [0.2, 1.0, 0.2], [0.0, 0.2, 3.0]]]
FACTOR = [[1.2, 0.0, 0.0], [0.4, 0.8, 0.0], [-0.3, 0.2, 1.1]]

DISTRIBUTIONS: dict[str, Case] = {
    "Bernoulli": lambda D, t: D.Bernoulli(t([0.2, 0.5, 0.9])),
    "Bernoulli-logits": lambda D, t: D.Bernoulli(logits=t([[-1.0], [2.0]])),
    "Beta": lambda D, t: D.Beta(t([0.5, 2.0, 1.0]), t([3.0, 1.5, 1.0])),
    "Binomial": lambda D, t: D.Binomial(5, t([0.2, 0.7])),
    "Binomial-logits": lambda D, t: D.Binomial(t([[3.0], [7.0]]), logits=t([0.3, -2.0])),
    "Categorical": lambda D, t: D.Categorical(t([[0.2, 0.3, 0.5], [1.0, 4.0, 1.0]])),
    "Categorical-logits": lambda D, t: D.Categorical(logits=t([0.3, -1.0, 2.0, 0.0])),
    "Cauchy": lambda D, t: D.Cauchy(t([0.0, -2.0]), t([1.0, 0.5])),
    "Chi2": lambda D, t: D.Chi2(t([0.7, 3.0, 8.0])),
    "ContinuousBernoulli": lambda D, t: D.ContinuousBernoulli(t([0.1, 0.8, 0.97])),
    "ContinuousBernoulli-logits": lambda D, t: D.ContinuousBernoulli(logits=t([1.5, -3.0])),
    "Dirichlet": lambda D, t: D.Dirichlet(t([[0.5, 1.0, 3.0], [2.0, 2.0, 5.0]])),
    "Exponential": lambda D, t: D.Exponential(t([0.5, 3.0])),
    "FisherSnedecor": lambda D, t: D.FisherSnedecor(t([1.5, 4.0, 3.0]), t([3.0, 9.0, 1.5])),
    "Gamma": lambda D, t: D.Gamma(t([0.3, 1.0, 6.0]), t([2.0, 1.0, 0.5])),
    "GeneralizedPareto": lambda D, t: D.GeneralizedPareto(
        t([0.0, 1.0, -1.0, 0.0]), t([1.0, 2.0, 0.5, 1.0]), t([0.3, -0.4, 0.0, 0.7])
    ),
    "Geometric": lambda D, t: D.Geometric(t([0.2, 0.7])),
    "Geometric-logits": lambda D, t: D.Geometric(logits=t([0.5, -1.0])),
    "Gumbel": lambda D, t: D.Gumbel(t([0.0, 1.0]), t([1.0, 0.4])),
    "HalfCauchy": lambda D, t: D.HalfCauchy(t([1.0, 3.0])),
    "HalfNormal": lambda D, t: D.HalfNormal(t([1.0, 3.0])),
    "Independent": lambda D, t: D.Independent(
        D.Normal(t([[0.0, 1.0], [2.0, 3.0]]), t([1.0, 2.0])), 1
    ),
    "InverseGamma": lambda D, t: D.InverseGamma(t([0.5, 1.5, 4.0]), t([1.0, 2.0, 3.0])),
    "Kumaraswamy": lambda D, t: D.Kumaraswamy(t([0.5, 2.0]), t([1.5, 3.0])),
    "LKJCholesky": lambda D, t: D.LKJCholesky(3, t([0.5, 2.0])),
    "Laplace": lambda D, t: D.Laplace(t([0.0, 1.0]), t([1.0, 0.4])),
    "LogNormal": lambda D, t: D.LogNormal(t([0.0, 0.3]), t([1.0, 0.4])),
    "LogisticNormal": lambda D, t: D.LogisticNormal(t([[0.0, 0.3], [1.0, -1.0]]), t([1.0, 0.4])),
    "LowRankMultivariateNormal": lambda D, t: D.LowRankMultivariateNormal(
        t([0.0, 1.0, -1.0]), t([[1.0, 0.5], [0.3, -0.2], [0.0, 0.8]]), t([0.5, 1.0, 2.0])
    ),
    "LowRankMultivariateNormal-batch": lambda D, t: D.LowRankMultivariateNormal(
        t([[0.0, 1.0, -1.0]]), t([[[1.0], [0.3], [0.0]], [[0.1], [0.7], [2.0]]]), t([0.5, 1.0, 2.0])
    ),
    "ExpRelaxedCategorical": lambda D, t: D.relaxed_categorical.ExpRelaxedCategorical(
        t(0.7), t([[0.2, 0.3, 0.5], [1.0, 4.0, 1.0]])
    ),
    "LogitRelaxedBernoulli": lambda D, t: D.relaxed_bernoulli.LogitRelaxedBernoulli(
        t(0.7), logits=t([0.2, -0.8])
    ),
    "MixtureSameFamily": lambda D, t: D.MixtureSameFamily(
        D.Categorical(t([[0.3, 0.7], [0.5, 0.5]])),
        D.Normal(t([0.0, 4.0]), t([[1.0, 0.5], [2.0, 1.0]])),
    ),
    "MixtureSameFamily-vectors": lambda D, t: D.MixtureSameFamily(
        D.Categorical(t([0.3, 0.7])),
        D.Independent(D.Normal(t([[0.0, 1.0], [2.0, 3.0]]), t([1.0, 2.0])), 1),
    ),
    "Multinomial": lambda D, t: D.Multinomial(4, t([[0.2, 0.3, 0.5], [1.0, 4.0, 1.0]])),
    "MultivariateNormal": lambda D, t: D.MultivariateNormal(t([0.0, 1.0, -1.0]), t(MATRIX)),
    "MultivariateNormal-precision": lambda D, t: D.MultivariateNormal(
        t([[0.0, 1.0, -1.0]]), precision_matrix=t(MATRICES)
    ),
    "MultivariateNormal-factor": lambda D, t: D.MultivariateNormal(
        t([[0.0, 1.0, -1.0], [1.0, 1.0, 1.0]]), scale_tril=t(FACTOR)
    ),
    "NegativeBinomial": lambda D, t: D.NegativeBinomial(t([3.0, 0.5, 8.0]), t([0.2, 0.7, 0.5])),
    "NegativeBinomial-logits": lambda D, t: D.NegativeBinomial(4, logits=t([0.2, -0.7])),
    "Normal": lambda D, t: D.Normal(t([0.0, 1.0]), t([[1.0], [0.4]])),
    "OneHotCategorical": lambda D, t: D.OneHotCategorical(t([[0.2, 0.3, 0.5], [1.0, 4.0, 1.0]])),
    "OneHotCategoricalStraightThrough": lambda D, t: D.OneHotCategoricalStraightThrough(
        logits=t([0.2, 0.3, 0.5])
    ),
    "Pareto": lambda D, t: D.Pareto(t([1.0, 2.0, 0.5]), t([0.8, 1.5, 4.0])),
    "Poisson": lambda D, t: D.Poisson(t([0.5, 3.0, 20.0])),
    "RelaxedBernoulli": lambda D, t: D.RelaxedBernoulli(t(0.7), t([0.2, 0.8])),
    "RelaxedBernoulli-logits": lambda D, t: D.RelaxedBernoulli(
        t([0.7, 2.0]), logits=t([0.2, -0.8])
    ),
    "RelaxedOneHotCategorical": lambda D, t: D.RelaxedOneHotCategorical(
        t(0.7), t([[0.2, 0.3, 0.5], [1.0, 4.0, 1.0]])
    ),
    "StudentT": lambda D, t: D.StudentT(t([0.8, 1.5, 4.0]), t([0.0, 1.0, 2.0]), t([1.0, 2.0, 0.5])),
    "TransformedDistribution": lambda D, t: D.TransformedDistribution(
        D.Normal(t([0.0, 1.0]), t([1.0, 0.5])), [D.AffineTransform(1.0, -2.0), D.SigmoidTransform()]
    ),
    "TransformedDistribution-vectors": lambda D, t: D.TransformedDistribution(
        D.Normal(t([[0.0, 1.0], [0.5, 0.5]]), t([1.0, 0.5])),
        [D.ExpTransform(), D.AffineTransform(t([1.0, 2.0]), t([3.0, -2.0]), event_dim=1)],
    ),
    "Uniform": lambda D, t: D.Uniform(t([0.0, -1.0]), t([1.0, 3.0])),
    "VonMises": lambda D, t: D.VonMises(t([0.0, 2.0, -3.0]), t([0.3, 3.0, 40.0])),
    "Weibull": lambda D, t: D.Weibull(t([1.0, 2.0]), t([0.7, 3.0])),
    "Wishart": lambda D, t: D.Wishart(t([4.5, 7.0]), covariance_matrix=t(MATRIX)),
    "Wishart-precision": lambda D, t: D.Wishart(t(5.0), precision_matrix=t(MATRICES)),
    "Wishart-factor": lambda D, t: D.Wishart(6.0, scale_tril=t(FACTOR)),
}
"""One or more of each class; what follows a dash tells them apart."""

TRANSFORMS: dict[str, Case] = {
    "Abs": lambda D, t: D.AbsTransform(),
    "Affine": lambda D, t: D.AffineTransform(1.0, -2.5),
    "Affine-tensors": lambda D, t: D.AffineTransform(t([0.0, 1.0, 2.0]), t([1.0, -2.0, 0.5])),
    "Affine-vectors": lambda D, t: D.AffineTransform(
        t([0.0, 1.0, 2.0]), t([1.0, -2.0, 0.5]), event_dim=1
    ),
    "Cat": lambda D, t: D.CatTransform(
        [D.ExpTransform(), D.AffineTransform(1.0, 2.0)], dim=-1, lengths=[1, 2]
    ),
    "Cat-vectors": lambda D, t: D.CatTransform(
        [
            D.transforms.IndependentTransform(D.ExpTransform(), 1),
            D.AffineTransform(1.0, 2.0, event_dim=1),
        ],
        dim=0,
        lengths=[1, 1],
    ),
    "Compose": lambda D, t: D.ComposeTransform(
        [D.AffineTransform(0.5, 2.0), D.SigmoidTransform(), D.PowerTransform(2.0)]
    ),
    "Compose-vectors": lambda D, t: D.ComposeTransform(
        [D.ExpTransform(), D.ReshapeTransform((3,), (3, 1)), D.AffineTransform(0.5, 2.0)]
    ),
    "Compose-empty": lambda D, t: D.identity_transform,
    "CorrCholesky": lambda D, t: D.CorrCholeskyTransform(),
    "CumulativeDistribution": lambda D, t: D.CumulativeDistributionTransform(
        D.Normal(t(0.0), t(1.0))
    ),
    "Exp": lambda D, t: D.ExpTransform(),
    "Independent": lambda D, t: D.IndependentTransform(D.TanhTransform(), 1),
    "LowerCholesky": lambda D, t: D.LowerCholeskyTransform(),
    "PositiveDefinite": lambda D, t: D.PositiveDefiniteTransform(),
    "Power": lambda D, t: D.PowerTransform(t([0.5, 2.0, -1.5])),
    "Reshape": lambda D, t: D.ReshapeTransform((3,), (3, 1)),
    "Sigmoid": lambda D, t: D.SigmoidTransform(),
    "Softmax": lambda D, t: D.SoftmaxTransform(),
    "Softplus": lambda D, t: D.SoftplusTransform(),
    "Stack": lambda D, t: D.StackTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)], dim=0),
    "StickBreaking": lambda D, t: D.StickBreakingTransform(),
    "Tanh": lambda D, t: D.TanhTransform(),
    "Inverse": lambda D, t: D.SigmoidTransform().inv,
}

CONSTRAINTS: dict[str, Case] = {
    "boolean": lambda D, t: D.constraints.boolean,
    "cat": lambda D, t: D.constraints.cat([D.constraints.real, D.constraints.positive], -1, [1, 2]),
    "corr_cholesky": lambda D, t: D.constraints.corr_cholesky,
    "greater_than": lambda D, t: D.constraints.greater_than(0.5),
    "greater_than_eq": lambda D, t: D.constraints.greater_than_eq(0.5),
    "half_open_interval": lambda D, t: D.constraints.half_open_interval(-1.0, 1.0),
    "independent": lambda D, t: D.constraints.independent(D.constraints.positive, 1),
    "integer_interval": lambda D, t: D.constraints.integer_interval(0, 2),
    "interval": lambda D, t: D.constraints.interval(t([0.0, -1.0, 0.0]), 1.0),
    "less_than": lambda D, t: D.constraints.less_than(0.5),
    "lower_cholesky": lambda D, t: D.constraints.lower_cholesky,
    "lower_triangular": lambda D, t: D.constraints.lower_triangular,
    "multinomial": lambda D, t: D.constraints.multinomial(2),
    "mixture": lambda D, t: D.constraints.MixtureSameFamilyConstraint(D.constraints.positive),
    "nonnegative": lambda D, t: D.constraints.nonnegative,
    "nonnegative_integer": lambda D, t: D.constraints.nonnegative_integer,
    "one_hot": lambda D, t: D.constraints.one_hot,
    "positive": lambda D, t: D.constraints.positive,
    "positive_definite": lambda D, t: D.constraints.positive_definite,
    "positive_integer": lambda D, t: D.constraints.positive_integer,
    "positive_semidefinite": lambda D, t: D.constraints.positive_semidefinite,
    "real": lambda D, t: D.constraints.real,
    "real_vector": lambda D, t: D.constraints.real_vector,
    "simplex": lambda D, t: D.constraints.simplex,
    "square": lambda D, t: D.constraints.square,
    "stack": lambda D, t: D.constraints.stack([D.constraints.real, D.constraints.positive], 0),
    "symmetric": lambda D, t: D.constraints.symmetric,
    "unit_interval": lambda D, t: D.constraints.unit_interval,
}

VALUES: list[Any] = [
    [0.0, 1.0, 0.0],
    [0.2, 0.3, 0.5],
    [2.0, -1.0, 0.5],
    [1.0, 1.0, 0.0],
    [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]],
    MATRIX,
    MATRICES,
    [[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [[float("nan"), 1.0, 2.0], [0.5, 0.25, 0.25]],
]
"""What constraints are asked about."""

_UNREGISTERED = {
    "boolean",
    "integer_interval",
    "lower_triangular",
    "mixture",
    "multinomial",
    "nonnegative_integer",
    "one_hot",
    "positive_integer",
    "square",
    "symmetric",
}
REGISTERED = {name: case for name, case in CONSTRAINTS.items() if name not in _UNREGISTERED}
"""Constraints that `transform_to` knows; `biject_to` knows those whose transform is one to one."""

SECOND: dict[str, Case] = {
    "Bernoulli": lambda D, t: D.Bernoulli(t([0.4, 0.1, 0.8])),
    "Beta": lambda D, t: D.Beta(t([1.5, 0.7, 3.0]), t([2.0, 2.5, 1.0])),
    "Binomial": lambda D, t: D.Binomial(5, t([0.4, 0.1])),
    "Categorical": lambda D, t: D.Categorical(t([0.1, 0.6, 0.3])),
    "Cauchy": lambda D, t: D.Cauchy(t([1.0, -1.0]), t([2.0, 0.7])),
    "ContinuousBernoulli": lambda D, t: D.ContinuousBernoulli(t([0.4, 0.2, 0.7])),
    "Dirichlet": lambda D, t: D.Dirichlet(t([1.5, 0.7, 3.0])),
    "Exponential": lambda D, t: D.Exponential(t([1.5, 0.7])),
    "Gamma": lambda D, t: D.Gamma(t([1.5, 0.7, 3.0]), t([1.0, 0.6, 2.0])),
    "Geometric": lambda D, t: D.Geometric(t([0.4, 0.5])),
    "Gumbel": lambda D, t: D.Gumbel(t([0.5, -1.0]), t([1.5, 0.9])),
    "HalfNormal": lambda D, t: D.HalfNormal(t([2.0, 0.7])),
    "Independent": lambda D, t: D.Independent(
        D.Normal(t([1.0, 1.0]), t([2.0, 1.0])).expand((2, 2)), 1
    ),
    "Laplace": lambda D, t: D.Laplace(t([1.0, 0.0]), t([2.0, 0.7])),
    "LowRankMultivariateNormal": lambda D, t: D.LowRankMultivariateNormal(
        t([1.0, 0.0, -1.0]), t([[0.2], [0.9], [0.4]]), t([1.5, 0.4, 1.0])
    ),
    "MultivariateNormal": lambda D, t: D.MultivariateNormal(
        t([1.0, 0.0, -1.0]), scale_tril=t(FACTOR)
    ),
    "Normal": lambda D, t: D.Normal(t([1.0, 0.0]), t([2.0, 0.7])),
    "OneHotCategorical": lambda D, t: D.OneHotCategorical(t([0.1, 0.6, 0.3])),
    "Pareto": lambda D, t: D.Pareto(t([0.5, 0.7, 0.4]), t([1.0, 2.0, 3.0])),
    "Poisson": lambda D, t: D.Poisson(t([1.5, 2.0, 30.0])),
    "Uniform": lambda D, t: D.Uniform(t([-1.0, -2.0]), t([2.0, 4.0])),
    "Wishart": lambda D, t: D.Wishart(t(6.0), covariance_matrix=t(MATRICES)),
    "TransformedDistribution": lambda D, t: D.TransformedDistribution(
        D.Normal(t([1.0, 0.5]), t([2.0, 0.5])), [D.AffineTransform(1.0, -2.0), D.SigmoidTransform()]
    ),
}
"""A second example for divergences, with the batch shape of the first (or one that fits)."""

_FIRST: dict[str, Case] = {
    "Bernoulli": lambda D, t: D.Bernoulli(t([0.2, 0.7])),
    "Beta": lambda D, t: D.Beta(t([0.5, 2.0]), t([3.0, 1.5])),
    "ContinuousBernoulli": lambda D, t: D.ContinuousBernoulli(t([0.2, 0.9])),
    "Exponential": lambda D, t: D.Exponential(t([1.5, 0.7])),
    "Gamma": lambda D, t: D.Gamma(t([1.5, 0.7]), t([1.0, 0.6])),
    "Gumbel": lambda D, t: D.Gumbel(t([0.5, -1.0]), t([1.5, 0.9])),
    "Laplace": lambda D, t: D.Laplace(t([1.0, 0.0]), t([2.0, 0.7])),
    "LowRankMultivariateNormal": DISTRIBUTIONS["LowRankMultivariateNormal-batch"],
    "MultivariateNormal": lambda D, t: D.MultivariateNormal(t([0.0, 1.0, -1.0]), t(MATRICES)),
    "Normal": lambda D, t: D.Normal(t([1.0, 0.0]), t([2.0, 0.7])),
    "Pareto": lambda D, t: D.Pareto(t([1.0, 2.0]), t([3.5, 2.5])),
    "Poisson": lambda D, t: D.Poisson(t([0.5, 3.0])),
    "Uniform": lambda D, t: D.Uniform(t([0.1, 0.3]), t([0.6, 0.9])),
}

_PAIRS = (
    "Bernoulli-Poisson Beta-ContinuousBernoulli Beta-Exponential Beta-Gamma Beta-Normal "
    "ContinuousBernoulli-Exponential ContinuousBernoulli-Normal Exponential-Gamma Exponential-Gumbel "
    "Exponential-Normal Gamma-Exponential Gamma-Gumbel Gamma-Normal Gumbel-Normal Laplace-Normal "
    "LowRankMultivariateNormal-MultivariateNormal MultivariateNormal-LowRankMultivariateNormal "
    "Normal-Gumbel Normal-Laplace Pareto-Exponential Pareto-Gamma Pareto-Normal Uniform-Beta "
    "Uniform-ContinuousBernoulli Uniform-Exponential Uniform-Gamma Uniform-Gumbel Uniform-Normal"
)
ACROSS: dict[str, tuple[Case, Case]] = {
    pair: (_FIRST[pair.split("-")[0]], _FIRST[pair.split("-")[1]]) for pair in _PAIRS.split()
}
"""Pairs of different families that have a finite divergence."""
