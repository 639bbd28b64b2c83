"""Operators that move elements, contract them, make them, draw them or pick them by index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dispatch_core._dtypes import Category, Priority, dtype, float32, promote_operands
from dispatch_core._families.base import ALL, FLOATING, Family
from dispatch_core._shapes import check_dim

if TYPE_CHECKING:
    from dispatch_core._dispatcher.operator import Op


class Movement(Family):
    """Operators that only rearrange elements (views among them): the dtype stays."""

    kind = "movement"
    batching = "along_dims"

    def __init__(
        self,
        accepts: Iterable[Category] = ALL,
        *,
        real: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(accepts, **rest)
        self.real = real
        """Whether the result shows one part of complex numbers."""

    def result(self, op: Op, computed: dtype) -> dtype | None:
        return computed.to_real() if self.real else computed

    def check(self, op: Op, args: Sequence[Any]) -> None:
        super().check(op, args)
        first = args[0][0] if op.has_list and args[0] else args[0]
        for param, value in zip(op.params, args, strict=False):
            if param.name.startswith("dim") and isinstance(value, int):
                check_dim(value, first.ndim)


class Contraction(Family):
    """Matrix products and what is built like them: operands of one dtype, unless it `promotes`."""

    kind = "contraction"
    broadcasts = True  # over batches

    def __init__(
        self, accepts: Iterable[Category] = ALL, *, promotes: bool = False, **rest: Any
    ) -> None:
        super().__init__(accepts, promotes=promotes, **rest)
        self.alike = not promotes

    def compute(self, operands: Sequence[tuple[dtype, Priority]]) -> dtype:
        # A number among matrices counts like them.
        return promote_operands([(d, Priority.DIMENSIONED if r else r) for d, r in operands])

    def result(self, op: Op, computed: dtype) -> dtype | None:
        return computed


class Normalisation(Family):
    """Operators that shift and scale: operands of one dtype, or a 16-bit input with float32 parameters."""

    alike = True

    def admit(self, op: Op, dtypes: Mapping[str, dtype]) -> None:
        own, *others = dtypes.values()
        if own.itemsize > 2 or {*others} != {float32}:
            super().admit(op, dtypes)


class Creation(Family):
    """Operators that make a tensor from no tensor; their `place` says device and dtype."""

    kind = "creation"

    def fits_out(self, result: dtype, out: dtype) -> bool:
        return out.is_complex or not result.is_complex  # the numbers are made for it


class Random(Family):
    """Operators that draw random numbers from a generator."""

    kind = "random"


class Indexing(Family):
    """Operators that read or write elements by index; the index takes no part in promotion.

    Args:
        places: the dtypes of which `index` may be; empty where kernels or bodies ask.
        misplaced: the class of the error for others.

    """

    kind = "indexing"
    batching = "along_dims"

    def __init__(
        self,
        accepts: Iterable[Category] = ALL,
        *,
        places: Sequence[dtype] = (),
        misplaced: type[Exception] = RuntimeError,
        **rest: Any,
    ) -> None:
        super().__init__(accepts, **rest)
        self.places = places
        self.misplaced = misplaced

    def admit(self, op: Op, dtypes: Mapping[str, dtype]) -> None:
        own = dtypes.get(op.params[0].name)
        for name in ("src", "source"):
            if dtypes.get(name, own) is not own:
                raise RuntimeError(
                    f"{op.title}Expected self.dtype to be equal to {name}.dtype, but got {own} and "
                    f"{dtypes[name]}; convert one of them with .to(dtype)"
                )

    def admit_apart(self, op: Op, dtypes: Mapping[str, dtype]) -> None:
        super().admit_apart(op, dtypes)
        found = dtypes.get("index")
        if self.places and found is not None and found not in self.places:
            wanted = "/".join(d.name for d in self.places)
            raise self.misplaced(
                f"{op.title}Expected dtype {wanted} for index, but got {found.name}"
            )


class Transfer(Family):
    """Operators whose result is on another device than their argument."""

    kind = "transfer"
    batching = "leading"


def transfer(**rest: Any) -> Transfer:
    """A move between devices."""
    return Transfer(ALL, **rest)


def movement(**rest: Any) -> Movement:
    """An operator that rearranges elements."""
    return Movement(rest.pop("accepts", ALL), **rest)


def contraction(accepts: Iterable[Category], **rest: Any) -> Contraction:
    """A sum of products over shared dimensions."""
    return Contraction(accepts, **rest)


def normalisation(**rest: Any) -> Normalisation:
    """Real numbers brought to a common mean and spread."""
    return Normalisation(FLOATING, **rest)


def creation(**rest: Any) -> Creation:
    """A factory."""
    return Creation(ALL, **rest)


def random(**rest: Any) -> Random:
    """A source of random numbers."""
    return Random(ALL, **rest)


def indexing(accepts: Iterable[Category] = ALL, **rest: Any) -> Indexing:
    """Reading or writing by index."""
    return Indexing(accepts, **rest)


def custom(accepts: Iterable[Category] = ALL, **rest: Any) -> Family:
    """An operator that follows no common rule."""
    return Family(accepts, **rest)
