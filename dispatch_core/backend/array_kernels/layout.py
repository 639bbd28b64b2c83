"""The order in which the elements of a result lie in memory."""

from __future__ import annotations

from typing import Any


def order_of(input: Any) -> str:
    """The order of a copy that lies like `input`: a repeated dimension has no place, so then of dimensions."""
    return "C" if not input.size or 0 in input.strides else "K"


def copied(input: Any) -> Any:
    """A copy that lies like `input`."""
    return input.copy(order=order_of(input))


def owner(raw: Any) -> Any:
    """The array whose memory it shows, itself where that is its own: the same for all views of one array.

    numpy's stride tricks put an object between a view and its array, which has that as its `base`.
    """
    kind = raw.__class__
    base = raw.base
    while base is not None:
        if base.__class__ is not kind:
            base = getattr(base, "base", None)
            if base.__class__ is not kind:
                break
        raw = base
        base = raw.base
    return raw


def in_order(result: Any) -> Any:
    """The elements in the order of the dimensions; numpy keeps that of a transposed argument."""
    return result if result.ndim < 2 or result.flags.c_contiguous else result.copy()
