"""Kernels for every primitive, written over an array module `xp` with numpy's interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dispatch_core._dtypes import complex64, complex128, dtype, float32, float64
from dispatch_core.backend.array_kernels import (
    complexes,
    contract,
    create,
    elementwise,
    fourier,
    index,
    linalg,
    movement,
    random,
    reduce,
    sorting,
)
from dispatch_core.backend.kernels import KernelTable

_WIDE = (float32, float64, complex64, complex128)
_TOPICS = (
    elementwise,
    reduce,
    movement,
    create,
    index,
    contract,
    random,
    sorting,
    linalg,
    fourier,
)


def computing(xp: Any) -> Iterator[tuple[str, Callable[..., Any], tuple[dtype, ...] | None]]:
    """Operator, kernel and the dtypes it is for (None: all), of every kernel that makes a new array."""
    for topic in _TOPICS:
        for op, fn in topic.kernels(xp).items():
            yield op, fn, None
    for op, fn in reduce.exact_kernels(xp).items():
        yield op, fn, _WIDE
    for op, fn in complexes.kernels(xp).items():
        yield op, fn, (complex64, complex128)


def register_all(table: KernelTable, xp: Any, provider: str) -> None:
    """Enter all kernels for the module `xp` into a device's table."""
    for op, fn in movement.views(xp).items():
        table.register(op, fn, provider=provider)
    for op, fn, dtypes in computing(xp):
        takes_out = dtypes is None and isinstance(fn, xp.ufunc)
        table.register(op, fn, provider=provider, dtypes=dtypes, out=takes_out)
