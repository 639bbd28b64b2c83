"""Element-wise operators: broadcasting, promotion of the operands, a result dtype by kind."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dispatch_core._dtypes import Category, Priority, bool_, dtype, get_default_dtype
from dispatch_core._families.base import ALL, Family, Make, Sample
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor

if TYPE_CHECKING:
    from dispatch_core._dispatcher.operator import Op


class Kind(enum.Enum):
    """How compute and result dtype follow from the promoted dtype of the operands."""

    SAME = "computed and returned in the promoted dtype"
    FLOAT = "integers are computed in the default dtype"
    BOOL = "returns bool"
    REAL = "complex operands give a real result"
    FLOAT_REAL = "FLOAT, and complex operands give a real result"


SAME, FLOAT, BOOL, REAL, FLOAT_REAL = Kind


class Pointwise(Family):
    """Operators that act on each element alone."""

    promotes = True
    broadcasts = True
    inplace = True
    kind = "pointwise"
    batching = "aligned"

    def __init__(self, kind: Kind, accepts: Iterable[Category] = ALL, **rest: Any) -> None:
        super().__init__(accepts, **rest)
        self.result_kind = kind
        if kind is BOOL and "inplace" not in rest:
            self.inplace = True

    def compute(self, operands: Sequence[tuple[dtype, Priority]]) -> dtype:
        promoted = super().compute(operands)
        floats = self.result_kind is FLOAT or self.result_kind is FLOAT_REAL
        if floats and promoted.category < Category.FLOATING:
            return get_default_dtype()
        return promoted

    def result(self, op: Op, computed: dtype) -> dtype | None:
        if self.result_kind is BOOL:
            return bool_
        if self.result_kind in (REAL, FLOAT_REAL):
            return computed.to_real()
        return computed

    def check(self, op: Op, args: Sequence[Any]) -> None:
        broadcast_shapes(*(args[i].shape for i in op.tensors if isinstance(args[i], Tensor)))

    def samples(self, op: Op, make: Make) -> list[Sample]:
        if self.given_samples is not None:
            return self.given_samples(make)
        low, high = self.domain
        count = sum(op.params[i].required for i in op.tensors)

        def draw(*shape: int) -> Any:
            return make(*shape, low=low, high=high)

        shapes: list[list[tuple[int, ...]]] = [[(3, 4)] * count, [()] * count, [(0, 3)] * count]
        if count > 1:
            shapes.append([(3, 4), (4,), (2, 1, 1)][:count])
            shapes.append([(2, 1), (3,), ()][:count])
        return [tuple(draw(*shape) for shape in group) for group in shapes]


def pointwise(kind: Kind, accepts: Iterable[Category] = ALL, **rest: Any) -> Pointwise:
    """An element-wise operator; see `Pointwise` and `Family` for the arguments."""
    return Pointwise(kind, accepts, **rest)
