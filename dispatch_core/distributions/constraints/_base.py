"""What a constraint is, and those that depend on other parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.distributions._core import Tensor


class Constraint:
    """A region of values. Subclasses give `check` and, where they differ, `is_discrete` and `event_dim`."""

    is_discrete: Any = False
    """Whether the region consists of isolated points."""
    event_dim: Any = 0
    """How many rightmost dimensions make one event."""
    _bounds: tuple[str, ...] = ()
    """Attributes that the representation shows."""

    def check(self, value: Any) -> Any:
        """Whether each event is in the region: a bool tensor without the event's dimensions."""
        raise NotImplementedError(f"{type(self).__name__} does not define `check`")

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={getattr(self, name)}" for name in self._bounds)
        return f"{type(self).__name__}({bounds})"


class Dependent(Constraint):
    """The region depends on other parameters; called with what is known of it, it gives one that knows.

    Args:
        is_discrete: whether it is discrete, where that is known without the parameters.
        event_dim: the dimensions of its events, where they are known.

    """

    def __init__(
        self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """Whether the region is discrete; NotImplementedError where that is not known."""
        return _known("is_discrete", self._is_discrete)

    @property
    def event_dim(self) -> int:
        """The dimensions of events; NotImplementedError where they are not known."""
        return _known("event_dim", self._event_dim)

    def __call__(
        self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> Dependent:
        """A dependent constraint of which this is known."""
        discrete = self._is_discrete if is_discrete is NotImplemented else is_discrete
        dims = self._event_dim if event_dim is NotImplemented else event_dim
        return Dependent(is_discrete=discrete, event_dim=dims)

    def check(self, value: Any) -> Any:
        """Raises ValueError: the region is known to instances of a distribution only."""
        raise ValueError("Cannot determine validity of dependent constraint")


def _known(name: str, value: Any) -> Any:
    if value is NotImplemented:
        raise NotImplementedError(
            f".{name} cannot be determined statically; ask the support of an instance"
        )
    return value


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint depends on other parameters."""
    return isinstance(constraint, Dependent)


class DependentProperty(property, Dependent):
    """A property that gives the constraint of an instance, and stands for a dependent one in its class.

        @constraints.dependent_property(is_discrete=False, event_dim=0)
        def support(self):
            return constraints.interval(self.low, self.high)

    Args:
        fn: the function of an instance that gives its constraint.
        is_discrete: whether all of them are discrete, where that is known.
        event_dim: the dimensions of their events, where they are known.

    """

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        super().__init__(fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn: Callable[..., Any]) -> Any:  # type: ignore[override]
        """The property of a function, of which this is known."""
        return DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def over_event(valid: Tensor, dims: int) -> Any:
    """Whether all elements of the `dims` rightmost dimensions are true."""
    return valid.reshape((*valid.shape[: valid.ndim - dims], -1)).all(-1) if dims else valid
