"""How optimizer steps walk over parameters: cache-sized blocks, small arrays gathered into one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from dispatch_cpu.kernels._common import HALF_DTYPES, Array

BLOCK = 1 << 16  # elements worked on at a time, by many passes
TWO_PASSES = 1 << 17  # the same for steps that pass over them only twice
SMALL = 1 << 13  # parameters below this size are gathered into one array
Key = TypeVar("Key", bound=Hashable)


def blocks(
    changed: Sequence[Sequence[Array]],
    grads: Sequence[Array],
    keys: Sequence[Key],
    block: int = BLOCK,
    small: int = SMALL,
) -> Iterator[tuple[Key, list[Array], Array]]:
    """Yield (key, flat blocks of `changed`, flat block of the gradients), together all elements.

    `changed` holds the lists of arrays to be updated, the parameters first. What is written into
    their blocks reaches the arrays when the generator goes on. Only parameters of equal key share
    a block, and those of fewer elements than `small` do. Half precision is widened to float32 for
    the block; complex counts as pairs of reals.
    """
    gathered: dict[tuple[Key, np.dtype[np.generic]], list[int]] = {}
    for i, (key, *arrays) in enumerate(zip(keys, *changed, grads, strict=True)):
        param = arrays[0]
        if param.size >= small and _are_plain(arrays):
            yield from _slices(key, [_flat(a) for a in arrays], block)
        elif param.size:
            gathered.setdefault((key, param.dtype), []).append(i)
    for (key, dtype), indices in gathered.items():
        batches = list(_batches(indices, changed[0]))
        wide = np.dtype(np.float32) if dtype in HALF_DTYPES else dtype
        size = max(sum(changed[0][i].size for i in batch) for batch in batches)
        # One set of buffers for all batches: it stays in the cache, and its pages are there.
        buffers = [np.empty(size, wide) for _ in (*changed, grads)]
        for batch in batches:
            columns = [[c[i] for i in batch] for c in (*changed, grads)]
            yield from _gathered(key, buffers, columns, block)


def _slices(key: Key, flat: list[Array], block: int) -> Iterator[tuple[Key, list[Array], Array]]:
    size = flat[0].size
    if size <= block:
        *parts, grad = flat
        yield key, parts, grad
        return
    for begin in range(0, size, block):
        *parts, grad = [a[begin : begin + block] for a in flat]
        yield key, parts, grad


def _gathered(
    key: Key, buffers: list[Array], columns: list[list[Array]], block: int
) -> Iterator[tuple[Key, list[Array], Array]]:
    """One block of copies, written back to all columns but the last, the gradients."""
    flat = [[a if a.ndim == 1 else a.reshape(-1) for a in column] for column in columns]
    size = sum(row.size for row in flat[0])
    copies = [buffer[:size] for buffer in buffers]
    for copy, rows in zip(copies, flat, strict=True):
        np.concatenate(rows, out=copy, casting="unsafe")
    yield from _slices(key, [_flat(copy) for copy in copies], block)
    for copy, column, rows in zip(copies[:-1], columns[:-1], flat[:-1], strict=True):
        begin = 0
        for array, row in zip(column, rows, strict=True):
            end = begin + row.size
            if array.ndim == 1 or array.flags.c_contiguous:  # then `row` is a view of it
                row[...] = copy[begin:end]
            else:
                array[...] = copy[begin:end].reshape(array.shape)
            begin = end


def _batches(indices: list[int], params: Sequence[Array]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for i in indices:
        if batch and size + params[i].size > BLOCK:
            yield batch
            batch, size = [], 0
        batch.append(i)
        size += params[i].size
    if batch:
        yield batch


def _are_plain(arrays: list[Array]) -> bool:
    """Whether arrays have one dtype that needs no widening, and elements in order."""
    dtype = arrays[0].dtype
    if dtype.itemsize <= 2 and dtype in HALF_DTYPES:
        return False
    for array in arrays:
        if (array.dtype is not dtype and array.dtype != dtype) or not array.flags.c_contiguous:
            return False
    return True


def _flat(array: Array) -> Array:
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype) if array.dtype.kind == "c" else flat
