"""How kernels walk through arrays: dimensions that lie in memory like one are taken together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from dispatch_opencl.device import Profile
from dispatch_opencl.source import DIMS

Sizes = tuple[int, ...]


def in_order(shape: Sequence[int]) -> Sizes:
    """The strides of elements in the order of the dimensions."""
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


def broadcast_strides(shape: Sequence[int], strides: Sequence[int], to: Sequence[int]) -> Sizes:
    """The strides of an array seen in a shape that it broadcasts to."""
    missing = len(to) - len(shape)
    found = [0] * missing
    for n, stride, wanted in zip(shape, strides, to[max(missing, 0) :], strict=True):
        if n not in (1, wanted):
            raise ValueError(f"shape {tuple(shape)} does not broadcast to {tuple(to)}")
        found.append(0 if n == 1 and wanted != 1 else stride)
    return tuple(found)


def result_strides(shape: Sizes, operands: Sequence[tuple[Sizes, Sizes]]) -> Sizes:
    """How a result lies in memory: as the operands of its shape do, if all do alike and without gaps."""
    common: Sizes | None = None
    for operand_shape, strides in operands:
        if operand_shape == shape:
            if common is None:
                common = strides
            elif common != strides:
                return in_order(shape)
    if common is None or not is_dense(shape, common):
        return in_order(shape)
    return common


def is_dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the elements fill a stretch of memory, in whatever order of the dimensions."""
    expected = 1
    for stride, n in sorted(zip(strides, shape, strict=True)):
        if n == 1:
            continue
        if stride != expected:
            return False
        expected *= n
    return True


class Dim(NamedTuple):
    """A dimension, or several as one: its size, and the stride of each array."""

    size: int
    strides: Sizes


def collapse(
    shape: Sequence[int], arrays: Sequence[Sequence[int]], ordered: bool = True
) -> list[Dim]:
    """The dimensions that remain when neighbours are joined where all arrays allow it; innermost last.

    The first array (the result) says which dimension is innermost, unless they are to stay `ordered`.
    """
    dims = [Dim(n, tuple(strides[d] for strides in arrays)) for d, n in enumerate(shape) if n != 1]
    if not ordered:
        dims.sort(key=lambda dim: -dim.strides[0])
    joined: list[Dim] = []
    for dim in dims:
        if joined and all(
            above == below * dim.size
            for above, below in zip(joined[-1].strides, dim.strides, strict=True)
        ):
            joined[-1] = Dim(joined[-1].size * dim.size, dim.strides)
        else:
            joined.append(dim)
    return joined


def split(
    dims: Sequence[Dim], offsets: Sequence[int], most: int = DIMS
) -> Iterator[tuple[list[Dim], list[int]]]:
    """The dimensions in as many parts as it takes for none to have more than `most` of them."""
    excess, kept = dims[: max(len(dims) - most, 0)], list(dims[max(len(dims) - most, 0) :])
    for place in product(*(range(dim.size) for dim in excess)):
        yield (
            kept,
            [
                offset + sum(at * dim.strides[k] for at, dim in zip(place, excess, strict=True))
                for k, offset in enumerate(offsets)
            ],
        )


def padded(values: Sequence[int], size: int = DIMS) -> list[int]:
    """The values, innermost first, and zeros up to the size of a kernel's table."""
    return [*reversed(values), *[0] * (size - len(values))]


def spans(profile: Profile, n: int, rows: int, lanes: int) -> tuple[int, int, tuple[int, int]]:
    """How many elements of how many rows a work-item takes, and how many work-items there are."""
    if not profile.is_cpu:
        return lanes, 1, (-(-n // lanes), rows)
    chunk = profile.chunk
    share = n * rows // (profile.workers * 4)  # so that all cores have some
    chunk = max(min(chunk, share), 1024)
    span = min(-(-n // lanes) * lanes, -(-chunk // lanes) * lanes)
    row_span = max(1, chunk // max(n, 1)) if span >= n else 1
    return span, row_span, (-(-n // span), -(-rows // row_span))
