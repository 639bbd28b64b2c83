"""How optimizer steps walk over arrays: by blocks that fit the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dispatch_cpu.kernels._common import HALF_DTYPES, Array

BLOCK = 1 << 16  # elements worked on at a time, by many passes
TWO_PASSES = 1 << 17  # the same for steps that pass over them only twice


def blocks(
    changed: Sequence[Array], grad: Array, block: int = BLOCK
) -> Iterator[tuple[list[Array], Array]]:
    """Yield (flat blocks of `changed`, flat block of the gradient), together all elements.

    What is written into the blocks reaches the arrays when the generator goes on. Half precision
    is widened to float32 for the block; complex counts as pairs of reals.
    """
    if not grad.size:
        return
    arrays = [*changed, grad]
    if _are_plain(arrays):
        yield from _slices([_flat(a) for a in arrays], block)
        return
    dtype = arrays[0].dtype
    wide = np.float32 if dtype in HALF_DTYPES else dtype
    copies = [a.astype(wide, order="C") for a in arrays]
    yield from _slices([_flat(copy) for copy in copies], block)
    for array, copy in zip(changed, copies, strict=False):
        array[...] = copy


def _slices(flat: list[Array], block: int) -> Iterator[tuple[list[Array], Array]]:
    size = flat[0].size
    if size <= block:
        *parts, grad = flat
        yield parts, grad
        return
    for begin in range(0, size, block):
        *parts, grad = [a[begin : begin + block] for a in flat]
        yield parts, grad


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
