"""Calls in plain data: arrays, names and numbers that both libraries are given."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

FLOATS = ("float32", "float64", "float16", "bfloat16")
COMPLEXES = ("complex64", "complex128")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """A tensor in plain data; bfloat16 comes as float32 whose lower half is zero."""

    values: np.ndarray
    dtype: str
    layout: str = "contiguous"

    @property
    def inexact(self) -> bool:
        """Whether it can have a gradient."""
        return self.dtype in FLOATS or self.dtype in COMPLEXES

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.values.shape)}"


@dataclass(frozen=True, slots=True)
class Named:
    """Whatever a library has under this path: a dtype, a function."""

    path: str

    def __repr__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The arguments of one call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def arrays(self) -> list[Array]:
        """All arrays among the arguments, those in sequences too."""
        return list(_arrays((self.args, self.kwargs)))

    def map(self, function: Callable[[Any], Any]) -> Call:
        """The same call with every leaf replaced."""
        return Call(mapped(self.args, function), mapped(self.kwargs, function))

    def with_arg(self, at: int, value: Any) -> Call:
        """The same call with another argument at a position."""
        return replace(self, args=(*self.args[:at], value, *self.args[at + 1 :]))

    def __repr__(self) -> str:
        parts = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"({', '.join(parts)})"


def call(*args: Any, **kwargs: Any) -> Call:
    """A call with these arguments."""
    return Call(args, kwargs)


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """A nested structure with every leaf replaced."""
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(mapped(v, function) for v in value)
    if isinstance(value, dict):
        return {k: mapped(v, function) for k, v in value.items()}
    return function(value)


def _arrays(value: Any) -> Iterator[Array]:
    if isinstance(value, Array):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))


class Maker:
    """Makes random arrays of the dtype under test, seeded by the operator's name."""

    def __init__(self, name: str, dtype: str) -> None:
        self.dtype = dtype
        self.random = np.random.default_rng(zlib.crc32(name.encode()))

    @property
    def floating(self) -> bool:
        """Whether the dtype under test is real and floating."""
        return self.dtype in FLOATS

    @property
    def complex(self) -> bool:
        """Whether the dtype under test is complex."""
        return self.dtype in COMPLEXES

    def __call__(
        self,
        *shape: int,
        low: float | None = None,
        high: float | None = None,
        dtype: str | None = None,
    ) -> Array:
        """Values in [low, high): by default (-2, 2) of floats, (-5, 5) of integers."""
        dtype = dtype or self.dtype
        return Array(draw(self.random, shape, dtype, low, high), dtype)

    def positive(self, *shape: int) -> Array:
        """Values well above zero."""
        return self(*shape, low=1 if self.dtype in INTEGERS else 0.25, high=3)

    def int(self, *shape: int, low: int = 0, high: int = 3) -> Array:
        """int64 in [low, high)."""
        return self(*shape, low=low, high=high, dtype="int64")

    def bool(self, *shape: int) -> Array:
        """Random truths."""
        return self(*shape, dtype="bool")

    def distinct(self, *shape: int) -> Array:
        """Whole numbers around zero, no two the same (of unsigned integers: from zero)."""
        count = int(np.prod(shape))
        first = 0 if self.dtype.startswith("uint") else count // 2
        return self.of((self.random.permutation(count) - first).reshape(shape))

    def of(self, values: Any, dtype: str | None = None) -> Array:
        """These values."""
        dtype = dtype or self.dtype
        return Array(stored(np.array(values), dtype), dtype)

    def matrix(self, *shape: int) -> Array:
        """Square matrices with a dominant diagonal, so well-conditioned."""
        values = self(*shape).values + 4 * np.eye(shape[-1])
        return self.of(values)

    def hermitian(self, *shape: int) -> Array:
        """Symmetric or Hermitian positive definite matrices with well-separated eigenvalues."""
        a = self(*shape).values * 0.25
        spread = np.diag(2.0 * np.arange(1, shape[-1] + 1))
        return self.of(a @ np.conj(np.swapaxes(a, -1, -2)) + spread)

    def triangle(self, *shape: int, upper: bool = False) -> Array:
        """Triangular matrices with a dominant diagonal, which is real as Cholesky factors' is."""
        values = (np.triu if upper else np.tril)(self.matrix(*shape).values)
        n = shape[-1]
        values[..., range(n), range(n)] = values[..., range(n), range(n)].real
        return self.of(values)


def draw(
    random: np.random.Generator,
    shape: tuple[int, ...],
    dtype: str,
    low: float | None = None,
    high: float | None = None,
) -> np.ndarray:
    """Random values of a dtype; floats are spread evenly, so that no two are close."""
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if dtype in INTEGERS:
        low = -5 if low is None else int(np.ceil(low))
        high = 5 if high is None else int(np.ceil(high))
        if dtype.startswith("uint"):
            low = max(low, 0)
        return random.integers(low, max(high, low + 1), shape).astype(dtype)
    if dtype in COMPLEXES:
        parts = [_spread(random, shape, low, high) for _ in range(2)]
        return stored(parts[0] + 1j * parts[1], dtype)
    return stored(_spread(random, shape, low, high), dtype)


def _spread(random: np.random.Generator, shape: tuple[int, ...], low: Any, high: Any) -> np.ndarray:
    low, high = -2.0 if low is None else low, 2.0 if high is None else high
    count = int(np.prod(shape))
    steps = random.permutation(count) + random.uniform(0.1, 0.9, count)
    return (low + (high - low) * steps / max(count, 1)).reshape(shape)


def stored(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values as an `Array` holds them."""
    if dtype != "bfloat16":
        with np.errstate(all="ignore"):
            return np.asarray(values).astype(dtype)
    single = np.ascontiguousarray(values, dtype=np.float32).reshape(np.shape(values))
    return (single.view(np.uint32) & 0xFFFF0000).view(np.float32)
