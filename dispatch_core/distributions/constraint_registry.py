"""From constraints to transforms that make unconstrained numbers satisfy them.

`biject_to(constraint)` gives a bijection (with `log_abs_det_jacobian`, for changes of variables),
`transform_to(constraint)` a transform that may be many to one and suits optimisation. A constraint of
one's own is entered with `biject_to.register(MyConstraint)` over a factory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from dispatch_core.distributions import constraints, transforms

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], transforms.Transform]


class ConstraintRegistry:
    """A table from classes of constraints to factories of transforms."""

    def __init__(self) -> None:
        self._registry: dict[type, Factory] = {}

    @overload
    def register(self, constraint: Any) -> Callable[[Factory], Factory]: ...

    @overload
    def register(self, constraint: Any, factory: Factory) -> Factory: ...

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Enter the factory of a class of constraints (or of the class of an instance).

        Without `factory` it decorates one: `@registry.register(MyConstraint)`. Raises TypeError for
        anything that is no constraint.
        """
        if factory is None:
            return lambda given: self.register(constraint, given)
        if isinstance(constraint, constraints.Constraint):
            constraint = type(constraint)
        if not (isinstance(constraint, type) and issubclass(constraint, constraints.Constraint)):
            raise TypeError(
                "Expected constraint to be either a Constraint subclass or instance, but got "
                f"{constraint}"
            )
        self._registry[constraint] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        """The transform of a constraint; NotImplementedError where none is entered for its class."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(
                f"Cannot transform {type(constraint).__name__} constraints: no factory is registered for "
                "them"
            )
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _both(constraint: Any) -> Callable[[Factory], Factory]:
    def enter(factory: Factory) -> Factory:
        biject_to.register(constraint, factory)
        return transform_to.register(constraint, factory)

    return enter


@_both(constraints.real)
def _to_real(constraint: Any) -> transforms.Transform:
    return transforms.identity_transform


def _of_parts(registry: ConstraintRegistry) -> None:
    """Constraints that are made of others, whose transforms are found in the same registry."""

    @registry.register(constraints.independent)
    def _to_independent(constraint: Any) -> transforms.Transform:
        base = registry(constraint.base_constraint)
        return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)

    @registry.register(constraints.cat)
    def _to_cat(constraint: Any) -> transforms.Transform:
        parts = [registry(c) for c in constraint.cseq]
        return transforms.CatTransform(parts, constraint.dim, constraint.lengths)

    @registry.register(constraints.stack)
    def _to_stack(constraint: Any) -> transforms.Transform:
        return transforms.StackTransform([registry(c) for c in constraint.cseq], constraint.dim)


_of_parts(biject_to)
_of_parts(transform_to)


@_both(constraints.greater_than)
@_both(constraints.greater_than_eq)
def _to_greater_than(constraint: Any) -> transforms.Transform:
    return _then(transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1))


@_both(constraints.less_than)
def _to_less_than(constraint: Any) -> transforms.Transform:
    return _then(transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1))


@_both(constraints.interval)
@_both(constraints.half_open_interval)
def _to_interval(constraint: Any) -> transforms.Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return _then(transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low))


def _then(*parts: transforms.Transform) -> transforms.Transform:
    return transforms.ComposeTransform(parts)


@biject_to.register(constraints.simplex)
def _biject_to_simplex(constraint: Any) -> transforms.Transform:
    return transforms.StickBreakingTransform()


@transform_to.register(constraints.simplex)
def _transform_to_simplex(constraint: Any) -> transforms.Transform:
    return transforms.SoftmaxTransform()


@_both(constraints.corr_cholesky)
def _to_corr_cholesky(constraint: Any) -> transforms.Transform:
    return transforms.CorrCholeskyTransform()


@transform_to.register(constraints.lower_cholesky)
def _to_lower_cholesky(constraint: Any) -> transforms.Transform:
    return transforms.LowerCholeskyTransform()


@transform_to.register(constraints.positive_definite)
@transform_to.register(constraints.positive_semidefinite)
def _to_positive_definite(constraint: Any) -> transforms.Transform:
    return transforms.PositiveDefiniteTransform()
