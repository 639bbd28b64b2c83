"""Wrong arguments and values: the class of PyTorch's error, and a message that says what came."""

from __future__ import annotations

import pytest

import dispatch_core as dc
from tests.distributions.common import D, drawn, every, made, t

NORMAL = D.Normal(t([0.0, 1.0, 2.0]), t(1.0))
THREE = D.Categorical(dc.ones(3))

MISTAKES = {
    "scale": (lambda: D.Normal(0.0, -1.0), ValueError, r"Expected parameter scale \(Tensor of shape \(\)\)"),
    "nan": (lambda: D.Normal(float("nan"), 1.0), ValueError, r"satisfy the constraint Real\(\)"),
    "text": (lambda: D.Normal("a", 1.0), ValueError, "must all be instances of Number or Tensor.*str"),
    "list": (lambda: D.Normal([0.0], 1.0), ValueError, "but got list, float"),
    "both": (lambda: D.Bernoulli(0.5, logits=0.0), ValueError, "Either `probs` or `logits`"),
    "neither": (lambda: D.Categorical(), ValueError, "Either `probs` or `logits`"),
    "probs": (lambda: D.Bernoulli(1.5), ValueError, "Expected parameter probs"),
    "simplex": (lambda: D.Categorical(t([-1.0, 3.0])), ValueError, r"Simplex\(\)"),
    "0-d": (lambda: D.Categorical(t(1.0)), ValueError, "`probs` parameter must be at least one-dim"),
    "0-d logits": (lambda: D.OneHotCategorical(logits=t(1.0)), ValueError, "`logits` parameter must be"),
    "0-d dirichlet": (lambda: D.Dirichlet(t(1.0)), ValueError, "`concentration` parameter must be"),
    "geometric": (lambda: D.Geometric(t([0.5, 0.0])), ValueError, "to be positive"),
    "negative count": (lambda: D.Binomial(-1, t(0.5)), ValueError, "Expected parameter total_count"),
    "counts": (lambda: D.Multinomial(t(3.0), dc.ones(3)), NotImplementedError, "inhomogeneous total_count"),
    "uniform": (lambda: D.Uniform(1.0, 0.0), ValueError, "Expected parameter low"),
    "0-d loc": (lambda: D.MultivariateNormal(t(0.0), dc.eye(1)), ValueError, "loc must be at least one"),
    "no matrix": (lambda: D.MultivariateNormal(t([0.0])), ValueError, "Exactly one of covariance_matrix"),
    "vector": (lambda: D.MultivariateNormal(t([0.0]), t([1.0])), ValueError, "covariance_matrix must be at"),
    "definite": (lambda: D.MultivariateNormal(dc.ones(2), -dc.eye(2)), ValueError, r"PositiveDefinite\(\)"),
    "factor": (
        lambda: D.LowRankMultivariateNormal(dc.ones(2), dc.ones(3, 1), dc.ones(2)), ValueError, "2 x m"),
    "1-d factor": (
        lambda: D.LowRankMultivariateNormal(dc.ones(2), dc.ones(2), dc.ones(2)), ValueError, "two-dim"),
    "diag": (
        lambda: D.LowRankMultivariateNormal(dc.ones(2), dc.ones(2, 1), dc.ones(3)), ValueError, "cov_diag"),
    "0-d low rank": (
        lambda: D.LowRankMultivariateNormal(t(1.0), dc.ones(2, 1), dc.ones(2)), ValueError, "loc must"),
    "wishart": (lambda: D.Wishart(1.0, dc.eye(3)), ValueError, "greater than ndim - 1 = 2"),
    "lkj": (lambda: D.LKJCholesky(1), ValueError, "greater than or equal to 2. Found dim=1"),
    "independent": (lambda: D.Independent(NORMAL, 2), ValueError, "actual 2 vs 1"),
    "mixture": (lambda: D.MixtureSameFamily(NORMAL, NORMAL), ValueError, "Mixture distribution needs"),
    "component": (lambda: D.MixtureSameFamily(THREE, 3), ValueError, "Component distribution needs"),
    "number": (lambda: D.MixtureSameFamily(D.Categorical(dc.ones(2)), NORMAL), ValueError, "does not equal"),
    "no batch": (lambda: D.MixtureSameFamily(THREE, D.Normal(0.0, 1.0)), ValueError, "does not equal"),
    "batches": (
        lambda: D.MixtureSameFamily(D.Categorical(dc.ones(2, 3)), NORMAL.expand((4, 3))),
        ValueError,
        "is not compatible",
    ),
    "transform": (lambda: D.TransformedDistribution(NORMAL, 3), ValueError, "Transform or list, but was 3"),
    "transforms": (lambda: D.TransformedDistribution(NORMAL, [3]), ValueError, "or a list of Transforms"),
    "small": (
        lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()),
        ValueError,
        "size at least 1",
    ),
    "no tensor": (lambda: NORMAL.log_prob(1.0), ValueError, "must be a Tensor, but got float"),
    "shape": (lambda: NORMAL.log_prob(dc.zeros(2)), ValueError, "not broadcastable"),
    "event": (lambda: D.Dirichlet(dc.ones(3)).log_prob(dc.ones(2)), ValueError, "right-most size"),
    "support": (lambda: D.Bernoulli(0.5).log_prob(t(0.5)), ValueError, r"within the support \(Boolean\(\)\)"),
    "cdf support": (lambda: D.Exponential(1.0).cdf(t(-1.0)), ValueError, "within the support"),
    "default": (lambda: D.Distribution.set_default_validate_args(3), ValueError, "True or False"),
    "cdf": (lambda: D.Bernoulli(0.5).cdf(t(1.0)), NotImplementedError, "Bernoulli has no `cdf`"),
    "icdf": (lambda: D.Beta(1.0, 1.0).icdf(t(1.0)), NotImplementedError, "Beta has no `icdf`"),
    "entropy": (lambda: D.StudentT(1.0) and D.LKJCholesky(2).entropy(), NotImplementedError, "entropy"),
    "carrier": (lambda: D.Poisson(1.0).entropy(), NotImplementedError, "carrier measure"),
    "mode": (lambda: D.MixtureSameFamily(THREE, NORMAL).mode, NotImplementedError, "does not implement mode"),
    "mean": (lambda: D.LogisticNormal(t([0.0]), t([1.0])).mean, NotImplementedError, "no `mean`"),
    "enumerate": (lambda: NORMAL.enumerate_support(), NotImplementedError, "cannot be enumerated"),
    "product": (
        lambda: D.Independent(D.Bernoulli(dc.ones(2) / 2), 1).enumerate_support(),
        NotImplementedError,
        "cartesian product",
    ),
    "monotone": (
        lambda: D.TransformedDistribution(NORMAL, D.AbsTransform()).cdf(t([1.0, 1.0, 1.0])),
        NotImplementedError,
        "monotone",
    ),
    "bare": (lambda: D.Distribution(validate_args=False).log_prob(t(1.0)), NotImplementedError, "log_prob"),
    "bare support": (lambda: D.Distribution(validate_args=False).support, NotImplementedError, "support"),
    "bare variance": (lambda: D.Distribution(validate_args=False).variance, NotImplementedError, "variance"),
    "family": (
        lambda: D.ExponentialFamily(validate_args=False).entropy(), NotImplementedError, "natural parameters"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()


@every("Cauchy", "ExpRelaxedCategorical", "LogitRelaxedBernoulli", "Gumbel", "Laplace", "Normal",
       "StudentT", "VonMises", "Independent", "MixtureSameFamily",
       "LowRankMultivariateNormal", "MultivariateNormal")  # fmt: skip
def test_values_outside_the_support_are_refused(name):
    d = made(name)
    wrong = d.sample() * 0 - 3.5
    with pytest.raises(
        ValueError, match=r"(?s)within the support .* of the distribution .*found invalid"
    ):
        d.log_prob(wrong)


@every()
def test_nan_is_no_value(name):
    d = made(name)
    x = drawn(d).to(dc.float64)
    with pytest.raises(ValueError, match="invalid values"):
        d.log_prob(x * float("nan"))


def test_checks_are_switched_off():
    D.Normal(0.0, -1.0, validate_args=False)
    assert D.Bernoulli(0.5, validate_args=False).log_prob(dc.tensor(0.5)).isfinite()
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
        with pytest.raises(ValueError, match="Expected parameter"):
            D.Normal(0.0, -1.0, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)
    expanded = D.Bernoulli(0.5, validate_args=False).expand((2,))
    assert expanded.log_prob(dc.tensor([0.5, 0.5])).isfinite().all()


def test_warnings():
    with pytest.warns(FutureWarning, match="sample_n"):
        assert NORMAL.sample_n(2).shape == (2, 3)
    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        D.Distribution()
    with pytest.warns(UserWarning, match="Low df values detected"):
        D.Wishart(t(2.5), covariance_matrix=t(dc.eye(3).tolist()))

    class Bare(D.Distribution):
        arg_constraints = {}

        def log_prob(self, value):
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="does not define `support`"):
        Bare().log_prob(dc.tensor(1.0))
