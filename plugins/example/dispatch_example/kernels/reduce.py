"""Reductions and scans; halves accumulate in float32, integers in int64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dispatch_example.array import halves_in_float32, kernel

Function = Callable[..., Any]


def _axes(input: Any, dim: Any) -> Any:
    """A `dim` argument as numpy's axis: an empty list means all; 0-d arrays have dims 0 and -1."""
    if dim is None:
        return None
    dims = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if input.ndim == 0:
        if any(d not in (0, -1) for d in dims):
            raise IndexError(f"dim {dim} of an array without dimensions")
        if len(dims) > 1:
            raise ValueError(f"dim 0 appears multiple times in {dim}")
        return None
    return dims or None


def _widened(input: Any) -> Any:
    return input.astype(np.int64) if input.dtype.kind in "biu" else input


def _sum(input: Any, dim: Any, keepdim: bool) -> Any:
    return np.add.reduce(_widened(input), _axes(input, dim), keepdims=keepdim)


def _amax(input: Any, dim: Any, keepdim: bool) -> Any:
    return np.maximum.reduce(input, _axes(input, dim), keepdims=keepdim)


def _scan_of(ufunc: np.ufunc) -> Function:
    def scan(input: Any, dim: int) -> Any:
        axes = _axes(input, dim)
        return _widened(input) if axes is None else ufunc.accumulate(_widened(input), axes[0])

    return halves_in_float32(scan)


KERNELS = {
    name: kernel(function)
    for name, function in {
        "amax": _amax,
        "cumprod": _scan_of(np.multiply),
        "cumsum": _scan_of(np.add),
        "sum": halves_in_float32(_sum),
    }.items()
}
