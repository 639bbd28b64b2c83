"""Constraints of single numbers."""

from __future__ import annotations

from typing import Any

from dispatch_core.distributions.constraints._base import Constraint


class Boolean(Constraint):
    """0 or 1."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value == 0) | (value == 1)


class Real(Constraint):
    """Every number that is not NaN."""

    def check(self, value: Any) -> Any:
        return value == value


class _Bounded(Constraint):
    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        super().__init__()

    _bounds = ("lower_bound", "upper_bound")


class Interval(_Bounded):
    """Numbers from `lower_bound` to `upper_bound`, both included."""

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class HalfOpenInterval(_Bounded):
    """Numbers from `lower_bound` on and below `upper_bound`."""

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)


class IntegerInterval(_Bounded):
    """Integers from `lower_bound` to `upper_bound`, both included."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return _whole(value) & (self.lower_bound <= value) & (value <= self.upper_bound)


class _Above(Constraint):
    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        super().__init__()

    _bounds = ("lower_bound",)


class GreaterThan(_Above):
    """Numbers above `lower_bound`."""

    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class GreaterThanEq(_Above):
    """Numbers from `lower_bound` on."""

    def check(self, value: Any) -> Any:
        return self.lower_bound <= value


class IntegerGreaterThan(_Above):
    """Integers from `lower_bound` on."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return _whole(value) & (value >= self.lower_bound)


class _Below(Constraint):
    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        super().__init__()

    _bounds = ("upper_bound",)


class LessThan(_Below):
    """Numbers below `upper_bound`."""

    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class IntegerLessThan(_Below):
    """Integers up to `upper_bound`."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return _whole(value) & (value <= self.upper_bound)


def _whole(value: Any) -> Any:
    return value % 1 == 0
