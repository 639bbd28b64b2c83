"""Gamma, Dirichlet and binomial numbers, and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import dispatch_core as dc
from dispatch_core.ops import dirichlet_grad, sample_dirichlet, standard_gamma, standard_gamma_grad

CONCENTRATIONS = np.array([0.03, 0.3, 0.9, 1.0, 2.5, 20.0, 1e3, 1e5])
PLACES = np.array([1e-3, 0.1, 0.5, 0.9, 0.999])[:, None]


def f64(values):
    return dc.tensor(np.array(values, dtype=float))


def test_gamma_numbers_move_as_the_quantile_does():
    a = np.broadcast_to(CONCENTRATIONS, (len(PLACES), len(CONCENTRATIONS)))
    x = special.gammaincinv(a, PLACES)
    step = 1e-5 * a
    slope = (special.gammaincinv(a + step, PLACES) - special.gammaincinv(a - step, PLACES)) / (
        2 * step
    )
    known = x > 1e-250
    found = standard_gamma_grad(f64(a), f64(x)).numpy()
    np.testing.assert_allclose(found[known], slope[known], rtol=2e-6)


@pytest.mark.parametrize("b", [0.3, 1.0, 40.0, 5e3])
def test_beta_numbers_move_as_the_quantile_does(b):
    a = np.broadcast_to(CONCENTRATIONS, (len(PLACES), len(CONCENTRATIONS)))
    x = special.betaincinv(a, b, PLACES)
    step = 1e-5 * a
    slope = (special.betaincinv(a + step, b, PLACES) - special.betaincinv(a - step, b, PLACES)) / (
        2 * step
    )
    known = (x > 1e-250) & (x < 1 - 1e-6)
    found = dirichlet_grad(f64(x), f64(a), f64(a + b)).numpy() * (1 - x)
    np.testing.assert_allclose(found[known], slope[known], rtol=1e-5)


def test_at_the_ends_derivatives_are_finite():
    a = f64([1e-3, 1e-3, 1.0, 1e8, 1e-2])
    assert dc.isfinite(standard_gamma_grad(a, f64([0.0, 5.0, 1e-300, 1e8, 40.0]))).all()
    assert dc.isfinite(dirichlet_grad(f64([0.0, 1.0, 0.5, 0.5, 1 - 1e-16]), a, a + 1)).all()


@pytest.mark.parametrize("a", [0.01, 0.7, 1.0, 3.0, 1e4])
def test_gamma_numbers(a):
    dc.manual_seed(2)
    x = standard_gamma(dc.full((4000,), a, dtype=dc.float64)).numpy()
    if a < 0.1:  # much of it underflows near 0
        x = np.maximum(x, 1e-300)
    assert stats.kstest(stats.gamma(a).cdf(x), "uniform").pvalue > 1e-4


def test_gamma_numbers_have_gradients_of_both_orders():
    a = f64([0.5, 2.0]).requires_grad_()
    dc.manual_seed(0)
    x = standard_gamma(a)
    (first,) = dc.autograd.grad(x.sum(), a, create_graph=True)
    assert (first > 0).all()
    (second,) = dc.autograd.grad(first.sum(), a)
    assert dc.isfinite(second).all()
    values = x.detach()
    assert dc.autograd.gradcheck(standard_gamma_grad, (a, values.requires_grad_()))


def test_dirichlet_numbers_lie_on_the_simplex():
    x = sample_dirichlet(dc.full((50, 4), 1e-3))
    np.testing.assert_allclose(x.sum(-1).numpy(), 1, rtol=1e-6)
    assert ((x > 0) & (x < 1)).all()


BINOMIAL = [
    (0, 0.5),
    (1, 0.3),
    (7, 0.0),
    (7, 1.0),
    (20, 0.05),
    (60, 0.5),
    (1000, 0.9),
    (10**6, 1e-3),
]


@pytest.mark.parametrize(("n", "p"), BINOMIAL)
def test_binomial_numbers(n, p):
    dc.manual_seed(4)
    x = dc.binomial(dc.full((4000,), float(n), dtype=dc.float64), f64(p)).numpy()
    assert ((x >= 0) & (x <= n) & (x == np.floor(x))).all()
    for k in np.unique(np.floor(n * p + np.arange(-3, 4) * np.sqrt(n * p * (1 - p)))):
        share = stats.binom(n, p).cdf(k)
        assert abs((x <= k).mean() - share) < 5 * np.sqrt(share * (1 - share) / 4000) + 1e-9


def test_binomial_shapes_and_dtypes():
    assert dc.binomial(dc.ones(3, 1), dc.ones(2) / 2).shape == (3, 2)
    assert dc.binomial(dc.ones(0), dc.ones(0)).shape == (0,)
    assert dc.binomial(dc.ones(2), dc.ones(2) / 2).dtype is dc.float32
    count, prob = dc.ones(3).requires_grad_(), (dc.ones(3) / 2).requires_grad_()
    dc.binomial(count, prob).sum().backward()
    assert prob.grad.tolist() == [0, 0, 0]


def test_a_generator_is_taken():
    first, second = (dc.Generator().manual_seed(7) for _ in range(2))
    a = dc.full((20,), 0.4)
    assert dc.equal(standard_gamma(a, first), standard_gamma(a, second))
    n = dc.full((20,), 50.0)
    assert dc.equal(dc.binomial(n, a, generator=first), dc.binomial(n, a, generator=second))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.binomial(-dc.ones(2), dc.ones(2)), RuntimeError, "count >= 0"),
        (lambda: dc.binomial(dc.ones(2), 2 * dc.ones(2)), RuntimeError, r"prob in \[0, 1\]"),
        (lambda: dc.binomial(dc.ones(2), f64([0.5, 0.5])), ValueError, "of one dtype"),
        (lambda: standard_gamma(dc.zeros(2)), RuntimeError, "concentrations > 0"),
        (lambda: sample_dirichlet(dc.ones(())), RuntimeError, "at least one dimension"),
        (lambda: sample_dirichlet(-dc.ones(2)), RuntimeError, "concentrations > 0"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_on_meta_only_shapes_are_known():
    a = dc.ones(3, 2, device="meta")
    assert standard_gamma(a).shape == (3, 2)
    assert dc.binomial(a, a).shape == (3, 2)
    assert sample_dirichlet(a).shape == (3, 2)


def test_what_is_not_finite_comes_to_an_end():
    nan, inf = float("nan"), float("inf")
    x = standard_gamma(f64([nan, inf, 1.0]))
    assert x[0].isnan()
    assert x[1].isposinf()
    assert x[2].isfinite()
    assert sample_dirichlet(f64([nan, 1.0])).isnan().all()
    assert not dc.binomial(f64([inf]), f64([0.5])).isfinite().any()
    assert dc.poisson(f64([inf, 3.0])).isposinf().tolist() == [True, False]
    angles = dc.distributions.VonMises(
        f64([0.0, 0.0]), f64([nan, 1.0]), validate_args=False
    ).sample()
    assert angles.isnan().tolist() == [True, False]
