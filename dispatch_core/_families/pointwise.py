"""Element-wise operators: broadcasting, promotion of the operands, a result dtype by kind."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dispatch_core._dtypes import Category, Priority, bool_, dtype, get_default_dtype
from dispatch_core._families.base import ALL, Family, Keys, Make, Sample
from dispatch_core._keys import FIRST_TENSOR_KEY, NONE, kind_dtype, tensor_key
from dispatch_core._numbers import fitting
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


class Difference(Pointwise):
    """Subtraction, which bool takes no part in: RuntimeError says what to use instead."""

    def admit_operands(self, op: Op, keys: Keys) -> None:
        kinds = [
            kind_dtype(k) if k < FIRST_TENSOR_KEY else tensor_key(k).dtype
            for k in keys
            if isinstance(k, int) and k != NONE
        ]
        if bool_ in kinds:
            use = "^ or logical_xor()" if set(kinds) == {bool_} else "~ or logical_not()"
            raise RuntimeError(
                f"Subtraction, the `-` operator, with a bool tensor is not supported; use {use}, or "
                "convert it first, as in x.to(dtype)"
            )


class Power(Pointwise):
    """Powers: a number as exponent of integers is neither negative nor wraps around."""

    def literal(self, name: str, computed: dtype) -> Callable[[Any], Any] | None:
        if name != "exponent" or computed.category is not Category.INTEGRAL:
            return super().literal(name, computed)
        return partial(_exponent, computed)


def _exponent(computed: dtype, value: Any) -> Any:
    if value < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return fitting(value, computed)


def pointwise(kind: Kind, accepts: Iterable[Category] = ALL, **rest: Any) -> Pointwise:
    """An element-wise operator; see `Pointwise` and `Family` for the arguments."""
    return Pointwise(kind, accepts, **rest)
