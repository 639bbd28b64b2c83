"""Sorting, searching and running extremes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.backend.array_kernels.complexes import logaddexp
from dispatch_core.backend.array_kernels.layout import in_order
from dispatch_core.backend.array_kernels.reduce import is_half

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    argsort = _argsort(xp)
    return {
        "argsort": argsort,
        "sort": _sort(xp, argsort),
        "topk": _topk(xp, argsort),
        "search_sorted": _search_sorted(xp),
        "cummax": _running(xp, xp.maximum),
        "cummin": _running(xp, xp.minimum),
        "logcumsumexp": _logcumsumexp(xp),
    }


def _axis(input: Any, dim: int) -> int:
    if not -max(input.ndim, 1) <= dim < max(input.ndim, 1):
        raise IndexError(dim)
    return dim % max(input.ndim, 1)


def _take(xp: Any, array: Any, index: Any, axis: int) -> Any:
    return array.take(index) if array.ndim == 1 else xp.take_along_axis(array, index, axis)


def _argsort(xp: Any) -> Kernel:
    def argsort(input: Any, dim: int, descending: bool, stable: bool = True) -> Any:
        at = _axis(input, dim)
        if input.ndim == 0:
            return xp.zeros((), "int64")
        if is_half(input):
            input = input.astype("float32")
        if not descending:
            return xp.argsort(input, axis=at, kind="stable")
        # Backwards twice: descending, and equal elements still in their order.
        back = xp.argsort(xp.flip(input, at), axis=at, kind="stable")
        return xp.flip(input.shape[at] - 1 - back, at).copy()

    return argsort


def _sort(xp: Any, argsort: Kernel) -> Kernel:
    def sort(input: Any, dim: int, descending: bool, stable: bool) -> Any:
        index = argsort(input, dim, descending)
        if input.ndim == 0:
            return input.copy(), index
        return _take(xp, input, index, dim), index

    return sort


def _topk(xp: Any, argsort: Kernel) -> Kernel:
    def topk(input: Any, k: int, dim: int, largest: bool, sorted: bool) -> Any:
        at = _axis(input, dim)
        n = input.shape[at] if input.ndim else 1
        if not 0 <= k <= n:
            raise RuntimeError(f"selected index k out of range: k={k} for a dimension of size {n}")
        if input.ndim == 0:
            return input.copy(), xp.zeros((), "int64")
        keys = input.astype("float32") if is_half(input) else input
        if 0 < 8 * k < n:
            # Only the part that the result comes from is sorted.
            cut = n - k if largest else k - 1
            part = xp.argpartition(keys, cut, axis=at)
            chosen = part[_along(at, slice(n - k, None) if largest else slice(k))]
            chosen = xp.sort(chosen, axis=at)
            order = argsort(_take(xp, keys, chosen, at), at, largest)
            index = _take(xp, chosen, order, at)
        else:
            index = argsort(keys, at, largest)[_along(at, slice(k))].copy()
        return _take(xp, input, index, at), index

    return topk


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


def _search_sorted(xp: Any) -> Kernel:
    def search_sorted(sequence: Any, values: Any, right: bool) -> Any:
        if is_half(sequence):
            sequence, values = sequence.astype("float32"), values.astype("float32")
        side = "right" if right else "left"
        if sequence.ndim == 1:
            return xp.searchsorted(sequence, values, side)
        rows = sequence.reshape(-1, sequence.shape[-1])
        wanted = values.reshape(rows.shape[0], -1)
        out = xp.empty(wanted.shape, "int64")
        for i, row in enumerate(rows):
            out[i] = xp.searchsorted(row, wanted[i], side)
        return out.reshape(values.shape)

    return search_sorted


def _running(xp: Any, ufunc: Any) -> Kernel:
    def running(input: Any, dim: int) -> Any:
        at = _axis(input, dim)
        if input.ndim == 0:
            return input.copy(), xp.zeros((), "int64")
        values = ufunc.accumulate(input, at)
        # A place counts where the element is the extreme so far; of equal ones the last.
        reached = (input == values) | (input != input)
        shape = [1] * input.ndim
        shape[at] = input.shape[at]
        places = xp.arange(input.shape[at]).reshape(shape)
        where = xp.maximum.accumulate(xp.where(reached, places, 0), at)
        return in_order(values), in_order(where)

    return running


def _accumulated(xp: Any, input: Any, at: int) -> Any:
    """Complex numbers one after the other, each with the sum so far."""
    add = logaddexp(xp)
    out = input.copy()
    rows = xp.moveaxis(out, at, 0)
    for i in range(1, rows.shape[0]):
        rows[i : i + 1] = add(rows[i - 1 : i], rows[i : i + 1])
    return out


def _logcumsumexp(xp: Any) -> Kernel:
    def logcumsumexp(input: Any, dim: int) -> Any:
        at = _axis(input, dim)
        if input.ndim == 0:
            return input.copy()
        if input.dtype.kind == "c":
            return in_order(_accumulated(xp, input, at))
        wide = input.astype("float32") if is_half(input) else input
        return in_order(xp.logaddexp.accumulate(wide, at)).astype(input.dtype, copy=False)

    return logcumsumexp
