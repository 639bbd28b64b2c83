"""Samples: their shapes, whether they come from the distribution, and how they move with the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import dispatch_core as dc
from tests.distributions.cases import DISTRIBUTIONS
from tests.distributions.common import D, close, drawn, every, made, t
from tests.distributions.test_densities import DISCRETE, SCIPY, peer

N = 4000


@every()
def test_shape_dtype_and_support(name):
    d = made(name)
    x = drawn(d, 2, 5)
    assert x.shape == (2, 5, *d.batch_shape, *d.event_shape)
    assert x.dtype is (dc.int64 if name.startswith("Categorical") else dc.float64)
    assert not x.requires_grad
    assert d.support.check(x).all()
    assert d.log_prob(x).shape == (2, 5, *d.batch_shape)
    assert d.sample().shape == d.batch_shape + d.event_shape


@every()
def test_a_seed_gives_the_same_numbers(name):
    d = made(name)
    assert dc.equal(drawn(d, 3, seed=5), drawn(d, 3, seed=5))
    assert drawn(d, 0).shape[0] == 0


@pytest.mark.parametrize("name", [n for n in SCIPY if n not in DISCRETE])
def test_continuous_samples_pass_kolmogorov_and_smirnov(name):
    d, scipy = peer(name)
    u = scipy.cdf(drawn(d, N).numpy()).reshape(N, -1)
    for column in u.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("name", ["ContinuousBernoulli", "Kumaraswamy", "MixtureSameFamily"])
def test_samples_pass_by_their_own_cdf(name):
    d = made(name)
    for column in d.cdf(drawn(d, N)).numpy().T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("name", ["VonMises"])
def test_angles_pass(name):
    d = made(name)
    scipy = stats.vonmises(d.concentration.numpy())
    x = drawn(d, N).numpy()
    assert (np.abs(x) <= np.pi).all()
    turned = (x - d.loc.numpy() + np.pi) % (2 * np.pi) - np.pi
    for column in scipy.cdf(turned).T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("name", sorted(DISCRETE - {"Categorical"}))
def test_counts_are_as_frequent_as_likely(name):
    d, scipy = peer(name)
    x = drawn(d, N).numpy()
    for k in range(6):
        p = scipy.pmf(k)
        error = np.sqrt(p * (1 - p) / N) + 1e-9
        assert (np.abs((x == k).mean(0) - p) < 5 * error).all()


NO_MOMENTS = ("Cauchy", "HalfCauchy", "FisherSnedecor", "GeneralizedPareto", "InverseGamma", "Pareto",
              "StudentT", "Categorical", "VonMises")  # fmt: skip
UNKNOWN = (
    "ExpRelaxedCategorical", "LKJCholesky", "LogisticNormal", "LogitRelaxedBernoulli",
    "RelaxedBernoulli", "RelaxedOneHotCategorical", "TransformedDistribution",
)  # fmt: skip


@every(*NO_MOMENTS, *UNKNOWN)
def test_mean_and_variance_of_samples(name):
    d = made(name)
    x = drawn(d, N).numpy()
    error = x.std(0) / np.sqrt(N)
    assert (np.abs(x.mean(0) - d.mean.numpy()) < 5 * error + 1e-9).all()
    square = (x - d.mean.numpy()) ** 2
    error = square.std(0) / np.sqrt(N)
    assert (np.abs(square.mean(0) - d.variance.numpy()) < 6 * error + 1e-9).all()


def test_mixtures_choose_components_for_each_sample():
    d = made("MixtureSameFamily-vectors")
    x = drawn(d, N).numpy()
    near = np.linalg.norm(x - [2, 3], axis=-1) < np.linalg.norm(x - [0, 1], axis=-1)
    assert 0.6 < near.mean() < 0.75


@pytest.mark.parametrize("eta", [0.6, 1.0, 4.0])
def test_lkj_correlations_have_beta_margins(eta):
    d = D.LKJCholesky(3, t(eta))
    factor = drawn(d, N).numpy()
    correlation = factor @ factor.swapaxes(-1, -2)
    close(np.diagonal(correlation, 0, -2, -1), np.ones((N, 3)))
    a = eta + 0.5
    for i, j in ((1, 0), (2, 0), (2, 1)):
        u = stats.beta(a, a).cdf((1 + correlation[:, i, j]) / 2)
        assert stats.kstest(u, "uniform").pvalue > 1e-4


def test_wishart_log_determinants():
    d = D.Wishart(t(4.5), covariance_matrix=t(np.eye(2).tolist()))
    found = np.linalg.slogdet(drawn(d, N).numpy())[1]
    expected = special.digamma(4.5 / 2) + special.digamma(3.5 / 2) + 2 * np.log(2)
    assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(N)


# -- under vmap -----------------------------------------------------------------------------------

BATCHED = {
    "Gamma": (lambda c: D.Gamma(c, t(2.0)), lambda c: stats.gamma(c, scale=0.5)),
    "Beta": (lambda c: D.Beta(c, t(2.0)), lambda c: stats.beta(c, 2)),
    "Poisson": (lambda c: D.Poisson(10 * c), lambda c: stats.poisson(10 * c)),
    "Binomial": (lambda c: D.Binomial(40, c / 4), lambda c: stats.binom(40, c / 4)),
    "VonMises": (lambda c: D.VonMises(t(0.0), c), lambda c: stats.vonmises(c)),
}


@pytest.mark.parametrize("randomness", ["same", "different"])
@pytest.mark.parametrize("name", BATCHED)
def test_vmap_over_parameters(name, randomness):
    ours, scipy = BATCHED[name]
    values = np.array([0.4, 3.0])
    dc.manual_seed(0)
    draw = dc.vmap(lambda c: ours(c).sample((2000,)), randomness=randomness)
    found = draw(t(values.tolist())).numpy()
    error = found.std(1) / np.sqrt(2000)
    assert (np.abs(found.mean(1) - [scipy(v).mean() for v in values]) < 5 * error).all()


def test_vmap_without_parameters():
    dc.manual_seed(0)
    found = dc.vmap(lambda _: D.Gamma(t(0.5), t(1.0)).sample((2000,)), randomness="different")(
        dc.ones(3)
    )
    assert stats.kstest(stats.gamma(0.5).cdf(found.numpy().ravel()), "uniform").pvalue > 1e-4
    log_prob = dc.vmap(lambda m: D.MultivariateNormal(t([0.0, 0.0]), m).log_prob(t([1.0, 0.0])))
    close(log_prob(t([[[1.0, 0.0], [0.0, 1.0]]])), [-0.5 - np.log(2 * np.pi)])
    with pytest.raises(RuntimeError, match="randomness error mode"):
        dc.vmap(lambda c: D.Gamma(c, 1.0).sample())(dc.ones(2))


# -- gradients -------------------------------------------------------------------------------------

PARAMETERS = {
    "Beta": (("concentration1", "concentration0"), lambda u, a, b: special.betaincinv(a, b, u)),
    "Cauchy": (("loc", "scale"), lambda u, m, s: stats.cauchy(m, s).ppf(u)),
    "Chi2": (("df",), lambda u, k: 2 * special.gammaincinv(k / 2, u)),
    "Exponential": (("rate",), lambda u, r: -np.log1p(-u) / r),
    "Gamma": (("concentration", "rate"), lambda u, a, r: special.gammaincinv(a, u) / r),
    "Gumbel": (("loc", "scale"), lambda u, m, s: m - s * np.log(-np.log(u))),
    "HalfCauchy": (("scale",), lambda u, s: stats.halfcauchy(scale=s).ppf(u)),
    "HalfNormal": (("scale",), lambda u, s: stats.halfnorm(scale=s).ppf(u)),
    "InverseGamma": (
        ("concentration", "rate"),
        lambda u, a, r: r / special.gammainccinv(a, u),
    ),
    "Kumaraswamy": (
        ("concentration1", "concentration0"),
        lambda u, a, b: (1 - (1 - u) ** (1 / b)) ** (1 / a),
    ),
    "Laplace": (("loc", "scale"), lambda u, m, s: stats.laplace(m, s).ppf(u)),
    "LogNormal": (("loc", "scale"), lambda u, m, s: np.exp(m + s * special.ndtri(u))),
    "Normal": (("loc", "scale"), lambda u, m, s: m + s * special.ndtri(u)),
    "Pareto": (("scale", "alpha"), lambda u, m, a: m * (1 - u) ** (-1 / a)),
    "Uniform": (("low", "high"), lambda u, a, b: a + (b - a) * u),
    "Weibull": (("scale", "concentration"), lambda u, s, k: s * (-np.log1p(-u)) ** (1 / k)),
    "GeneralizedPareto": (
        ("loc", "scale", "concentration"),
        lambda u, m, s, k: m + s * ((1 - u) ** -k - 1) / k,
    ),
}
"""Parameters of distributions of numbers, and their quantile functions."""
VALUES = {"GeneralizedPareto": [0.5, 2.0, 0.3], "Uniform": [0.5, 2.0]}


@pytest.mark.parametrize("name", PARAMETERS)
def test_samples_move_as_quantiles_do(name):
    """The derivative of a sample is that of the quantile function where the sample lies in the cdf."""
    names, quantile = PARAMETERS[name]
    values = np.array(VALUES.get(name, [1.3, 2.1][: len(names)]))
    parameters = [t(np.full(12, v).tolist()).requires_grad_() for v in values]
    dc.manual_seed(1)
    x = getattr(D, name)(*parameters).rsample()
    x.sum().backward()
    low, high = np.zeros(12), np.ones(12)
    for _ in range(60):  # the place of the sample, by bisection
        u = (low + high) / 2
        below = quantile(u, *values) < x.detach().numpy()
        low, high = np.where(below, u, low), np.where(below, high, u)
    for i, parameter in enumerate(parameters):
        step = np.eye(len(values))[i] * 1e-5
        slope = (quantile(u, *(values + step)) - quantile(u, *(values - step))) / 2e-5
        close(parameter.grad, slope, 2e-5)


def test_fishersnedecor_student_and_wishart_move():
    """Their means do as they should: the gradient of the mean of samples is that of the mean."""
    df = t(6.0).requires_grad_()
    dc.manual_seed(0)
    D.FisherSnedecor(t(5.0), df).rsample((N,)).mean().backward()
    assert abs(df.grad.item() - -2 / 16) < 0.05
    df = t([5.0]).requires_grad_()
    (D.StudentT(df).rsample((N,)).clamp(-3, 3) ** 2).mean().backward()
    assert df.grad.item() < 0  # tails become lighter
    factor = t([[1.2, 0.0], [0.3, 0.8]]).requires_grad_()
    D.Wishart(t(5.0), scale_tril=factor).rsample((N,)).mean(0).sum().backward()
    column = factor.detach().sum(0)
    close(factor.grad, 10 * column.expand(2, 2), 0.8)


def test_dirichlet_moves_along_the_simplex():
    """Gradients of means of functions are those of the means: E x_0^2 = a (a + 1) / (s (s + 1))."""
    a = t([0.6, 1.0, 2.0]).requires_grad_()
    dc.manual_seed(0)
    x = D.Dirichlet(a).rsample((20000,))
    (x[:, 0] ** 2).mean().backward()
    b = t([0.6, 1.0, 2.0]).requires_grad_()
    s = b.sum()
    (b[0] * (b[0] + 1) / (s * (s + 1))).backward()
    close(a.grad, b.grad, 0.01)
    (total,) = dc.autograd.grad(D.Dirichlet(a).rsample().sum(), a)
    close(total, np.zeros(3), 1e-9)


@pytest.mark.parametrize(
    "name",
    [n for n, case in DISTRIBUTIONS.items() if case(D, t).has_rsample and "Straight" not in n],
)
def test_rsample_gives_what_sample_gives(name):
    d = made(name)
    dc.manual_seed(3)
    x = d.rsample((2,))
    close(x, drawn(d, 2, seed=3))


def test_straight_through_has_the_gradient_of_probs():
    logits = t([0.2, 0.3, 0.5]).requires_grad_()
    d = D.OneHotCategoricalStraightThrough(logits=logits)
    x = d.rsample((5,))
    assert D.constraints.one_hot.check(x.round()).all()
    (x * t([1.0, 2.0, 3.0])).sum().backward()
    expected = t([0.2, 0.3, 0.5]).requires_grad_()
    (expected.softmax(0) * t([1.0, 2.0, 3.0]) * 5).sum().backward()
    close(logits.grad, expected.grad)


@every()
def test_without_rsample_it_says_so(name):
    d = made(name)
    if d.has_rsample:
        assert d.rsample((2,)).shape[0] == 2
    else:
        with pytest.raises(NotImplementedError, match="reparameterised"):
            d.rsample()


@every("StraightThrough")
def test_log_prob_is_differentiable_twice_by_parameters(name):
    """The mean of the score under the distribution is 0; here only that it can be computed."""
    d = made(name)
    parameter = next(iter(d.arg_constraints), None)
    if parameter not in vars(d):
        return
    x = drawn(d)
    value = vars(d)[parameter].detach().clone().requires_grad_()
    vars(d)[parameter] = value
    result = d.log_prob(x).sum()
    if result.requires_grad:
        (grad,) = dc.autograd.grad(result, value, create_graph=True, allow_unused=True)
        assert grad is None or dc.isfinite(grad).all()


# -- on other devices ------------------------------------------------------------------------------


def on(device):
    return lambda values: dc.tensor(values, dtype=dc.float64, device=device)


@every()
def test_every_device_gives_the_same_numbers(name):
    d = DISTRIBUTIONS[name](D, on("example"))
    x = drawn(d, 3)
    assert x.device.type == "example"
    y = drawn(made(name), 3)
    close(x.cpu(), y)
    close(d.log_prob(x).detach().cpu(), made(name).log_prob(y), 1e-8)


@every()
def test_without_data_shapes_are_known(name):
    d = DISTRIBUTIONS[name](D, on("meta"))
    x = drawn(d, 3)
    assert x.device.type == "meta"
    assert x.shape == (3, *d.batch_shape, *d.event_shape)
    assert d.log_prob(x).shape == (3, *d.batch_shape)
