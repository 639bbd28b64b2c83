"""Densities, probabilities up to a value, quantiles, moments and entropies, against SciPy and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import dispatch_core as dc
from tests.distributions.cases import FACTOR, MATRICES, MATRIX
from tests.distributions.common import D, close, drawn, every, made, t

DISCRETE = {"Bernoulli", "Binomial", "Categorical", "Geometric", "NegativeBinomial", "Poisson"}
SCIPY = {
    "Bernoulli": lambda d: stats.bernoulli(d.probs),
    "Beta": lambda d: stats.beta(d.concentration1, d.concentration0),
    "Binomial": lambda d: stats.binom(d.total_count, d.probs),
    "Cauchy": lambda d: stats.cauchy(d.loc, d.scale),
    "Chi2": lambda d: stats.chi2(d.df),
    "Exponential": lambda d: stats.expon(scale=1 / d.rate),
    "FisherSnedecor": lambda d: stats.f(d.df1, d.df2),
    "Gamma": lambda d: stats.gamma(d.concentration, scale=1 / d.rate),
    "GeneralizedPareto": lambda d: stats.genpareto(d.concentration, d.loc, d.scale),
    "Geometric": lambda d: stats.geom(d.probs, loc=-1),
    "Gumbel": lambda d: stats.gumbel_r(d.loc, d.scale),
    "HalfCauchy": lambda d: stats.halfcauchy(scale=d.scale),
    "HalfNormal": lambda d: stats.halfnorm(scale=d.scale),
    "InverseGamma": lambda d: stats.invgamma(d.concentration, scale=d.rate),
    "Laplace": lambda d: stats.laplace(d.loc, d.scale),
    "LogNormal": lambda d: stats.lognorm(d.scale, scale=np.exp(d.loc)),
    "NegativeBinomial": lambda d: stats.nbinom(d.total_count, 1 - d.probs),
    "Normal": lambda d: stats.norm(d.loc, d.scale),
    "Pareto": lambda d: stats.pareto(d.alpha, scale=d.scale),
    "Poisson": lambda d: stats.poisson(d.rate),
    "StudentT": lambda d: stats.t(d.df, d.loc, d.scale),
    "Uniform": lambda d: stats.uniform(d.low, d.high - d.low),
    "Weibull": lambda d: stats.weibull_min(d.concentration, scale=d.scale),
}
IN_SCIPY = [
    "Bernoulli-logits", "Binomial-logits", "Geometric-logits", "NegativeBinomial-logits", *SCIPY
]  # fmt: skip
WITHOUT_ENTROPY = (
    "ExpRelaxedCategorical", "FisherSnedecor", "LKJCholesky", "LogisticNormal", "LogitRelaxedBernoulli",
    "MixtureSameFamily", "NegativeBinomial", "Poisson", "RelaxedBernoulli", "RelaxedOneHotCategorical",
    "TransformedDistribution", "VonMises",
)  # fmt: skip
UNDEFINED_MOMENTS = ("Cauchy", "HalfCauchy", "FisherSnedecor", "StudentT")
"""Where SciPy says inf and PyTorch NaN, or the other way round."""


class Arrays:
    """The parameters of a distribution as numpy arrays."""

    def __init__(self, distribution):
        self._of = distribution

    def __getattr__(self, name):
        return getattr(self._of, name).numpy()


def peer(name):
    d = made(name)
    return d, SCIPY[name.split("-")[0]](Arrays(d))


@pytest.mark.parametrize("name", IN_SCIPY)
def test_log_prob(name):
    d, scipy = peer(name)
    x = drawn(d, 20)
    expected = scipy.logpmf if name.split("-")[0] in DISCRETE else scipy.logpdf
    close(d.log_prob(x), expected(x.numpy()), 1e-8)


@pytest.mark.parametrize("name", IN_SCIPY)
def test_entropy_and_moments(name):
    d, scipy = peer(name)
    if name not in {"Binomial-logits", "NegativeBinomial-logits", *WITHOUT_ENTROPY}:
        expected = scipy.entropy()
        close(d.entropy(), expected, 1e-7)
        close(d.perplexity(), np.exp(expected), 1e-6)
    if name in UNDEFINED_MOMENTS:
        return
    close(d.mean, scipy.mean())
    close(d.variance, scipy.var(), 1e-8)
    close(d.stddev, scipy.std(), 1e-8)


@pytest.mark.parametrize("name", UNDEFINED_MOMENTS)
def test_moments_that_exist(name):
    d, scipy = peer(name)
    for ours, theirs in ((d.mean, scipy.mean()), (d.variance, scipy.var())):
        both = np.isfinite(theirs) & np.isfinite(ours.numpy())
        close(ours.numpy()[both], np.asarray(theirs)[both])


WITHOUT_CDF = {"Beta", "FisherSnedecor", "StudentT"}


@pytest.mark.parametrize(
    "name", [n for n in IN_SCIPY if n.split("-")[0] not in {*DISCRETE, *WITHOUT_CDF}]
)
def test_cdf(name):
    d, scipy = peer(name)
    x = drawn(d, 20)
    close(d.cdf(x), scipy.cdf(x.numpy()), 1e-8)


INVERTIBLE = [
    "Cauchy", "ContinuousBernoulli", "ContinuousBernoulli-logits", "Exponential", "GeneralizedPareto",
    "Gumbel", "HalfCauchy", "HalfNormal", "Kumaraswamy", "Laplace", "LogNormal", "Normal", "Pareto",
    "TransformedDistribution", "Uniform", "Weibull",
]  # fmt: skip


@pytest.mark.parametrize("name", INVERTIBLE)
def test_icdf_inverts_cdf(name):
    d = made(name)
    u = t(np.linspace(0.02, 0.97, 12).reshape(-1, *[1] * len(d.batch_shape)).tolist())
    x = d.icdf(u)
    close(d.cdf(x), np.broadcast_to(u.numpy(), x.shape), 1e-8)


@pytest.mark.parametrize("name", [*INVERTIBLE, "Gamma", "MixtureSameFamily"])
def test_the_density_is_the_slope_of_cdf(name):
    d = made(name)
    x = drawn(d, 10).requires_grad_()
    d.cdf(x).sum().backward()
    close(x.grad, d.log_prob(x).exp(), 1e-7)


@every(*WITHOUT_ENTROPY, "Binomial")
def test_entropy_is_the_mean_of_minus_log_prob(name):
    d = made(name)
    entropy = d.entropy().detach().numpy()
    terms = -d.log_prob(drawn(d, 4000)).detach().numpy()
    error = terms.std(0) / np.sqrt(len(terms)) + 1e-9
    assert (np.abs(terms.mean(0) - entropy) < 5 * error).all()


MODES = [
    "Beta", "Binomial", "Cauchy", "Dirichlet", "Exponential", "Gamma", "Geometric", "Gumbel", "HalfNormal",
    "InverseGamma", "Kumaraswamy", "Laplace", "LogNormal", "LowRankMultivariateNormal",
    "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical", "Pareto", "Poisson",
    "StudentT", "VonMises", "Weibull",
]  # fmt: skip


@pytest.mark.parametrize("name", MODES)
def test_no_sample_is_more_likely_than_the_mode(name, monkeypatch):
    monkeypatch.setattr(D.Distribution, "_validate_args", False)  # where there is no mode it is NaN
    d = made(name)
    height = d.log_prob(d.mode).numpy()
    others = d.log_prob(drawn(d, 300)).numpy()
    known = ~np.isnan(height)
    assert known.any()
    assert (others <= height + 1e-9)[..., known].all()


# -- of vectors and matrices -----------------------------------------------------------------------


def test_multivariate_normal_by_scipy():
    x = drawn(made("MultivariateNormal"), 6)
    loc = [0.0, 1.0, -1.0]
    close(
        made("MultivariateNormal").log_prob(x),
        stats.multivariate_normal(loc, MATRIX).logpdf(x.numpy()),
    )
    d = made("MultivariateNormal-precision")
    for i, precision in enumerate(MATRICES):
        scipy = stats.multivariate_normal(loc, np.linalg.inv(precision))
        close(d.log_prob(x.unsqueeze(1))[:, i], scipy.logpdf(x.numpy()))
        close(d.entropy()[i], scipy.entropy())
    d = made("MultivariateNormal-factor")
    covariance = np.array(FACTOR) @ np.array(FACTOR).T
    close(
        d.log_prob(x.unsqueeze(1))[:, 0],
        stats.multivariate_normal(loc, covariance).logpdf(x.numpy()),
    )
    close(d.variance, np.broadcast_to(np.diag(covariance), (2, 3)))


@pytest.mark.parametrize("name", ["LowRankMultivariateNormal", "LowRankMultivariateNormal-batch"])
def test_low_rank_is_the_full_normal(name):
    d = made(name)
    full = D.MultivariateNormal(d.loc, d.covariance_matrix)
    x = drawn(d, 5)
    for a, b in (
        (d.log_prob(x), full.log_prob(x)),
        (d.entropy(), full.entropy()),
        (d.variance, full.variance),
        (d.scale_tril, full.scale_tril),
        (d.precision_matrix, full.precision_matrix),
    ):
        close(a, b)


@pytest.mark.parametrize(
    "name", ["MultivariateNormal-precision", "Wishart-precision", "Wishart-factor"]
)
def test_the_three_matrices_belong_together(name):
    d = made(name)
    one = np.broadcast_to(np.eye(3), d.covariance_matrix.shape)
    close(d.covariance_matrix @ d.precision_matrix, one)
    close(d.scale_tril @ d.scale_tril.mT, d.covariance_matrix)


def test_wishart_by_scipy():
    d = made("Wishart")
    x = drawn(d, 4)
    for i, df in enumerate((4.5, 7.0)):
        scipy = stats.wishart(df, MATRIX)
        close(d.log_prob(x)[:, i], [scipy.logpdf(m) for m in x[:, i].numpy()])
        close(d.entropy()[i], scipy.entropy())
        close(d.mean[i], scipy.mean())
        close(d.variance[i], scipy.var())
    close(d.mode[1], stats.wishart(7.0, MATRIX).mode())


def test_dirichlet_by_scipy():
    d = made("Dirichlet")
    x = drawn(d, 4)
    for i, a in enumerate(d.concentration.numpy()):
        scipy = stats.dirichlet(a)
        close(d.log_prob(x)[:, i], [scipy.logpdf(v / v.sum()) for v in x[:, i].numpy()], 1e-8)
        close(d.entropy()[i], scipy.entropy())
        close(d.mean[i], scipy.mean())
        close(d.variance[i], scipy.var())


def test_multinomial_by_scipy():
    d = made("Multinomial")
    x = drawn(d, 6)
    for i, p in enumerate(d.probs.numpy()):
        scipy = stats.multinomial(4, p)
        close(d.log_prob(x)[:, i], scipy.logpmf(x[:, i].numpy()))
        close(d.entropy()[i], scipy.entropy())


def test_von_mises_by_scipy():
    d = made("VonMises")
    scipy = stats.vonmises(d.concentration.numpy(), d.loc.numpy())
    x = drawn(d, 9)
    close(d.log_prob(x), scipy.logpdf(x.numpy()))


def test_logistic_normal_of_two_is_a_logit_normal():
    d = D.LogisticNormal(t([0.3]), t([0.8]))
    x = drawn(d, 5)
    p = x[:, 0].numpy()
    z = np.log(p) - np.log1p(-p)
    expected = stats.norm(0.3, 0.8).logpdf(z) - np.log(p) - np.log1p(-p)
    close(d.log_prob(x), expected)


@pytest.mark.parametrize("eta", [0.7, 1.0, 3.0])
def test_lkj_of_two_is_a_beta(eta):
    """The correlation r of a 2 x 2 matrix has density (1 - r^2)^(eta - 1); dr/dr of the factor is 1."""
    d = D.LKJCholesky(2, t(eta))
    x = drawn(d, 6)
    r = x[:, 1, 0].numpy()
    close(d.log_prob(x), stats.beta(eta, eta).logpdf((1 + r) / 2) - np.log(2), 1e-8)


@pytest.mark.parametrize("name", ["RelaxedBernoulli", "Kumaraswamy", "ContinuousBernoulli"])
def test_the_density_over_the_unit_interval_is_1(name):
    d = made(name)
    nodes, weights = np.polynomial.legendre.leggauss(100)
    u = (nodes + 1) / 2
    x = u**2 * (3 - 2 * u)  # denser at the ends, where densities may be infinite
    values = d.log_prob(t(x[:, None].tolist())).exp().numpy() * (6 * u * (1 - u))[:, None]
    close(weights @ values / 2, np.ones(values.shape[1]), 2e-3)


def test_relaxed_one_hot_of_two_is_the_relaxed_bernoulli():
    binary = D.RelaxedBernoulli(t(0.7), t([0.2]))
    both = D.RelaxedOneHotCategorical(t(0.7), t([0.2, 0.8]))
    x = drawn(binary, 5)
    close(both.log_prob(dc.stack((x, 1 - x), -1)[:, 0]), binary.log_prob(x)[:, 0], 1e-8)


def test_near_the_middle_continuous_bernoulli_uses_series():
    for p in (0.4985, 0.4995, 0.5, 0.5005):
        exact = D.ContinuousBernoulli(t(p), lims=(0.5, 0.5) if p != 0.5 else (0.49, 0.51))
        d = D.ContinuousBernoulli(t(p))
        x = t([0.1, 0.6])
        for a, b in (
            (d.mean, exact.mean),
            (d.variance, exact.variance),
            (d.log_prob(x), exact.log_prob(x)),
            (d.cdf(x), exact.cdf(x)),
            (d.icdf(x), exact.icdf(x)),
            (d.entropy(), exact.entropy()),
        ):
            close(a, b, 3e-6)


def test_continuous_bernoulli_of_large_odds_is_exponential_at_an_end():
    d = D.ContinuousBernoulli(logits=t([60.0, -60.0]))
    x = t([0.9, 0.1])
    close(d.cdf(x), [np.exp(-6), 1 - np.exp(-6)])
    close(d.icdf(d.cdf(x)), x, 1e-12)
    close(d.icdf(t([[0.0], [1.0]])), [[0, 0], [1, 1]])
    close(d.mean, [1 - 1 / 60, 1 / 60])
    close(d.entropy(), [1 - np.log(60)] * 2)


def test_a_mixture_is_the_weighted_sum():
    d = made("MixtureSameFamily")
    x = drawn(d, 5)
    parts = d.component_distribution.log_prob(x.unsqueeze(-1)).exp().numpy()
    weights = d.mixture_distribution.probs.numpy()
    close(d.log_prob(x).exp(), (parts * weights).sum(-1))


def test_values_that_are_impossible():
    assert D.Poisson(t(0.0)).log_prob(t(0.0)).item() == 0
    assert D.Uniform(0.0, 1.0, validate_args=False).log_prob(dc.tensor(2.0)).item() == -np.inf
    assert D.Geometric(t(1.0)).log_prob(t(0.0)).item() == 0
    assert D.Binomial(3, t(0.0)).log_prob(t(0.0)).item() == pytest.approx(0, abs=1e-12)
    assert D.HalfNormal(1.0, validate_args=False).log_prob(dc.tensor(-1.0)).item() == -np.inf
    assert D.HalfCauchy(1.0, validate_args=False).log_prob(dc.tensor(-1.0)).item() == -np.inf
    assert D.NegativeBinomial(t(0.0), t(0.5)).log_prob(t(0.0)).item() == 0
    multinomial = D.Multinomial(2, t([0.5, 0.5, 0.0]))
    close(multinomial.log_prob(t([1.0, 1.0, 0.0])), np.log(0.5), 1e-7)


def test_survival_of_generalized_pareto():
    d, scipy = peer("GeneralizedPareto")
    x = drawn(d, 5)
    close(d.log_survival_function(x), scipy.logsf(x.numpy()), 1e-8)
    close(d.log_cdf(x), scipy.logcdf(x.numpy()), 1e-8)
