"""Random numbers from the Philox generator: the same for the same seed on every device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.backend import philox

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""

    def random_new(size: Any, kind: str, a: Any, b: Any, seed: int, offset: int, place: Any) -> Any:
        dtype = place.dtype.numpy_dtype
        if kind == "integers":
            return philox.integers(xp, seed, offset, a, b, size).astype(dtype, copy=False)
        if kind == "permutation":
            return philox.permutation(xp, seed, offset, a).astype(dtype, copy=False)
        if kind == "uniform":
            return _scaled(philox.uniform(xp, seed, offset, size, dtype), b - a, a)
        return _scaled(philox.normal(xp, seed, offset, size, dtype), b, a)

    return {"random_new": random_new}


def _scaled(values: Any, scale: float, shift: float) -> Any:
    """Values * scale + shift in the memory of `values`, which nobody else has seen."""
    if scale != 1:
        values *= values.dtype.type(scale)
    if shift != 0:
        values += values.dtype.type(shift)
    return values
