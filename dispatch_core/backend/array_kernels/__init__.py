"""Kernels for every primitive, written over an array module `xp` with numpy's interface."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import complex64, complex128, float32, float64
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


def register_all(table: KernelTable, xp: Any, provider: str) -> None:
    """Enter all kernels for the module `xp` into a device's table."""
    for topic in _TOPICS:
        for op, fn in topic.kernels(xp).items():
            table.register(op, fn, provider=provider, out=isinstance(fn, xp.ufunc))
    for op, fn in reduce.exact_kernels(xp).items():
        table.register(op, fn, provider=provider, dtypes=_WIDE)
    for op, fn in complexes.kernels(xp).items():
        table.register(op, fn, provider=provider, dtypes=(complex64, complex128))
