"""Sizes as users give them, a number or a tuple, brought into one form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Size = int | tuple[int, ...]


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """`value` as a tuple: `n` times itself if it is a single number."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def factory(device: Any, dtype: Any) -> dict[str, Any]:
    """The keyword arguments with which a layer makes its parameters."""
    return {"device": device, "dtype": dtype}
