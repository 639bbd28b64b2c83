"""KL divergences, against numeric integration, sums and samples; how formulas are found."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import dispatch_core as dc
from tests.distributions.cases import ACROSS, DISTRIBUTIONS, SECOND
from tests.distributions.common import D, close, drawn, made, t

PAIRS = {name: (DISTRIBUTIONS[name], second) for name, second in SECOND.items()} | ACROSS
N = 20000


@pytest.mark.parametrize("name", PAIRS)
def test_divergence_is_the_mean_of_the_difference_of_logarithms(name):
    p, q = (case(D, t) for case in PAIRS[name])
    found = D.kl_divergence(p, q).numpy()
    x = drawn(p, N)
    terms = (p.log_prob(x) - q.log_prob(x)).numpy()
    assert found.shape == terms.shape[1:]
    error = terms.std(0) / np.sqrt(N)
    assert (np.abs(terms.mean(0) - found) < 5.5 * error + 1e-9).all()


@pytest.mark.parametrize("name", [n for n in SECOND if n not in ("Pareto", "Uniform")])
def test_divergence_from_itself_is_0_and_grows(name):
    p = SECOND[name](D, t)
    found = D.kl_divergence(p, SECOND[name](D, t))
    close(found, np.zeros(found.shape), 1e-9)
    assert (D.kl_divergence(made(name), p) > 0).all()


SUMS = ["Bernoulli", "Categorical", "OneHotCategorical", "Binomial"]


@pytest.mark.parametrize("name", SUMS)
def test_divergence_is_a_sum_over_the_support(name):
    p, q = made(name), SECOND[name](D, t)
    x = p.enumerate_support()
    p_log, q_log = p.log_prob(x), q.log_prob(x)
    close(D.kl_divergence(p, q), (p_log.exp() * (p_log - q_log)).sum(0), 1e-9)


INFINITE = {
    "Binomial": lambda: (D.Binomial(5, t(0.4)), D.Binomial(3, t(0.4))),
    "Bernoulli": lambda: (D.Bernoulli(t(0.4)), D.Bernoulli(t(0.0))),
    "Bernoulli-1": lambda: (D.Bernoulli(t(0.4)), D.Bernoulli(t(1.0))),
    "Categorical": lambda: (D.Categorical(t([0.5, 0.5])), D.Categorical(t([1.0, 0.0]))),
    "Pareto": lambda: (D.Pareto(t(1.0), t(2.0)), D.Pareto(t(2.0), t(2.0))),
    "Uniform": lambda: (D.Uniform(t(0.0), t(2.0)), D.Uniform(t(0.5), t(3.0))),
    "Beta-Uniform": lambda: (D.Beta(t(1.0), t(2.0)), D.Uniform(t(0.5), t(3.0))),
    "Uniform-Beta": lambda: (D.Uniform(t(0.0), t(2.0)), D.Beta(t(1.0), t(2.0))),
    "Uniform-Exponential": lambda: (D.Uniform(t(-1.0), t(2.0)), D.Exponential(t(2.0))),
    "Uniform-Gamma": lambda: (D.Uniform(t(-1.0), t(2.0)), D.Gamma(t(2.0), t(1.0))),
    "Uniform-Pareto": lambda: (D.Uniform(t(0.5), t(2.0)), D.Pareto(t(1.0), t(1.0))),
    "Pareto-Exponential": lambda: (D.Pareto(t(1.0), t(0.9)), D.Exponential(t(2.0))),
    "Pareto-Gamma": lambda: (D.Pareto(t(1.0), t(0.9)), D.Gamma(t(2.0), t(1.0))),
    "Pareto-Normal": lambda: (D.Pareto(t(1.0), t(1.9)), D.Normal(t(2.0), t(1.0))),
    "Normal-Beta": lambda: (D.Normal(t(2.0), t(1.0)), D.Beta(t(1.0), t(1.0))),
    "Poisson-Bernoulli": lambda: (D.Poisson(t(2.0)), D.Bernoulli(t(0.4))),
}


@pytest.mark.parametrize("name", INFINITE)
def test_what_p_has_and_q_excludes_is_infinitely_far(name):
    assert D.kl_divergence(*INFINITE[name]()).item() == np.inf


def test_impossible_values_of_p_do_not_count():
    close(D.kl_divergence(D.Bernoulli(t(1.0)), D.Bernoulli(t(0.5))), np.log(2), 1e-9)
    close(D.kl_divergence(D.Categorical(t([1.0, 0.0])), D.Categorical(t([0.5, 0.5]))), np.log(2))
    within = D.Uniform(t(0.0), t(1.0)), D.Uniform(t(-1.0), t(1.0))
    close(D.kl_divergence(*within), np.log(2))
    pair = D.Uniform(t(2.0), t(3.0)), D.Pareto(t(1.0), t(1.5))
    x = np.linspace(2, 3, 2001)[:-1] + 1 / 4000
    close(D.kl_divergence(*pair), -pair[1].log_prob(t(x.tolist())).mean(), 1e-6)
    unit = D.Beta(t(2.0), t(3.0)), D.Uniform(t(-1.0), t(1.5))
    close(D.kl_divergence(*unit), np.log(2.5) - unit[0].entropy())


def test_divergences_are_differentiable():
    loc = t([0.0, 1.0]).requires_grad_()
    D.kl_divergence(D.Normal(loc, t(1.0)), D.Normal(t(0.5), t(2.0))).sum().backward()
    close(loc.grad, [-0.125, 0.125])
    df = t(6.0).requires_grad_()
    p = D.Wishart(df, covariance_matrix=t([[1.0, 0.0], [0.0, 1.0]]))
    D.kl_divergence(p, D.Wishart(t(5.0), covariance_matrix=t([[1.0, 0.0], [0.0, 1.0]]))).backward()
    assert df.grad.item() > 0


def test_every_exponential_family_has_the_divergence_of_its_normaliser():
    from dispatch_core.distributions.kl._families import _exponential_family

    for name in ("Bernoulli", "Beta", "Dirichlet", "Exponential", "Gamma", "Normal", "Poisson"):
        p, q = made(name), SECOND[name](D, t)
        if p.batch_shape == q.batch_shape:
            close(_exponential_family(p, q), D.kl_divergence(p, q), 1e-8)


def test_batches_broadcast():
    p = D.Normal(t([[0.0], [1.0]]), t(1.0))
    q = D.Normal(t([0.0, 1.0, 2.0]), t(1.0))
    assert D.kl_divergence(p, q).shape == (2, 3)
    p = D.MultivariateNormal(dc.zeros(2, 1, 3), dc.eye(3))
    q = D.MultivariateNormal(dc.ones(4, 3), 2 * dc.eye(3).expand(4, 3, 3))
    assert D.kl_divergence(p, q).shape == (2, 4)


# -- the table -------------------------------------------------------------------------------------


class Shifted(D.Normal):
    pass


class Twice(Shifted):
    pass


def test_the_nearest_formula_is_taken():
    close(D.kl_divergence(Twice(0.0, 1.0), Shifted(0.0, 1.0)), 0)

    @D.register_kl(Shifted, D.Normal)
    def _shifted(p, q):
        return dc.tensor(7.0)

    assert D.kl_divergence(Twice(0.0, 1.0), D.Normal(0.0, 1.0)).item() == 7
    assert D.kl_divergence(D.Normal(0.0, 1.0), Twice(0.0, 1.0)).item() == 0

    @D.register_kl(D.Normal, Shifted)
    def _to_shifted(p, q):
        return dc.tensor(8.0)

    with pytest.warns(RuntimeWarning, match="Ambiguous kl_divergence"):
        assert D.kl_divergence(Twice(0.0, 1.0), Twice(0.0, 1.0)).item() == 7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert D.kl_divergence(Twice(0.0, 1.0), Twice(0.0, 1.0)).item() == 7  # remembered


def test_pairs_without_a_formula():
    with pytest.raises(NotImplementedError, match="No KL.*StudentT and q type Normal"):
        D.kl_divergence(D.StudentT(1.0), D.Normal(0.0, 1.0))
    with pytest.raises(NotImplementedError, match="different exponential families"):
        D.kl_divergence(D.Exponential(1.0), D.Poisson(1.0))
    with pytest.raises(NotImplementedError, match="same transforms"):
        D.kl_divergence(D.LogNormal(0.0, 1.0), D.HalfNormal(1.0))
    d = D.Normal(dc.zeros(2, 2), 1.0)
    with pytest.raises(NotImplementedError, match="reinterpreted_batch_ndims"):
        D.kl_divergence(D.Independent(d, 1), D.Independent(d, 2))
    with pytest.raises(NotImplementedError, match=r"q.total_count > p.total_count"):
        D.kl_divergence(D.Binomial(2, dc.tensor(0.5)), D.Binomial(3, dc.tensor(0.5)))
    one = D.MultivariateNormal(dc.zeros(2), dc.eye(2))
    with pytest.raises(ValueError, match="different event shapes"):
        D.kl_divergence(one, D.MultivariateNormal(dc.zeros(3), dc.eye(3)))
    with pytest.raises(TypeError, match="Expected type_q to be a Distribution subclass"):
        D.register_kl(D.Normal, int)
