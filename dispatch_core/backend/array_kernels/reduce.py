"""Reductions and scans; halves accumulate in float32, integers in int64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.backend.array_kernels.layout import in_order

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return {
        "sum": _accumulating(xp, xp.add),
        "prod": _accumulating(xp, xp.multiply),
        "mean": _mean(xp),
        "amax": _plain(xp.maximum),
        "amin": _plain(xp.minimum),
        "max_all": _whole(xp.maximum),
        "min_all": _whole(xp.minimum),
        "argmax": _arg(xp.argmax),
        "argmin": _arg(xp.argmin),
        "max_dim": _with_index(xp, xp.maximum.reduce, xp.argmax),
        "min_dim": _with_index(xp, xp.minimum.reduce, xp.argmin),
        "all": _truth(xp, xp.logical_and),
        "any": _truth(xp, xp.logical_or),
        "cumsum": _scan(xp, xp.add),
        "cumprod": _scan(xp, xp.multiply),
    }


def exact_kernels(xp: Any) -> dict[str, Kernel]:
    """Kernels for the dtypes that accumulate in themselves: nothing but the reduction."""
    return {"sum": _plain(xp.add), "prod": _plain(xp.multiply), "mean": _plain_mean(xp)}


def axes(dim: Any) -> Any:
    """A `dim` argument as numpy's axis (an empty list means all, as in PyTorch)."""
    if dim.__class__ is int or dim is None:
        return dim
    return (tuple(dim) or None) if isinstance(dim, (tuple, list)) else dim.__index__()


def is_half(array: Any) -> bool:
    """Whether the elements have 16 bits and would accumulate badly."""
    return array.dtype.itemsize == 2 and array.dtype.kind not in "iu"


def _accumulator(array: Any) -> Any:
    kind = array.dtype.kind
    if kind in "biu":
        return "int64"
    return "float32" if is_half(array) else None


def _accumulating(xp: Any, ufunc: Any) -> Kernel:
    """A sum or product of any dtype, in the dtype it is accumulated in."""
    plain = _plain(ufunc)
    reduce = ufunc.reduce

    def accumulate(input: Any, dim: Any, keepdim: bool) -> Any:
        wide = _accumulator(input)
        if wide is None:
            return plain(input, dim, keepdim)
        if input.ndim == 0:
            dim = scalar_dim(dim)
        result = in_order(reduce(input, axes(dim), wide, keepdims=keepdim, out=...))
        return result.astype(input.dtype) if wide == "float32" else result

    return accumulate


def _plain(ufunc: Any) -> Kernel:
    """A reduction in the array's own dtype; nothing is looked at before it fails."""
    reduce = ufunc.reduce

    def plain(input: Any, dim: Any, keepdim: bool) -> Any:
        try:
            if not keepdim and (dim is None or dim.__class__ is int):
                result = reduce(input, dim, out=...)  # each keyword takes time
            else:
                result = reduce(input, axes(dim), keepdims=keepdim, out=...)
            return result if result.ndim < 2 else in_order(result)
        except ValueError:
            if input.ndim:
                raise
            return reduce(input, scalar_dim(dim), keepdims=keepdim, out=...)

    return plain


def _whole(ufunc: Any) -> Kernel:
    """The reduction of all elements to one."""
    reduce = ufunc.reduce
    return lambda input: reduce(input, None, out=...)


def scalar_dim(dim: Any) -> Any:
    """0-d tensors accept dim 0 or -1, either of which stands for the single element."""
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    for d in dims:
        if d is not None and d not in (0, -1):
            raise IndexError(d)
    if len(dims) > 1:
        raise ValueError(f"dim 0 appears multiple times in {dims}")
    return None


def _mean(xp: Any) -> Kernel:
    reduce = xp.add.reduce

    def mean(input: Any, dim: Any, keepdim: bool) -> Any:
        if input.ndim == 0:
            dim = scalar_dim(dim)
        wide = "float32" if is_half(input) else None
        total = in_order(reduce(input, axes(dim), wide, keepdims=keepdim, out=...))
        total /= input.size / total.size if total.size else 1
        return total.astype(input.dtype) if wide else total

    return mean


def _plain_mean(xp: Any) -> Kernel:
    reduce = xp.add.reduce

    def mean(input: Any, dim: Any, keepdim: bool) -> Any:
        if input.ndim == 0:
            dim = scalar_dim(dim)
        total = reduce(input, dim if dim.__class__ is int else axes(dim), None, None, keepdim)
        if total.ndim:
            total /= input.size / total.size if total.size else 1
            return total if total.ndim < 2 else in_order(total)
        return total / input.dtype.type(input.size)

    return mean


FEW_ROWS = 1 << 11
"""Rows of a matrix up to which the places where they begin are remembered, by shape."""


def _with_index(xp: Any, reduce: Kernel, arg: Kernel) -> Kernel:
    begins: dict[Any, Any] = {}

    def begin(shape: Any) -> Any:
        found = begins.get(shape)
        if found is None:
            if len(begins) > 64:
                begins.clear()
            found = begins[shape] = xp.arange(0, shape[0] * shape[1], shape[1])
        return found

    def extreme(input: Any, dim: int, keepdim: bool) -> Any:
        if input.ndim == 0:
            scalar_dim(dim)
            return input.copy(), arg(input)
        if input.dtype.kind == "V" or keepdim:
            index = arg(input, axis=dim, keepdims=keepdim)
        else:
            index = input.argmax(dim) if arg.__name__ == "argmax" else input.argmin(dim)
            if index.ndim == 1 and dim in (1, -1) and 0 < len(index) <= FEW_ROWS:
                # Taking what the index says is faster than looking for the extreme once more.
                return input.take(begin(input.shape) + index), index
        return in_order(reduce(input, dim, None, None, keepdim)), in_order(index)

    return extreme


def _arg(function: Kernel) -> Kernel:
    def arg(input: Any, dim: Any, keepdim: bool) -> Any:
        if input.ndim == 0:
            dim = scalar_dim(dim)
        result = in_order(function(input, axis=dim))
        if keepdim:
            shape = [
                1 if dim is None or i == dim % input.ndim else n for i, n in enumerate(input.shape)
            ]
            return result.reshape(shape)
        return result

    return arg


def _truth(xp: Any, ufunc: Any) -> Kernel:
    reduce = ufunc.reduce

    def truth(input: Any, dim: Any, keepdim: bool) -> Any:
        if input.ndim == 0:
            dim = scalar_dim(dim)
        if dim.__class__ in (tuple, list) and not dim:  # unlike other reductions none, not all
            result = input != 0
        else:
            result = in_order(reduce(input, axes(dim), keepdims=keepdim, out=...))
        return result.astype("uint8") if input.dtype == "uint8" else result

    return truth


def _scan(xp: Any, ufunc: Any) -> Kernel:
    accumulate = ufunc.accumulate

    def scan(input: Any, dim: int) -> Any:
        wide = _accumulator(input)
        if input.ndim == 0:
            scalar_dim(dim)
            return input.astype(wide if wide == "int64" else input.dtype)
        result = in_order(accumulate(input, dim, wide))
        return result.astype(input.dtype) if wide == "float32" else result

    return scan
