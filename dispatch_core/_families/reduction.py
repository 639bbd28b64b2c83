"""Operators that combine the elements along some dimensions, or scan along one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dispatch_core._dtypes import Category, bool_, dtype, get_default_dtype, int64
from dispatch_core._families.base import ALL, Family, Make, Sample
from dispatch_core._shapes import check_dims

if TYPE_CHECKING:
    from dispatch_core._dispatcher.operator import Op


class Reduction(Family):
    """Operators with a `dim` that is summed, compared or scanned over.

    Args:
        widen: whether integers (and bool) give an int64 result, as sums do.
        index: whether the result is an index (int64), whatever the input.
        counts: whether the result is a number of elements (int64), whatever the input.
        floats: whether integers give the default dtype.
        truth: whether the result is a truth value (uint8 stays uint8, as in PyTorch).
        one: whether exactly one dimension is taken (scans, softmax).
        nonempty: whether reducing over zero elements is an error.

    """

    kind = "reduction"
    batching = "along_dims"

    def __init__(
        self,
        accepts: Iterable[Category] = ALL,
        *,
        widen: bool = False,
        index: bool = False,
        counts: bool = False,
        floats: bool = False,
        truth: bool = False,
        real: bool = False,
        one: bool = False,
        nonempty: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(accepts, **rest)
        self.widen = widen
        self.index = index
        self.counts = counts
        self.floats = floats
        self.truth = truth
        self.real = real
        self.one = one
        self.nonempty = nonempty

    def result(self, op: Op, computed: dtype) -> dtype | None:
        if self.floats and computed.category < Category.FLOATING:
            return get_default_dtype()
        if self.index or self.counts:
            return int64
        if self.truth:
            return computed if computed.name == "uint8" else bool_
        if self.widen and computed.category < Category.FLOATING:
            return int64
        return computed.to_real() if self.real else computed

    def check(self, op: Op, args: Sequence[Any]) -> None:
        named = dict(zip((p.name for p in op.params), args, strict=False))
        dim = named.get("dim")
        shape = args[0].shape
        if isinstance(dim, (list, tuple)) or dim is None or hasattr(dim, "__index__"):
            dims = check_dims(dim, len(shape))
            if self.nonempty and any(shape[d] == 0 for d in dims if shape):
                if dim is None:
                    raise RuntimeError(
                        f"{op.name}(): Expected reduction dim to be specified for input.numel() == 0. "
                        "Specify the reduction dim with the 'dim' argument."
                    )
                at = next(d for d in dims if shape[d] == 0)
                raise IndexError(f"{op.name}(): Expected reduction dim {at} to have non-zero size.")
        else:
            raise TypeError(
                f"{op.name}(): argument 'dim' must be int or tuple of ints, not {type(dim).__name__}"
            )

    def samples(self, op: Op, make: Make) -> list[Sample]:
        if self.given_samples is not None:
            return self.given_samples(make)
        low, high = self.domain
        x = make(3, 4, low=low, high=high)
        cube = make(2, 3, 4, low=low, high=high)
        names = [p.name for p in op.params]
        if self.one:
            return [(x, 0), (x, -1), (cube, 1), (make(0, 3, low=low, high=high), 1)]
        found: list[Sample] = [(x,), (x, 0), (x, -1)]
        if "keepdim" in names:
            found.append((x, 1, True))
        if not self.nonempty:
            found += [(make(0, 3, low=low, high=high), 0)]
        if not self.index:
            found += [(cube, (0, 2))]
        found.append((make(low=low, high=high),))
        return found


def reduction(accepts: Iterable[Category] = ALL, **rest: Any) -> Reduction:
    """An operator that reduces over dimensions; see `Reduction` for the arguments."""
    return Reduction(accepts, **rest)


def scan(accepts: Iterable[Category] = ALL, **rest: Any) -> Reduction:
    """An operator that works along exactly one dimension and keeps the shape."""
    return Reduction(accepts, one=True, **rest)
