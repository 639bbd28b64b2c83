"""Transforms: inverses, determinants against Jacobians, shapes, caches, equality; the registry."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.distributions import constraints, transforms
from tests.distributions.cases import CONSTRAINTS, MATRICES, REGISTERED, TRANSFORMS
from tests.distributions.common import D, close, t

X = [[0.3, 0.2, 0.6], [0.8, 0.4, 0.1]]
OF_MATRICES = {"LowerCholesky", "PositiveDefinite"}
MANY_TO_ONE = {"Abs", "Softmax", "LowerCholesky", "PositiveDefinite"}


def example(name):
    return TRANSFORMS[name](D, t), t(MATRICES if name in OF_MATRICES else X)


def every(*without):
    return pytest.mark.parametrize("name", [n for n in TRANSFORMS if n not in without])


@every()
def test_results_are_in_the_codomain_and_their_inverse_in_the_domain(name):
    f, x = example(name)
    y = f(x)
    assert f.codomain.check(y).all()
    back = f.inv(y)
    assert f.domain.check(back).all()
    close(f(back), y)
    if f.bijective:
        close(back, x)


@every()
def test_the_inverse_of_the_inverse(name):
    f, x = example(name)
    assert f.inv.inv is f
    assert f.inv == f.inv
    assert f.inv.bijective == f.bijective
    assert repr(f.inv.domain) == repr(f.codomain)
    assert repr(f.inv.codomain) == repr(f.domain)
    if name not in MANY_TO_ONE:
        y = f(x)
        close(f.inv.log_abs_det_jacobian(y, x), -f.log_abs_det_jacobian(x, y))


def jacobian(f, x):
    """dy/dx for one event, as a matrix."""
    matrix = dc.func.jacrev(lambda v: f(v.reshape(x.shape)).reshape(-1))(x.reshape(-1))
    return matrix.detach().numpy()


@every(*MANY_TO_ONE, "CorrCholesky", "StickBreaking", "Cat", "Cat-vectors", "Stack")
def test_the_determinant_is_that_of_the_jacobian(name):
    f, x = example(name)
    found = f.log_abs_det_jacobian(x, f(x))
    assert found.shape == x.shape[: x.ndim - f.domain.event_dim]
    dims = f.domain.event_dim
    for place in np.ndindex(*found.shape):
        if dims:
            whole = np.linalg.slogdet(jacobian(f, x[place]))[1]
            close(found[place], whole)
        else:
            single = x.detach().clone().requires_grad_()
            (slope,) = dc.autograd.grad(f(single)[place], single)
            close(found[place], slope[place].abs().log())


def test_determinants_into_simplex_and_correlations():
    """Of the coordinates that determine the rest."""
    x = t([0.3, -0.2, 0.6])
    f = D.StickBreakingTransform()
    matrix = jacobian(f, x)[:-1]
    close(f.log_abs_det_jacobian(x, f(x)), np.linalg.slogdet(matrix)[1])
    f = D.CorrCholeskyTransform()
    matrix = jacobian(f, x)[[3, 6, 7]]
    close(f.log_abs_det_jacobian(x, f(x)), np.linalg.slogdet(matrix)[1])


@pytest.mark.parametrize("name", ["Cat", "Stack", "Cat-vectors"])
def test_determinants_of_joined_transforms(name):
    f, x = example(name)
    found = f.log_abs_det_jacobian(x, f(x))
    if name == "Cat":
        expected = [[x[i, 0].item(), math.log(2), math.log(2)] for i in (0, 1)]
    elif name == "Stack":
        expected = [x[0].tolist(), [math.log(2)] * 3]
    else:
        expected = [x[0].sum().item(), 3 * math.log(2)]
    close(found, expected)


@every()
def test_shapes_are_foretold(name):
    f, x = example(name)
    assert tuple(f.forward_shape(x.shape)) == tuple(f(x).shape)
    assert tuple(f.inverse_shape(f(x).shape)) == tuple(x.shape)


@every()
def test_signs(name):
    f, x = example(name)
    try:
        sign = f.sign
    except NotImplementedError:
        return
    assert f.domain.event_dim == 0 or name in ("Independent", "Affine-vectors", "Compose-vectors")
    slope = (f(x + 1e-3) - f(x)).sign()
    close(slope, np.broadcast_to(dc.as_tensor(sign, dtype=dc.float64).numpy(), slope.shape))


@every()
def test_a_cache_gives_the_argument_itself(name):
    f, x = example(name)
    kept = f.with_cache(1)
    y = kept(x)
    if isinstance(f, D.ComposeTransform) and f.parts:
        close(kept.inv(y), x)
    elif f.parts if isinstance(f, D.ComposeTransform) else True:
        assert kept.inv(y) is x
        assert kept(x) is y
    assert kept.with_cache(1) is kept
    assert type(kept.with_cache(0)) is type(f)
    close(kept.with_cache(0)(x), y)


@every()
def test_transforms_are_pickled(name):
    f, x = example(name)
    close(pickle.loads(pickle.dumps(f))(x), f(x))
    close(pickle.loads(pickle.dumps(f.inv))(f(x)), f.inv(f(x)))


@every()
def test_equality(name):
    f, _ = example(name)
    assert f == f
    assert hash(f) == hash(f)
    others = [TRANSFORMS[other](D, t) for other in TRANSFORMS if other[:7] != name[:7]]
    assert not any(f == other for other in others)


def test_equal_parameters_are_equal_transforms():
    assert D.AffineTransform(1, 2) == D.AffineTransform(t(1.0), t(2.0))
    assert D.AffineTransform(1, 2) != D.AffineTransform(1, 3)
    assert D.PowerTransform(2.0) == D.PowerTransform(t(2.0))
    assert D.ExpTransform() == D.ExpTransform()
    assert D.ExpTransform().inv == D.ExpTransform().inv
    assert D.ComposeTransform([D.ExpTransform()]) == D.ComposeTransform([D.ExpTransform()])


def test_representations():
    assert repr(D.ExpTransform()) == "ExpTransform()"
    assert repr(D.ExpTransform().inv) == "_InverseTransform(ExpTransform())"
    assert (
        repr(D.IndependentTransform(D.ExpTransform(), 1))
        == "IndependentTransform(ExpTransform(), 1)"
    )
    both = D.ComposeTransform([D.ExpTransform(), D.AbsTransform()])
    assert repr(both) == "ComposeTransform(\n    ExpTransform(),\n    AbsTransform()\n)"


def test_sigmoid_and_simplex_stay_inside():
    x = t([-1000.0, 0.0, 1000.0])
    y = D.SigmoidTransform()(x)
    assert ((y > 0) & (y < 1)).all()
    assert D.SigmoidTransform().inv(y).isfinite().all()
    assert (D.StickBreakingTransform()(x) > 0).all()
    assert dc.isfinite(D.CorrCholeskyTransform().inv(D.CorrCholeskyTransform()(x))).all()
    assert D.AffineTransform(0.0, -2).sign == -1


def test_domains_grow_with_the_parts():
    f = D.ComposeTransform([D.ExpTransform(), D.SoftmaxTransform()])
    assert f.domain.event_dim == f.codomain.event_dim == 1
    assert D.AffineTransform(0.0, 1.0, event_dim=2).event_dim == 2
    with pytest.raises(ValueError, match=r"domain.event_dim or .codomain.event_dim"):
        D.CorrCholeskyTransform().event_dim  # noqa: B018
    with pytest.raises(ValueError, match=r"domain.event_dim or .codomain.event_dim"):
        D.ComposeTransform([D.CorrCholeskyTransform()]).event_dim  # noqa: B018


MISTAKES = {
    "cache": (lambda: D.ExpTransform(cache_size=2), ValueError, "cache_size must be 0 or 1"),
    "reshape": (lambda: D.ReshapeTransform((2,), (3,)), ValueError, "different numbers of elements"),
    "reshape shape": (
        lambda: D.ReshapeTransform((2,), (1, 2)).forward_shape((3,)), ValueError, "Shape mismatch"),
    "vector": (lambda: D.SoftmaxTransform().forward_shape(()), ValueError, "Too few dimensions"),
    "count": (
        lambda: D.CorrCholeskyTransform().forward_shape((5,)), ValueError, "flattened lower-diagonal"),
    "square": (lambda: D.CorrCholeskyTransform().inverse_shape((5, 3)), ValueError, "not square"),
    "cat": (lambda: D.CatTransform([3]), AssertionError, "must be Transform instances"),
    "cat lengths": (lambda: D.CatTransform([D.ExpTransform()], lengths=[1, 2]), AssertionError, "lengths"),
    "cat size": (lambda: D.CatTransform([D.ExpTransform()])(dc.ones(3)), AssertionError, "must equal length"),
    "stack": (lambda: D.StackTransform([D.ExpTransform()])(dc.ones(3)), AssertionError, "len.transforms."),
    "dim": (lambda: D.StackTransform([D.ExpTransform()], 3)(dc.ones(3)), AssertionError, "out of range"),
    "abs": (lambda: D.AbsTransform().log_abs_det_jacobian(0, 0), NotImplementedError, "AbsTransform"),
    "sign": (lambda: D.StickBreakingTransform().sign, NotImplementedError, "monotone"),
    "independent": (
        lambda: D.IndependentTransform(D.ExpTransform(), 1)(dc.tensor(1.0)), ValueError, "Too few dimensions"),
    "empty": (lambda: D.Transform()(dc.ones(1)), NotImplementedError, "_call"),
    "empty inverse": (lambda: D.Transform().inv(dc.ones(1)), NotImplementedError, "_inverse"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()


class Cube(D.Transform):
    """A transform as users write them."""

    domain = constraints.real
    codomain = constraints.real
    bijective = True
    sign = +1

    def _call(self, x):
        return x**3

    def _inverse(self, y):
        return y.sign() * y.abs() ** (1 / 3)

    def log_abs_det_jacobian(self, x, y):
        return (3 * x**2).log()


def test_transforms_of_users():
    d = D.TransformedDistribution(D.Normal(t(1.0), t(0.5)), [Cube()])
    x = t([0.5, 2.0])
    close(d.cdf(x), D.Normal(t(1.0), t(0.5)).cdf(Cube().inv(x)))
    close(d.icdf(d.cdf(x)), x)
    assert isinstance(Cube().with_cache(), Cube)


# -- from constraints ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGISTERED)
@pytest.mark.parametrize("registry", ["transform_to", "biject_to"])
def test_unconstrained_numbers_become_valid(name, registry):
    constraint = REGISTERED[name](D, t)
    bijection = registry == "biject_to"
    if bijection and name in ("lower_cholesky", "positive_definite", "positive_semidefinite"):
        with pytest.raises(NotImplementedError, match="Cannot transform"):
            D.biject_to(constraint)
        return
    f = getattr(D, registry)(constraint)
    x = (
        t(MATRICES)
        if name in ("lower_cholesky", "positive_definite", "positive_semidefinite")
        else t(X)
    )
    y = f(x)
    assert constraint.check(y).all()
    close(f(f.inv(y)), y)
    if bijection:
        assert f.bijective
        close(f.inv(y), x)
        assert dc.isfinite(f.log_abs_det_jacobian(x, y)).all()


@pytest.mark.parametrize("name", sorted(set(CONSTRAINTS) - set(REGISTERED)))
def test_others_are_not_known(name):
    for registry in (D.transform_to, D.biject_to):
        with pytest.raises(NotImplementedError, match="Cannot transform"):
            registry(CONSTRAINTS[name](D, t))


def test_constraints_of_users_are_registered():
    class Even(constraints.Constraint):
        pass

    registry = D.constraint_registry.ConstraintRegistry()
    assert registry.register(Even, lambda c: D.ExpTransform()) is not None

    @registry.register(constraints.simplex)
    def _simplex(constraint):
        return D.SoftmaxTransform()

    assert registry(Even()) == D.ExpTransform()
    assert registry(constraints.simplex) == D.SoftmaxTransform()
    with pytest.raises(TypeError, match="Constraint subclass or instance"):
        registry.register(int, lambda c: None)


def test_every_name_of_the_module():
    assert set(transforms.__all__) <= set(dir(D))
