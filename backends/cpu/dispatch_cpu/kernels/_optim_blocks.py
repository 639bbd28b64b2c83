"""How optimizer steps walk over parameters: cache-sized blocks, small arrays gathered into one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from dispatch_cpu.kernels._common import HALF_DTYPES, Array

BLOCK = 1 << 15  # elements worked on at a time
SMALL = 1 << 13  # parameters below this size are gathered into a common block
Key = TypeVar("Key", bound=Hashable)


def blocks(
    changed: Sequence[Sequence[Array]], grads: Sequence[Array], keys: Sequence[Key]
) -> Iterator[tuple[Key, list[Array], Array]]:
    """Yield (key, flat blocks of `changed`, flat block of the gradients), together all elements.

    `changed` holds the lists of arrays to be updated, the parameters first. What is written into
    their blocks reaches the arrays when the generator goes on. Only parameters of equal key share
    a block. Half precision is widened to float32 for the block; complex counts as pairs of reals.
    """
    gathered: dict[tuple[Key, np.dtype[np.generic]], list[int]] = {}
    for i, (param, key) in enumerate(zip(changed[0], keys, strict=True)):
        arrays = [*(column[i] for column in changed), grads[i]]
        if param.size >= SMALL and all(_is_plain(a, param.dtype) for a in arrays):
            flat = [_flat(a) for a in arrays]
            for begin in range(0, flat[0].size, BLOCK):
                *parts, grad = (a[begin : begin + BLOCK] for a in flat)
                yield key, parts, grad
        elif param.size:
            gathered.setdefault((key, param.dtype), []).append(i)
    for (key, dtype), indices in gathered.items():
        for batch in _batches(indices, changed[0]):
            yield from _gathered(key, dtype, [[c[i] for i in batch] for c in (*changed, grads)])


def _gathered(
    key: Key, dtype: np.dtype[np.generic], columns: list[list[Array]]
) -> Iterator[tuple[Key, list[Array], Array]]:
    """One block of copies, written back to all columns but the last, the gradients."""
    wide = np.dtype(np.float32) if dtype in HALF_DTYPES else dtype
    buffers = [
        np.concatenate([a.reshape(-1) for a in column], dtype=wide, casting="unsafe")
        for column in columns
    ]
    flat = [_flat(buffer) for buffer in buffers]
    for begin in range(0, flat[0].size, BLOCK):
        *parts, grad = (a[begin : begin + BLOCK] for a in flat)
        yield key, parts, grad
    for buffer, column in zip(buffers[:-1], columns[:-1], strict=True):
        begin = 0
        for array in column:
            array[...] = buffer[begin : begin + array.size].reshape(array.shape)
            begin += array.size


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


def _is_plain(array: Array, dtype: np.dtype[np.generic]) -> bool:
    return array.flags.c_contiguous and array.dtype == dtype and dtype not in HALF_DTYPES


def _flat(array: Array) -> Array:
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype) if array.dtype.kind == "c" else flat
