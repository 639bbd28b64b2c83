"""Factories, and arrays joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyopencl as cl

from dispatch_core.extend import dtype, float32, float64, int64
from dispatch_opencl import source
from dispatch_opencl.array import Array, empty
from dispatch_opencl.device import Device
from dispatch_opencl.devices import device_at
from dispatch_opencl.kernels._together import together
from dispatch_opencl.kernels.cast import cast, write
from dispatch_opencl.kinds import FAMILY

_RANGE = """
typedef struct { @T start, step; long n, span; } Range;
kernel void range(Out out, const Range g) {
  long end = min((long)(get_global_id(0) + 1) * g.span, g.n);
  for (long i = get_global_id(0) * g.span; i < end; i++) ((global @T*)out)[i] = g.start + i * g.step;
}
"""
_SPAN = 4096


def filled(device: Device, shape: Sequence[int], value: Any, dtype: dtype) -> Array:
    """A new array of equal elements."""
    pattern = np.full((), value, dtype.numpy_dtype)
    made = empty(device, dtype, shape)
    size = made.size * dtype.itemsize
    if size:
        cl.enqueue_fill_buffer(device.queue, made.memory.buffer, pattern, 0, size)
    return made


def fill_new(size: Any, value: Any, place: Any) -> Array:
    """A new array of a size, all elements `value`, or whatever the memory holds."""
    device = device_at(place.index)
    wanted = place.dtype
    device.check(wanted)
    if value is None:
        return empty(device, wanted, size)
    if isinstance(value, complex) and not wanted.is_complex:
        raise RuntimeError(f"value {value} cannot be converted to type {wanted.name}")
    if isinstance(value, float) and wanted.numpy_dtype.kind in "iu":
        value = int(value)
    return filled(device, size, value, wanted)


def arange_new(start: Any, step: Any, count: int, place: Any) -> Array:
    """start, start + step, ...: computed in int64 or float64, then converted."""
    device = device_at(place.index)
    device.check(place.dtype)
    whole = isinstance(start, int) and isinstance(step, int)
    wide = int64 if whole else float64 if device.has_double else float32
    family = FAMILY[wide]
    kernel = _KERNELS.get((device, family))
    if kernel is None:
        text = source.filled(_RANGE, T=family.scalar)
        kernel = _KERNELS[device, family] = device.kernel([family], text, "range")
    made = empty(device, wide, (count,))
    if count:
        scalar = wide.numpy_dtype.type
        if whole:
            start, step = _wrapped(start), _wrapped(step)
        size = 32 if wide.itemsize == 8 else 24
        constants = np.zeros(size, np.uint8)
        constants[: 2 * wide.itemsize] = np.array([start, step], scalar).view(np.uint8)
        constants[-16:] = np.array([count, _SPAN], np.int64).view(np.uint8)
        with device.lock:
            kernel.set_args(made.memory.buffer, constants.tobytes())
            cl.enqueue_nd_range_kernel(device.queue, kernel, (-(-count // _SPAN),), device.line)
    return made if place.dtype is wide else cast(made, place.dtype)


def _wrapped(value: int) -> int:
    """An integer modulo 2**64, as int64."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


_KERNELS: dict[Any, Any] = {}


def cat(tensors: Any, dim: int) -> Array:
    """The arrays joined along a dimension; an empty vector joins anything."""
    arrays = [a for a in tensors if a.shape != (0,)] or list(tensors[:1])
    arrays = list(together(*arrays))
    first = arrays[0]
    ndim = len(first.shape)
    if not ndim or not -ndim <= dim < ndim:
        raise IndexError(f"dim {dim} of arrays of {ndim} dimensions")
    at = dim % ndim
    rest = (*first.shape[:at], *first.shape[at + 1 :])
    for other in arrays:
        if len(other.shape) != ndim or (*other.shape[:at], *other.shape[at + 1 :]) != rest:
            raise ValueError(f"sizes of arrays differ: {first.shape} and {other.shape}")
    total = sum(a.shape[at] for a in arrays)
    out = empty(
        first.memory.device, first.dtype, (*first.shape[:at], total, *first.shape[at + 1 :])
    )
    place = 0
    for each in arrays:
        part = out.view(each.shape, out.strides, place * out.strides[at])
        write(part, each)
        place += each.shape[at]
    return out


KERNELS = {"arange_new": arange_new, "cat": cat, "fill_new": fill_new}
