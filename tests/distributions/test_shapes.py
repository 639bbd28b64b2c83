"""Batches, events, expansion, representations, lists of values, properties that are computed when asked for."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.distributions import utils
from tests.distributions.common import D, close, drawn, every, made, t


@every()
def test_expand(name):
    d = made(name)
    wanted = (4, *d.batch_shape)
    large = d.expand(wanted)
    assert type(large) is type(d)
    assert large.batch_shape == wanted
    assert large.event_shape == d.event_shape
    x = drawn(large, 3)
    assert x.shape == (3, *wanted, *d.event_shape)
    close(large.log_prob(x), d.log_prob(x))
    assert large.expand((2, *wanted)).batch_shape == (2, *wanted)
    for parameter in d.arg_constraints:
        ours, theirs = getattr(d, parameter), getattr(large, parameter)
        assert theirs.shape == (4, *ours.shape)
        close(theirs[0], ours)
    for moment in ("mean", "variance"):
        try:
            ours = getattr(d, moment)
        except NotImplementedError:
            continue
        np.testing.assert_allclose(getattr(large, moment)[1].detach(), ours.detach(), rtol=1e-12)


@every()
def test_expand_of_what_was_used_before(name):
    """Properties that were computed lazily belong to the old batch."""
    d = made(name)
    for each in ("probs", "logits", "covariance_matrix", "variance", "scale_tril"):
        try:
            getattr(d, each)
        except (AttributeError, NotImplementedError):
            continue
    large = d.expand((2, *d.batch_shape))
    close(large.log_prob(drawn(large)), d.log_prob(drawn(large)))
    for each in ("probs", "logits"):
        if hasattr(d, each):
            assert getattr(large, each).shape == (2, *getattr(d, each).shape)


@every()
def test_dimensions_of_size_1_grow(name):
    d = made(name)
    shape = (1, *d.batch_shape)
    assert d.expand(shape).expand((5, *d.batch_shape)).sample().shape[0] == 5


def test_expand_takes_no_copies_and_refuses_other_shapes():
    d = D.Normal(dc.zeros(3), dc.ones(3))
    assert d.expand((2, 3)).loc.data_ptr() == d.loc.data_ptr()
    with pytest.raises(RuntimeError):
        d.expand((4,))


@every()
def test_independent_sums(name):
    d = made(name).expand((2, *made(name).batch_shape))
    joint = D.Independent(d, 1)
    cut = len(d.batch_shape) - 1
    assert joint.batch_shape == d.batch_shape[:cut]
    assert joint.event_shape == d.batch_shape[cut:] + d.event_shape
    x = drawn(d)
    close(joint.log_prob(x), d.log_prob(x).sum(-1))
    assert joint.support.check(x).shape == joint.batch_shape
    assert not joint.has_enumerate_support
    assert joint.has_rsample == d.has_rsample


@every()
def test_copies_and_pickles(name):
    d = made(name)
    x = drawn(d)
    for other in (copy.copy(d), copy.deepcopy(d), pickle.loads(pickle.dumps(d))):
        close(other.log_prob(x), d.log_prob(x))


@every()
def test_values_are_listed(name):
    d = made(name)
    if name == "Binomial-logits":
        with pytest.raises(NotImplementedError, match="Inhomogeneous"):
            d.enumerate_support()
    elif d.has_enumerate_support:
        values = d.enumerate_support()
        assert values.shape[1:] == (*d.batch_shape, *d.event_shape)
        close(d.log_prob(values).exp().sum(0), np.ones(d.batch_shape))
        plain = d.enumerate_support(expand=False)
        assert plain.shape == (len(values), *(1 for _ in d.batch_shape), *d.event_shape)
        close(plain.expand(values.shape), values)
    else:
        with pytest.raises(NotImplementedError):
            d.enumerate_support()


REPRESENTATIONS = {
    "Bernoulli": "Bernoulli(probs: dc.Size([3]))",
    "Beta": "Beta()",
    "Binomial": "Binomial(total_count: dc.Size([2]), probs: dc.Size([2]))",
    "Chi2": "Chi2()",
    "Independent": "Independent(Normal(loc: dc.Size([2, 2]), scale: dc.Size([2, 2])), 1)",
    "LowRankMultivariateNormal": "LowRankMultivariateNormal(loc: dc.Size([3]), cov_factor: dc.Size([3, 2]), "
    "cov_diag: dc.Size([3]))",
    "MixtureSameFamily": "MixtureSameFamily(\n"
    "  Categorical(probs: dc.Size([2, 2]), logits: dc.Size([2, 2])),\n"
    "  Normal(loc: dc.Size([2, 2]), scale: dc.Size([2, 2])))",
    "OneHotCategorical": "OneHotCategorical()",
    "TransformedDistribution": "TransformedDistribution()",
    "Uniform": "Uniform(low: dc.Size([2]), high: dc.Size([2]))",
    "Wishart-factor": "Wishart(scale_tril: dc.Size([3, 3]), df: 6.0)",
}


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_repr(name):
    assert repr(made(name)) == REPRESENTATIONS[name]


def test_repr_of_numbers():
    assert repr(D.Normal(0.0, 1)) == "Normal(loc: 0.0, scale: 1.0)"
    assert repr(D.Distribution(validate_args=False)) == "Distribution()"


def test_numbers_get_the_dtype_of_tensors_beside_them():
    d = D.Normal(0, t([1.0, 2.0]))
    assert d.loc.dtype is dc.float64
    assert d.batch_shape == (2,)
    assert D.Normal(0, 1).sample().dtype is dc.float32
    assert D.Normal(0.0, dc.ones(2, dtype=dc.float16)).rsample().dtype is dc.float16


def test_every_distribution_in_float32():
    from tests.distributions.cases import DISTRIBUTIONS

    def single(values):
        return dc.tensor(values, dtype=dc.float32)

    for name, case in DISTRIBUTIONS.items():
        d = case(D, single)
        x = drawn(d, 50)
        assert x.dtype in (dc.float32, dc.int64), name
        assert d.log_prob(x).dtype is dc.float32, name
        assert dc.isfinite(d.log_prob(x)).all(), name


def test_lazy_properties_are_kept_and_have_gradients():
    p = t([0.2, 0.5]).requires_grad_()
    d = D.Bernoulli(p)
    with dc.no_grad():
        logits = d.logits
    assert logits.requires_grad
    assert d.logits is logits
    assert isinstance(D.Bernoulli.logits, utils.lazy_property)
    assert D.Bernoulli.logits.__doc__


def test_either_parameter_says_the_same():
    p = t([0.2, 0.5, 0.8])
    x = t([0.0, 1.0, 1.0])
    close(D.Bernoulli(p).log_prob(x), D.Bernoulli(logits=p.logit()).log_prob(x), 1e-9)
    close(D.Categorical(p).probs, D.Categorical(logits=p.log()).probs)
    close(D.Bernoulli(logits=p.logit()).probs, p)
    assert D.Bernoulli(p).param_shape == (3,)
    assert D.OneHotCategorical(p).param_shape == (3,)
    assert D.Multinomial(2, p).param_shape == (3,)


def test_moments_of_categories():
    d = D.Categorical(t([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
    assert dc.isnan(d.mean).all()
    assert dc.isnan(d.variance).all()
    assert d.mode.tolist() == [2, 0]
    assert D.OneHotCategorical(t([0.2, 0.5, 0.3])).mode.tolist() == [0, 1, 0]


def test_supports_of_instances():
    assert (
        repr(D.Categorical(t([1.0, 1.0])).support)
        == "IntegerInterval(lower_bound=0, upper_bound=1)"
    )
    assert repr(D.Binomial(3, t(0.5)).support) == "IntegerInterval(lower_bound=0, upper_bound=3.0)"
    assert D.constraints.is_dependent(D.Uniform.support)
    assert D.Uniform.support.event_dim == 0
    assert not D.Uniform.support.is_discrete
    assert repr(
        D.MixtureSameFamily(D.Categorical(t([1.0, 1.0])), D.HalfNormal(t([1.0, 2.0]))).support
    ) == ("MixtureSameFamilyConstraint(GreaterThanEq(lower_bound=0.0))")


def test_transformed_bases_are_expanded_and_joined():
    d = D.TransformedDistribution(
        D.Normal(dc.zeros(3), 1.0),
        [D.AffineTransform(dc.zeros(4, 3), 1.0), D.StickBreakingTransform()],
    )
    assert d.batch_shape == (4,)
    assert d.event_shape == (4,)
    assert isinstance(d.base_dist, D.Independent)
    assert d.sample((2,)).shape == (2, 4, 4)
    plain = D.TransformedDistribution(D.Normal(0.0, 1.0), [])
    assert plain.support is D.constraints.real
    assert plain.log_prob(dc.tensor(0.0)).shape == ()
    reshaped = D.TransformedDistribution(
        D.Normal(dc.zeros(2, 6), 1.0), [D.ReshapeTransform((6,), (2, 3)), D.ExpTransform()]
    )
    assert reshaped.event_shape == (2, 3)
    assert repr(reshaped.support) == "IndependentConstraint(GreaterThan(lower_bound=0.0), 2)"


def test_vectors_of_triangles():
    x = t([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    matrix = utils.vec_to_tril_matrix(x)
    assert matrix.tolist() == [[[1, 0, 0], [2, 3, 0], [4, 5, 6]]]
    assert utils.tril_matrix_to_vec(matrix).tolist() == x.tolist()
    below = utils.vec_to_tril_matrix(x, diag=-1)
    assert below.shape == (1, 4, 4)
    assert utils.tril_matrix_to_vec(below, diag=-1).tolist() == x.tolist()
    with pytest.raises(ValueError, match="cannot be expressed as the lower triangular part"):
        utils.vec_to_tril_matrix(t([1.0, 2.0]))
    with pytest.raises(ValueError, match="diag .7. provided is outside"):
        utils.tril_matrix_to_vec(matrix, diag=7)


class Shifted(D.Normal):
    """A subclass that adds a parameter and no `expand`."""

    arg_constraints = {**D.Normal.arg_constraints, "shift": D.constraints.real}

    def __init__(self, loc, scale, shift):
        self.loc, self.scale, self.shift = utils.broadcast_all(loc, scale, shift)
        D.Distribution.__init__(self, self.loc.shape)

    def rsample(self, sample_shape=()):
        return super().rsample(sample_shape) + self.shift


def test_subclasses_need_no_expand():
    d = Shifted(t(0.0), t(1e-9), t([5.0, 6.0])).expand((3, 2))
    close(d.sample(), np.broadcast_to([5.0, 6.0], (3, 2)), 1e-6)


class Delta(D.Distribution):
    """A distribution as PyTorch's users write them, with an `expand` of its own."""

    arg_constraints = {"at": D.constraints.real}
    support = D.constraints.real
    has_rsample = True

    def __init__(self, at, validate_args=None):
        self.at = at
        super().__init__(at.shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(Delta, _instance)
        new.at = self.at.expand(batch_shape)
        super(Delta, new).__init__(batch_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def rsample(self, sample_shape=()):
        return self.at.expand(self._extended_shape(sample_shape))

    def log_prob(self, value):
        return dc.where(value == self.at, 0.0, -dc.inf)


def test_distributions_of_users():
    d = Delta(t([1.0, 2.0])).expand((3, 2))
    assert d.rsample((4,)).shape == (4, 3, 2)
    assert D.Independent(d, 1).log_prob(d.sample()).shape == (3,)
