"""Factories, casts and complex parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.backend.array_kernels.layout import order_of

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return {
        "fill_new": _fill_new(xp),
        "arange_new": _arange_new(xp),
        "cast": _cast,
    }


def _fill_new(xp: Any) -> Kernel:
    def fill_new(size: Any, value: Any, place: Any) -> Any:
        dtype = place.dtype.numpy_dtype
        if value is None:
            return xp.empty(size, dtype)
        if value == 0 and not (value.__class__ is float and str(value).startswith("-")):
            return xp.zeros(size, dtype)
        if place.dtype.is_floating_point and isinstance(value, complex):
            raise RuntimeError(f"value {value} cannot be converted to type {place.dtype.name}")
        if place.dtype.category.name == "INTEGRAL" and isinstance(value, float):
            value = int(value)
        return xp.full(size, value, dtype)

    return fill_new


def _arange_new(xp: Any) -> Kernel:
    def arange_new(start: Any, step: Any, count: int, place: Any) -> Any:
        dtype = place.dtype.numpy_dtype
        if dtype.kind in "iu" and isinstance(start, int) and isinstance(step, int):
            values = xp.arange(count, dtype="int64")
            return (values * step + start).astype(dtype)
        values = xp.arange(count, dtype="float64")
        return (values * step + start).astype(dtype)

    return arange_new


def _cast(input: Any, dtype: Any) -> Any:
    wanted = dtype.numpy_dtype
    if input.dtype.kind == "c" and wanted.kind != "c":
        input = input if wanted.kind == "b" else input.real
    return input.astype(wanted, order=order_of(input))
