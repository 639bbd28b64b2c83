"""Reading and writing by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import check_index_shape
from dispatch_example.array import kernel


def _check(input: Any, dim: int, index: Any, src: Any = None) -> int:
    """The dimension as a non-negative number; raises where the arguments do not fit together."""
    dim = check_index_shape(input.shape, dim, index.shape, None if src is None else src.shape)
    size = input.shape[dim] if input.ndim else 1
    wrong = index[(index < 0) | (index >= size)]
    if wrong.size:
        raise IndexError(
            f"index {wrong.flat[0]} is out of bounds for dimension {dim} with size {size}"
        )
    return dim


def _places(index: Any, dim: int) -> tuple[Any, ...]:
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[dim] = index
    return tuple(places)


def _gather(input: Any, dim: int, index: Any) -> Any:
    dim = _check(input, dim, index)
    if not index.size:
        return np.empty(index.shape, input.dtype)
    if input.ndim == 0 or index.ndim == 0:
        return input.reshape(-1)[index, ...]
    return input[_places(index, dim)]


def _scatter_src(input: Any, dim: int, index: Any, src: Any) -> Any:
    dim = _check(input, dim, index, src)
    out = input.copy()
    if index.size:
        target, index, src = np.atleast_1d(out, index, src)
        target[_places(index, dim)] = src[tuple(slice(n) for n in index.shape)]
    return out


def _scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    dim = _check(input, dim, index, src)
    out = input.copy()
    if index.size:
        target, index, src = np.atleast_1d(out, index, src)
        np.add.at(target, _places(index, dim), src[tuple(slice(n) for n in index.shape)])
    return out


KERNELS = {
    "gather": kernel(_gather),
    "scatter_add": kernel(_scatter_add),
    "scatter_src": kernel(_scatter_src),
}
