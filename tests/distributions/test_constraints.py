"""Constraints: what they accept, their dimensions, and those that depend on an instance."""

from __future__ import annotations

import pytest

import dispatch_core as dc
from dispatch_core.distributions import constraints
from tests.distributions.cases import CONSTRAINTS, FACTOR, MATRIX
from tests.distributions.common import D, t

ACCEPTS = {
    "boolean": ([0.0, 1.0, 0.5], [True, True, False]),
    "cat": ([-1.0, 1.0, -1.0], [True, True, False]),
    "corr_cholesky": ([[1.0, 0.0], [0.6, 0.8]], True),
    "greater_than": ([0.5, 0.6], [False, True]),
    "greater_than_eq": ([0.4, 0.5], [False, True]),
    "half_open_interval": ([-1.0, 1.0, float("nan")], [True, False, False]),
    "independent": ([[1.0, 2.0], [1.0, 0.0]], [True, False]),
    "integer_interval": ([0.0, 2.0, 3.0, 0.5], [True, True, False, False]),
    "interval": ([-0.5, -0.5, 1.0], [False, True, True]),
    "less_than": ([0.5, 0.4], [False, True]),
    "lower_cholesky": ([FACTOR, MATRIX], [True, False]),
    "lower_triangular": ([[[-1.0, 0.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]], [True, False]),
    "mixture": ([1.0, -1.0], [True, False]),
    "multinomial": ([[1.0, 1.0], [2.0, 1.0], [-1.0, 2.0]], [True, False, False]),
    "nonnegative": ([0.0, -1.0], [True, False]),
    "nonnegative_integer": ([0.0, -1.0, 1.5], [True, False, False]),
    "one_hot": ([[0.0, 1.0], [1.0, 1.0], [0.5, 0.5]], [True, False, False]),
    "positive": ([0.0, 1.0], [False, True]),
    "positive_definite": ([[[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]], [True, False]),
    "positive_integer": ([0.0, 1.0], [False, True]),
    "positive_semidefinite": ([[[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]], [True, False]),
    "real": ([0.0, float("inf"), float("nan")], [True, True, False]),
    "real_vector": ([[0.0, float("inf")], [0.0, float("nan")]], [True, False]),
    "simplex": ([[0.5, 0.5], [0.5, 0.6], [1.5, -0.5]], [True, False, False]),
    "square": ([[1.0, 2.0], [3.0, 4.0]], True),
    "stack": ([[-1.0, 1.0], [-1.0, 1.0]], [[True, True], [False, True]]),
    "symmetric": ([[[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0], [3.0, 1.0]]], [True, False]),
    "unit_interval": ([0.0, 1.0, 1.1], [True, True, False]),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_what_is_accepted(name):
    values, expected = ACCEPTS[name]
    constraint = CONSTRAINTS[name](D, t)
    found = constraint.check(t(values))
    assert found.dtype is dc.bool
    assert found.tolist() == expected


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_dimensions_of_events(name):
    constraint = CONSTRAINTS[name](D, t)
    values = t(ACCEPTS[name][0])
    if name not in ("cat", "stack"):
        assert constraint.check(values).ndim == values.ndim - constraint.event_dim
    assert constraint.is_discrete == any(
        part in name for part in ("boolean", "integer", "one_hot", "multinomial")
    )
    assert not constraints.is_dependent(constraint)


def test_representations():
    shown = {
        constraints.real: "Real()",
        constraints.real_vector: "IndependentConstraint(Real(), 1)",
        constraints.unit_interval: "Interval(lower_bound=0.0, upper_bound=1.0)",
        constraints.positive: "GreaterThan(lower_bound=0.0)",
        constraints.nonnegative_integer: "IntegerGreaterThan(lower_bound=0)",
        constraints.cat([constraints.real]): "Cat()",
        constraints.multinomial(3): "Multinomial()",
        constraints.integer_less_than(3): "IntegerLessThan(upper_bound=3)",
    }
    for constraint, text in shown.items():
        assert repr(constraint) == text


def test_edges():
    assert constraints.integer_less_than(3).check(t([3.0, 4.0, 2.5])).tolist() == [
        True,
        False,
        False,
    ]
    assert not constraints.square.check(t([[1.0, 2.0]]))
    assert not constraints.symmetric.check(t([[1.0, 2.0]]))
    assert constraints.cat([constraints.real_vector, constraints.real]).event_dim == 1
    assert constraints.stack([constraints.real, constraints.real], -1).event_dim == 1
    assert constraints.stack([constraints.boolean, constraints.real]).is_discrete
    assert D.MixtureSameFamily.support.__class__ is constraints.dependent_property


def test_dependent_constraints():
    dependent = constraints.dependent
    assert constraints.is_dependent(dependent)
    with pytest.raises(ValueError, match="Cannot determine validity"):
        dependent.check(t(1.0))
    with pytest.raises(NotImplementedError, match=r"\.is_discrete cannot be determined statically"):
        dependent.is_discrete  # noqa: B018
    with pytest.raises(NotImplementedError, match=r"\.event_dim cannot be determined statically"):
        dependent.event_dim  # noqa: B018
    known = dependent(is_discrete=True)(event_dim=2)
    assert known.is_discrete
    assert known.event_dim == 2

    class Sized:
        n = 3

        @constraints.dependent_property(is_discrete=False, event_dim=1)
        def support(self):
            return constraints.interval(0, self.n)

        @constraints.dependent_property
        def bare(self):
            return constraints.real

    assert Sized.support.event_dim == 1
    assert constraints.is_dependent(Sized.bare)
    assert repr(Sized().support) == "Interval(lower_bound=0, upper_bound=3)"
    assert Sized().bare is constraints.real


MISTAKES = {
    "independent": (
        lambda: constraints.independent(3, 1),
        AssertionError,
        "must be a Constraint, got int",
    ),
    "ndims": (
        lambda: constraints.independent(constraints.real, -1),
        AssertionError,
        "non-negative int",
    ),
    "cat": (lambda: constraints.cat([3]), AssertionError, "must be Constraint instances"),
    "lengths": (lambda: constraints.cat([constraints.real], 0, [1, 2]), AssertionError, "lengths"),
    "cat dim": (
        lambda: constraints.cat([constraints.real], 3).check(t([1.0])),
        AssertionError,
        "range",
    ),
    "stack dim": (
        lambda: constraints.stack([constraints.real], 3).check(t([1.0])),
        AssertionError,
        "range",
    ),
    "small": (
        lambda: constraints.real_vector.check(t(1.0)),
        ValueError,
        r"Expected value.dim\(\) >= 1",
    ),
    "mixture": (
        lambda: constraints.MixtureSameFamilyConstraint(constraints.simplex).check(t(1.0)),
        ValueError,
        r"Expected value.dim\(\) >= 1",
    ),
    "empty": (lambda: constraints.Constraint().check(t(1.0)), NotImplementedError, "check"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()
