"""Reading and writing by index, with bounds that are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._shapes import check_index_shape

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return {
        "gather": _gather(xp),
        "scatter_src": _scatter_src(xp),
        "scatter_add": _scatter_add(xp),
        "index_select": _index_select(xp),
        "index_at": _index_at(xp),
        "index_put_at": _index_put_at(xp),
        "nonzero_rows": lambda input: (
            xp.stack(xp.nonzero(xp.atleast_1d(input)), 1)
            if input.ndim
            else xp.zeros((int(input != 0), 0), "int64")
        ),
    }


def check_bounds(index: Any, size: int, dim: int, *, negative: bool = False) -> None:
    """Raise IndexError in PyTorch's words when an index is not below `size`."""
    if not index.size:
        return
    low, high = int(index.min()), int(index.max())
    if low < (-size if negative else 0) or high >= size:
        wrong = high if high >= size else low
        raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def _grid(xp: Any, index: Any, dim: int) -> tuple[Any, ...]:
    """The index of a gather or scatter, as numpy's advanced indexing takes it."""
    grid = list(xp.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def vector(array: Any) -> Any:
    """An array without dimensions as the vector that it counts as; others as they are."""
    return array if array.ndim else array.reshape(1)


def _places(xp: Any, index: Any, dim: int, src: Any) -> tuple[Any, Any]:
    """Where a scatter writes, and what."""
    index = vector(index)
    return _grid(xp, index, dim), vector(src)[tuple(slice(n) for n in index.shape)]


def _check_gather(input: Any, dim: int, index: Any, src: Any = None) -> int:
    at = check_index_shape(input.shape, dim, index.shape, None if src is None else src.shape)
    check_bounds(index, input.shape[at] if input.ndim else 1, at)
    return at


def _gather(xp: Any) -> Kernel:
    def gather(input: Any, dim: int, index: Any) -> Any:
        at = _check_gather(input, dim, index)
        if not index.size:
            return xp.empty(index.shape, input.dtype)
        if input.ndim == 0 or index.ndim == 0:
            return input.reshape(-1)[index, ...]
        return input[_grid(xp, index, at)]

    return gather


def _scatter_src(xp: Any) -> Kernel:
    def scatter_src(input: Any, dim: int, index: Any, src: Any) -> Any:
        at = _check_gather(input, dim, index, src)
        out = input.copy()
        if index.size:
            where, values = _places(xp, index, at, src)
            vector(out)[where] = values
        return out

    return scatter_src


def _scatter_add(xp: Any) -> Kernel:
    def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
        at = _check_gather(input, dim, index, src)
        out = input.copy()
        if index.size:
            where, values = _places(xp, index, at, src)
            xp.add.at(vector(out), where, values)
        return out

    return scatter_add


def _index_select(xp: Any) -> Kernel:
    def index_select(input: Any, dim: int, index: Any) -> Any:
        if index.ndim > 1:
            raise IndexError("index_select(): Index is supposed to be a vector")
        if input.ndim == 0:
            if index.size != 1:
                raise RuntimeError(
                    f"Index to scalar can have only 1 value, got {index.size} value(s)"
                )
            check_bounds(index, 1, 0)
            return input.copy()
        check_bounds(index, input.shape[dim], dim)
        return input.take(index.reshape(-1), dim)

    return index_select


def _full_index(indices: Sequence[Any], dims: Sequence[int]) -> tuple[Any, ...]:
    full: list[Any] = [slice(None)] * (max(dims) + 1)
    for index, d in zip(indices, dims, strict=True):
        full[d] = index
    return tuple(full)


def _index_at(xp: Any) -> Kernel:
    def index_at(input: Any, indices: Sequence[Any], dims: Sequence[int]) -> Any:
        for index, d in zip(indices, dims, strict=True):
            check_bounds(index, input.shape[d], d, negative=True)
        return input[_full_index(indices, dims)]

    return index_at


def _index_put_at(xp: Any) -> Kernel:
    def index_put_at(
        input: Any, indices: Sequence[Any], values: Any, dims: Sequence[int], accumulate: bool
    ) -> Any:
        for index, d in zip(indices, dims, strict=True):
            check_bounds(index, input.shape[d], d, negative=True)
        out = input.copy()
        where = _full_index(indices, dims)
        if accumulate:
            xp.add.at(out, where, values)
        else:
            out[where] = values
        return out

    return index_put_at
