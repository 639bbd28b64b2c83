"""Constraints made of others: over more dimensions, side by side, of mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core.distributions._core import K
from dispatch_core.distributions.constraints._base import Constraint, over_event


def _require(constraint: Any, name: str) -> None:
    if not isinstance(constraint, Constraint):
        raise AssertionError(
            f"{name} must be a Constraint, got {type(constraint).__name__}; "
            "use one of dispatch_core.distributions.constraints"
        )


class IndependentConstraint(Constraint):
    """A constraint of every element of larger events.

    Args:
        base_constraint: the constraint of one.
        reinterpreted_batch_ndims: how many dimensions the larger events have more.

    """

    def __init__(self, base_constraint: Any, reinterpreted_batch_ndims: int) -> None:
        _require(base_constraint, "base_constraint")
        if not isinstance(reinterpreted_batch_ndims, int) or reinterpreted_batch_ndims < 0:
            raise AssertionError(
                "reinterpreted_batch_ndims must be a non-negative int, got "
                f"{reinterpreted_batch_ndims!r}"
            )
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """That of the constraint of one."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        """The dimensions of the larger events."""
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        """Raises ValueError where the value has fewer dimensions than an event."""
        valid = self.base_constraint.check(value)
        if valid.ndim < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        return over_event(valid, self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture: values that are in the support of every component.

    Args:
        base_constraint: the support of the components, whose last batch dimension is that of the mixture.

    """

    def __init__(self, base_constraint: Any) -> None:
        _require(base_constraint, "base_constraint")
        self.base_constraint = base_constraint
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """That of the components."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        """The dimensions of the components' events."""
        return self.base_constraint.event_dim

    def check(self, value: Any) -> Any:
        """Raises ValueError where the value has fewer dimensions than an event."""
        if value.ndim < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        kept = value.ndim - self.event_dim
        valid = self.base_constraint.check(value.unsqueeze(kept))
        return over_event(valid, valid.ndim - kept)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r})"


class _Joined(Constraint):
    """Several constraints along one dimension."""

    cseq: list[Any]

    def __init__(self, cseq: Sequence[Any], dim: int = 0) -> None:
        for constraint in cseq:
            if not isinstance(constraint, Constraint):
                raise AssertionError(
                    "All elements of cseq must be Constraint instances, got "
                    f"{type(constraint).__name__}"
                )
        self.cseq = list(cseq)
        self.dim = dim
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """Whether one of them is discrete."""
        return any(c.is_discrete for c in self.cseq)


class Cat(_Joined):
    """Constraint i of the i-th stretch along a dimension.

    Args:
        cseq: the constraints.
        dim: the dimension.
        lengths: how long the stretches are; None: 1 each.

    """

    def __init__(
        self, cseq: Sequence[Any], dim: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(
                f"lengths must have one number for each of the {len(self.cseq)} constraints, got "
                f"{len(self.lengths)}"
            )

    @property
    def event_dim(self) -> int:
        """The most that one of them has."""
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Any) -> Any:
        """Raises AssertionError where there is no such dimension."""
        if not -value.ndim <= self.dim < value.ndim:
            raise AssertionError(
                f"dim {self.dim} out of range for value with {value.ndim} dimensions"
            )
        checks = []
        start = 0
        for constraint, length in zip(self.cseq, self.lengths, strict=True):
            checks.append(constraint.check(K.narrow(value, self.dim, start, length)))
            start += length
        return K.cat(checks, self.dim)


class Stack(_Joined):
    """Constraint i of the i-th slice along a dimension.

    Args:
        cseq: the constraints.
        dim: the dimension.

    """

    @property
    def event_dim(self) -> int:
        """The most that one of them has, and one more where the dimension is within the events."""
        most = max(c.event_dim for c in self.cseq)
        return most + 1 if self.dim + most < 0 else most

    def check(self, value: Any) -> Any:
        """Raises AssertionError where there is no such dimension."""
        if not -value.ndim <= self.dim < value.ndim:
            raise AssertionError(
                f"dim {self.dim} out of range for value with {value.ndim} dimensions"
            )
        slices = (value.select(self.dim, i) for i in range(value.shape[self.dim]))
        checks = [c.check(v) for c, v in zip(self.cseq, slices, strict=False)]
        return K.stack(checks, self.dim)
