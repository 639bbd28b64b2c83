"""Correlation as matrix products: how the windows of images become matrices, three ways.

Every function here works on two spatial dims and a virtual image: `low` zeros (or, if negative,
cropped rows) before the image, then as many as the windows reach. Measured on numpy 2.4:
columns over the kernel's width only, reused by every kernel row through row offsets, win on large
maps; full columns win when few channels make them small; one matrix over the whole batch,
channels innermost, wins on small maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dispatch_cpu.kernels._common import Array, Ints

SMALL_MAP = 256  # output positions up to which the whole batch becomes one matrix
BATCH_BYTES = 1 << 26  # the most that matrix may take


@dataclass(frozen=True, slots=True)
class Geometry:
    """The windows of a two-dimensional correlation."""

    kernel: Ints
    out: Ints
    low: Ints
    stride: Ints
    dilation: Ints
    groups: int

    @property
    def positions(self) -> int:
        """Number of windows in one image."""
        return self.out[0] * self.out[1]


def padded(x: Array, low: Ints, size: Ints, first: int = 2) -> Array:
    """The part of the zero-padded `x` that begins `low` before it and has `size` per spatial dim.

    The spatial dims begin at dim `first`. A view of `x` where nothing has to be added.
    """
    source, target = [slice(None)] * first, [slice(None)] * first
    last = first + len(size)
    for length, before, wanted in zip(x.shape[first:last], low, size, strict=True):
        begin = max(-before, 0)
        end = max(min(wanted - before, length), begin)
        source.append(slice(begin, end))
        target.append(slice(begin + before, end + before))
    inner = x[tuple(source)]
    if inner.shape[first:last] == size:
        return inner
    out = np.zeros((*x.shape[:first], *size, *x.shape[last:]), x.dtype)
    out[tuple(target)] = inner
    return out


def reach(out: int, kernel: int, stride: int, dilation: int) -> int:
    """How many input rows `out` windows cover."""
    return (out - 1) * stride + (kernel - 1) * dilation + 1 if out and kernel else 0


def _framed(
    x: Array, g: Geometry, row_multiple: int = 1, first: int = 2
) -> tuple[Array, Ints, Ints]:
    """The padded image, the strides that remain (a kernel of length one is a slice), its size."""
    rows, cols = map(reach, g.out, g.kernel, g.stride, g.dilation)
    rows = -(-rows // row_multiple) * row_multiple
    x = padded(x, g.low, (rows, cols), first)
    before = (slice(None),) * first
    down, right = g.stride
    if g.kernel[0] == 1:
        x, down = x[(*before, slice(None, None, down))], 1
    if g.kernel[1] == 1:
        x, right = x[(*before, slice(None), slice(None, None, right))], 1
    return x, (down, right), x.shape[first : first + 2]


def use_batch(g: Geometry) -> bool:
    """Whether the maps are so small that one matrix for many images is faster."""
    return g.positions <= SMALL_MAP


def image_columns(x: Array, g: Geometry, out_channels: int) -> tuple[int, Iterator[list[Array]]]:
    """For each image a list of matrices (groups, rows, positions), in buffers that are reused.

    The first result is how many kernel rows one matrix covers: the product with the weights of
    each such slab of rows, summed, is the correlation.
    """
    per_group = x.shape[1] // g.groups
    kh, kw = g.kernel
    added = 3 * (kh - 1) * (out_channels // g.groups) // 2
    if kh > 1 and kh * kw * per_group <= kw * per_group + added:
        return kh, _full_columns(x, g)
    return 1, _row_columns(x, g)


def _full_columns(x: Array, g: Geometry) -> Iterator[list[Array]]:
    n, channels = x.shape[:2]
    x, stride, _ = _framed(x, g)
    s = x.strides
    shape = (n, channels, *g.kernel, *g.out)
    steps = (s[2] * g.dilation[0], s[3] * g.dilation[1], s[2] * stride[0], s[3] * stride[1])
    windows = as_strided(x, shape, (s[0], s[1], *steps), writeable=False)
    buffer = np.empty(shape[1:], x.dtype)
    length = channels // g.groups * g.kernel[0] * g.kernel[1]
    matrix = buffer.reshape(g.groups, length, g.positions)
    for image in windows:
        np.copyto(buffer, image)
        yield [matrix]


def _row_columns(x: Array, g: Geometry) -> Iterator[list[Array]]:
    """Columns over the kernel's width; a kernel row is an offset into their rows.

    With a vertical stride the rows are sorted by their remainder first, so that the rows a kernel
    row needs lie together again.
    """
    n, channels = x.shape[:2]
    (kh, kw), (oh, ow) = g.kernel, g.out
    phases = g.stride[0] if kh > 1 else 1
    x, stride, (height, _) = _framed(x, g, phases)
    rows = height // phases
    s = x.strides
    shape = (n, channels, kw, phases, rows, ow)
    steps = (s[0], s[1], s[3] * g.dilation[1], s[2], s[2] * phases, s[3] * stride[1])
    windows = as_strided(x, shape, steps, writeable=False)
    buffer = np.empty(shape[1:], x.dtype)
    free = windows[:1].flags.c_contiguous  # a kernel of width one needs no copy at all

    def slabs(columns: Array) -> list[Array]:
        by_phase = columns.reshape(g.groups, channels // g.groups * kw, phases, rows * ow)
        found = []
        for k in range(kh):
            offset, phase = divmod(k * g.dilation[0], phases)
            found.append(by_phase[:, :, phase, offset * ow : (offset + oh) * ow])
        return found

    fixed = slabs(buffer)
    for image in windows:
        if free:
            yield slabs(image)
        else:
            np.copyto(buffer, image)
            yield fixed


def batch_columns(x: Array, g: Geometry) -> Iterator[tuple[slice, Array]]:
    """Slices of the batch with their matrix (groups, images * positions, kernel * channels)."""
    n, channels = x.shape[:2]
    per_group = channels // g.groups
    kh, kw = g.kernel
    last = x.reshape(n, g.groups, per_group, *x.shape[2:]).transpose(1, 0, 3, 4, 2)
    last, stride, _ = _framed(last, g, first=2)
    last = np.ascontiguousarray(last)
    s = last.strides
    shape = (g.groups, n, *g.out, kh, kw, per_group)
    steps = (s[2] * stride[0], s[3] * stride[1], s[2] * g.dilation[0], s[3] * g.dilation[1], s[4])
    windows = as_strided(last, shape, (s[0], s[1], *steps), writeable=False)
    size = kh * kw * per_group
    image_bytes = max(1, g.groups * g.positions * size * x.itemsize)
    step = max(1, BATCH_BYTES // image_bytes)
    for begin in range(0, n, step):
        part = slice(begin, min(begin + step, n))
        count = part.stop - part.start
        yield part, windows[:, part].reshape(g.groups, count * g.positions, size)
