"""Where the windows of a pooling layer lie: output sizes and the valid range of each tap."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

from dispatch_cpu.kernels._common import Array

CHUNK_BYTES = 1 << 18  # planes are worked on in blocks that stay in the second-level cache


class Tap(NamedTuple):
    """One kernel element of one dim: the outputs it exists for, and the inputs they meet."""

    out: slice
    source: slice


def pooled_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool
) -> int:
    """Number of windows in one dim; with `ceil`, a last partial one that begins inside the data."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (span + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (out - 1) * stride >= size + padding:
        out -= 1
    return out


def taps(size: int, out: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Tap]:
    """For each kernel element the outputs for which it does not lie in the padding."""
    found = []
    for k in range(kernel):
        shift = k * dilation - padding
        first = max(0, -(shift // stride))
        stop = max(first, min(out, (size - shift - 1) // stride + 1))
        begin = first * stride + shift
        end = begin + (stop - first - 1) * stride + 1 if stop > first else begin
        found.append(Tap(slice(first, stop), slice(begin, end, stride)))
    return found


def chunks(planes: int, plane_bytes: int) -> Iterator[slice]:
    """Slices of the planes, each at most CHUNK_BYTES large where a plane is."""
    step = max(1, CHUNK_BYTES // max(1, plane_bytes))
    for begin in range(0, planes, step):
        yield slice(begin, min(begin + step, planes))


def as_planes(x: Array, spatial: int) -> Array:
    """All dims before the last `spatial` ones as one."""
    return x.reshape(prod(x.shape[:-spatial]), *x.shape[-spatial:])


def tap_tuples(per_dim: list[list[Tap]]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Every kernel element in memory order, as (index into the output, index into the input)."""
    for element in product(*per_dim):
        yield tuple(tap.out for tap in element), tuple(tap.source for tap in element)
