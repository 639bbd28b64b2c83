"""Sample calls of operators: the same random inputs for every dtype and device, by name."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dispatch_core._construct import tensor
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import (
    ALL_DTYPES,
    Category,
    Priority,
    bool_,
    complex64,
    dtype,
    float32,
    int64,
    scalar_dtype,
)
from dispatch_core._op import OPERATORS, Declared
from dispatch_core._tensor import Tensor
from dispatch_core.testing._creation import draw


class Maker:
    """The `make` that sample functions get: tensors of the dtype under test, seeded by a name."""

    def __init__(self, name: str, dtype: dtype, device: str) -> None:
        self.dtype = dtype
        self.device = device
        self._random = np.random.default_rng(zlib.crc32(name.encode()))

    def __call__(
        self,
        *shape: int,
        low: float = -2.0,
        high: float = 2.0,
        integer: bool = False,
        boolean: bool = False,
    ) -> Tensor:
        """A tensor with values from [low, high); of int64 or bool where that is asked for."""
        wanted = int64 if integer else bool_ if boolean else self.dtype
        if wanted.category is Category.INTEGRAL:
            low = math.ceil(low) if wanted.is_signed else max(math.ceil(low), 0)
            high = max(math.ceil(high), low + 1)
        return tensor(
            draw(self._random, shape, wanted, low, high), dtype=wanted, device=self.device
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """One call of an operator."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def call(self, function: Callable[..., Any]) -> Any:
        """`function` with these arguments."""
        return function(*self.args, **self.kwargs)

    def tensors(self) -> list[Tensor]:
        """All tensors among the arguments, those in sequences too."""
        return list(tensors_in((self.args, self.kwargs)))

    def map(self, function: Callable[[Tensor], Tensor]) -> Sample:
        """The same call with every tensor replaced."""
        return Sample(
            tuple(_mapped(a, function) for a in self.args),
            {k: _mapped(v, function) for k, v in self.kwargs.items()},
        )

    def with_first(self, value: Any) -> Sample:
        """The same call with another first argument."""
        return Sample((value, *self.args[1:]), self.kwargs)

    def __str__(self) -> str:
        parts = [_shown(a) for a in self.args]
        parts += [f"{k}={_shown(v)}" for k, v in self.kwargs.items()]
        return f"({', '.join(parts)})"


def _mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(v, function) for v in value)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype.abbr}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_shown(v) for v in value)}]"
    return repr(value)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors in nested sequences and dicts, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(tuple(value.values()))


def samples_of(op: Op, dtype: dtype, device: str) -> list[Sample]:
    """The sample calls of an operator with tensors of a dtype on a device."""
    made = op.family.samples(op, Maker(op.name, dtype, device))
    return [
        Sample(tuple(s[:-1]), s[-1]) if s and isinstance(s[-1], dict) else Sample(tuple(s))
        for s in made
    ]


def has_samples(op: Op) -> bool:
    """Whether the family or the declaration gives sample calls."""
    probe = next(d for d in (float32, complex64, *ALL_DTYPES) if accepts(op, d))
    return bool(op.family.samples(op, Maker(op.name, probe, "cpu")))


def computed_dtype(op: Op, given: dtype) -> dtype:
    """The dtype that an operator computes in when all its tensors have dtype `given`."""
    if op.family.promotes:
        return op.family.compute([(given, Priority.DIMENSIONED)])
    return given


def sample_dtype(op: Op, given: dtype, sample: Sample) -> dtype:
    """The dtype that one call is computed in: its Python numbers and 0-d tensors count too."""
    if not op.family.promotes:
        return given
    operands = []
    for at, value in enumerate(op.bind(sample.args, sample.kwargs)):
        if at not in op.tensors or op.params[at].name in op.family.apart:
            continue
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(each, Tensor):
                rank = Priority.DIMENSIONED if each.ndim else Priority.ZERO_DIM
                operands.append((each.dtype, rank))
            elif each is not None:
                operands.append((scalar_dtype(each), Priority.SCALAR))
    return op.family.compute(operands) if operands else given


def accepts(op: Op, given: dtype) -> bool:
    """Whether the operator's family takes tensors of a dtype."""
    return op.family.takes(computed_dtype(op, given))


def accepted_dtypes(op: Op) -> list[dtype]:
    """All dtypes that the operator's family takes."""
    return [d for d in ALL_DTYPES if accepts(op, d)]


def declared_operators() -> list[Declared]:
    """The operators that sample calls exist for."""
    # A copy, for making the first sample may load plugins, which may declare more.
    return [d for d in list(OPERATORS.values()) if has_samples(d.op)]


def operand_names(op: Op) -> Sequence[str]:
    """The names of the tensor parameters."""
    return [op.params[i].name for i in op.tensors]
