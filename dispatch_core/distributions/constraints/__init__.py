"""Regions that parameters and values lie in: `constraint.check(value)` says of each event whether it does.

`event_dim` is the number of rightmost dimensions that make one event, `is_discrete` whether the region is
one of isolated points. `transform_to` and `biject_to` (`constraint_registry`) map unconstrained numbers
into a constraint.
"""

from __future__ import annotations

from dispatch_core.distributions.constraints._arrays import (
    CorrCholesky,
    LowerCholesky,
    LowerTriangular,
    Multinomial,
    OneHot,
    PositiveDefinite,
    PositiveSemidefinite,
    Simplex,
    Square,
    Symmetric,
)
from dispatch_core.distributions.constraints._base import (
    Constraint,
    Dependent,
    DependentProperty,
    is_dependent,
)
from dispatch_core.distributions.constraints._joined import (
    Cat,
    IndependentConstraint,
    MixtureSameFamilyConstraint,
    Stack,
)
from dispatch_core.distributions.constraints._numbers import (
    Boolean,
    GreaterThan,
    GreaterThanEq,
    HalfOpenInterval,
    IntegerGreaterThan,
    IntegerInterval,
    IntegerLessThan,
    Interval,
    LessThan,
    Real,
)

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]

dependent = Dependent()
dependent_property = DependentProperty
independent = IndependentConstraint
boolean = Boolean()
one_hot = OneHot()
nonnegative_integer = IntegerGreaterThan(0)
positive_integer = IntegerGreaterThan(1)
integer_interval = IntegerInterval
integer_less_than = IntegerLessThan
real = Real()
real_vector = independent(real, 1)
positive = GreaterThan(0.0)
nonnegative = GreaterThanEq(0.0)
greater_than = GreaterThan
greater_than_eq = GreaterThanEq
less_than = LessThan
multinomial = Multinomial
unit_interval = Interval(0.0, 1.0)
interval = Interval
half_open_interval = HalfOpenInterval
simplex = Simplex()
lower_triangular = LowerTriangular()
lower_cholesky = LowerCholesky()
corr_cholesky = CorrCholesky()
square = Square()
symmetric = Symmetric()
positive_semidefinite = PositiveSemidefinite()
positive_definite = PositiveDefinite()
cat = Cat
stack = Stack
