"""Pooling kernels: a loop over the kernel's elements, each a strided view of the whole input."""

from __future__ import annotations

from functools import reduce
from math import prod

import numpy as np

from dispatch_cpu.kernels._common import Array, Ints, accumulate_in_float32
from dispatch_cpu.kernels._pool_windows import Tap, as_planes, chunks, pooled_size, tap_tuples, taps


@accumulate_in_float32()
def max_pool(
    input: Array, kernel_size: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> tuple[Array, Array]:
    """The largest value of each window and its flat position in the input's spatial plane.

    input (..., *spatial) -> values and int64 indices, both (..., *out). The first of equal values
    counts; a NaN wins, and of several the last, as in PyTorch.
    """
    nd = len(kernel_size)
    size = input.shape[-nd:]
    windows = list(zip(size, kernel_size, stride, padding, dilation, strict=True))
    out = tuple(pooled_size(n, k, s, p, d, ceil_mode) for n, k, s, p, d in windows)
    per_dim = [taps(n, o, k, s, p, d) for o, (n, k, s, p, d) in zip(out, windows, strict=True)]
    planes = as_planes(input, nd)
    values = np.empty((planes.shape[0], *out), input.dtype)
    indices = np.empty(values.shape, np.int64)
    step, first = _offset_table(out, windows)
    for part in chunks(planes.shape[0], prod(size) * input.itemsize):
        best = _max_taps(planes[part], values[part], per_dim, first)
        np.add(step.take(best), _window_origin(out, windows), out=indices[part])
    shape = (*input.shape[:-nd], *out)
    return values.reshape(shape), indices.reshape(shape)


def _max_taps(x: Array, values: Array, per_dim: list[list[Tap]], first: Array) -> Array:
    """Write each window's maximum; return the number of the kernel element it was found at.

    As elements are tried in order, that number is the largest at which the maximum grew: byte
    arithmetic without any masked assignment.
    """
    values[...] = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    best = np.empty(values.shape, first.dtype)
    best[...] = first
    grew = np.empty(values.shape, np.bool_)
    number = np.empty_like(best)
    stride = per_dim[-1][0].source.step
    by_phase: dict[int, Array] = {}
    located = []
    for at, source in tap_tuples(per_dim):
        phase = source[-1].start % stride
        if phase not in by_phase:
            by_phase[phase] = np.ascontiguousarray(x[..., phase::stride])
        begin = source[-1].start // stride
        along = slice(begin, begin + at[-1].stop - at[-1].start)
        located.append(((..., *at), by_phase[phase][(..., *source[:-1], along)]))
    for k, (at, seen) in enumerate(located):
        current, mask, count = values[at], grew[at], number[at]
        np.greater(seen, current, out=mask)
        np.maximum(seen, current, out=current)
        np.multiply(mask.view(np.uint8), best.dtype.type(k), out=count)
        np.maximum(best[at], count, out=best[at])
    if (
        x.dtype.kind == "f"
        and np.isnan(np.add.reduce(values, axis=None))
        and np.isnan(values).any()
    ):
        for k, (at, seen) in enumerate(located):
            np.copyto(best[at], best.dtype.type(k), where=np.isnan(seen))
    return best


def _offset_table(out: Ints, windows: list[tuple[int, ...]]) -> tuple[Array, Array]:
    """Distance of each kernel element from its window's origin; each window's first valid one."""
    kernel = tuple(k for _, k, _, _, _ in windows)
    grid = np.indices(kernel).reshape(len(kernel), -1)
    step = np.zeros(prod(kernel), np.int64)
    first = np.zeros(out, np.int64)
    for dim, (n, k, s, p, d) in enumerate(windows):
        step = step * n + grid[dim] * d
        before = np.maximum(0, p - np.arange(out[dim]) * s)
        first = first * k + _along(-(-before // d), dim, len(out))
    return step, first.astype(np.min_scalar_type(max(prod(kernel) - 1, 0)))


def _window_origin(out: Ints, windows: list[tuple[int, ...]]) -> Array:
    """Flat position at which each window would begin (negative in the padding)."""
    origin = np.zeros(out, np.int64)
    for dim, (n, _, s, p, _) in enumerate(windows):
        origin = origin * n + _along(np.arange(out[dim]) * s - p, dim, len(out))
    return origin


def _along(values: Array, dim: int, ndim: int) -> Array:
    return values.reshape(-1, *(1,) * (ndim - 1 - dim))


@accumulate_in_float32()
def max_pool_backward(grad: Array, indices: Array, input_shape: Ints) -> Array:
    """Send each gradient to where the maximum was; overlapping windows add.

    grad, indices (N, C, *out) -> input_shape = (N, C, *spatial).
    """
    planes, plane = prod(input_shape[:2]), prod(input_shape[2:])
    flat_grad = grad.reshape(planes, prod(grad.shape[2:]))
    flat_index = indices.reshape(flat_grad.shape)
    out = np.empty((planes, plane), grad.dtype)
    for part in chunks(planes, plane * 8):
        count = part.stop - part.start
        base = np.arange(0, count * plane, plane or 1, dtype=np.int64)[:count, None]
        target = (flat_index[part] + base).reshape(-1)
        sums = np.bincount(target, flat_grad[part].reshape(-1), count * plane)
        out[part] = sums.reshape(count, plane)
    return out.reshape(input_shape)


@accumulate_in_float32()
def avg_pool(
    input: Array,
    kernel_size: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """The mean of each window, summed one dim after the other.

    input (..., *spatial) -> (..., *out). Divides by `divisor_override` if given, else by the
    window's size, without its padding unless `count_include_pad`.
    """
    nd = len(kernel_size)
    size = input.shape[-nd:]
    out, per_dim, divisor = _mean_windows(
        size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
    divisor = divisor.astype(input.dtype)
    planes = as_planes(input, nd)
    means = np.empty((planes.shape[0], *out), input.dtype)
    for part in chunks(planes.shape[0], prod(size) * input.itemsize):
        sums = planes[part]
        for dim, found in enumerate(per_dim):
            sums = _add_along(sums, dim + 1, out[dim], [(tap.out, tap.source) for tap in found])
        means[part] = sums / divisor  # for integers the assignment rounds towards zero, like C
    return means.reshape(*input.shape[:-nd], *out)


@accumulate_in_float32()
def avg_pool_backward(
    grad: Array,
    input_shape: Ints,
    kernel_size: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """Spread each gradient over its window. grad (..., *out) -> input_shape."""
    nd = len(kernel_size)
    size = input_shape[-nd:]
    _, per_dim, divisor = _mean_windows(
        size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
    divisor = divisor.astype(grad.dtype)
    planes = as_planes(grad, nd)
    out = np.empty((planes.shape[0], *size), grad.dtype)
    for part in chunks(planes.shape[0], prod(size) * grad.itemsize):
        spread = planes[part] / divisor
        for dim, found in reversed(list(enumerate(per_dim))):
            spread = _add_along(spread, dim + 1, size[dim], [(t.source, t.out) for t in found])
        out[part] = spread
    return out.reshape(input_shape)


def _mean_windows(
    size: Ints,
    kernel_size: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> tuple[Ints, list[list[Tap]], Array]:
    """Output sizes, taps of each dim, and what each window's sum is divided by."""
    windows = list(zip(size, kernel_size, stride, padding, strict=True))
    out = tuple(pooled_size(n, k, s, p, 1, ceil_mode) for n, k, s, p in windows)
    per_dim = [taps(n, o, k, s, p, 1) for o, (n, k, s, p) in zip(out, windows, strict=True)]
    if divisor_override is not None:
        return out, per_dim, np.full((1,) * len(out), divisor_override)
    counts = []
    for dim, (n, k, s, p) in enumerate(windows):
        begin = np.arange(out[dim]) * s - p
        end = np.minimum(begin + k, n + p)
        if not count_include_pad:
            begin, end = np.maximum(begin, 0), np.minimum(end, n)
        counts.append(_along(np.maximum(end - begin, 1), dim, len(out)))
    return out, per_dim, reduce(np.multiply, counts)


def _add_along(x: Array, axis: int, length: int, moves: list[tuple[slice, slice]]) -> Array:
    """Zeros of that length along `axis`, with x[source] added at each target of `moves`."""
    out = np.zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype)
    before = (slice(None),) * axis
    for target, source in moves:
        at = out[(*before, target)]
        np.add(at, x[(*before, source)], out=at)
    return out
