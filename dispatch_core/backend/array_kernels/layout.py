"""The order in which the elements of a result lie in memory."""

from __future__ import annotations

from typing import Any


def order_of(input: Any) -> str:
    """The order of a copy that lies like `input`: a repeated dimension has no place, so then of dimensions."""
    return "C" if not input.size or 0 in input.strides else "K"


def in_order(result: Any) -> Any:
    """The elements in the order of the dimensions; numpy keeps that of a transposed argument."""
    return result if result.ndim < 2 or result.flags.c_contiguous else result.copy()
