"""The arrays of OpenCL devices: a buffer seen through a shape, strides and an offset."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pyopencl as cl

from dispatch_core.extend import StridedArray, dtype
from dispatch_opencl.device import Device
from dispatch_opencl.memory import Memory


class Array(StridedArray[Memory]):
    """Elements of one dtype in a buffer of one device."""

    __slots__ = ()

    @property
    def device(self) -> Device:
        """Where the buffer is."""
        return self.memory.device

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def held(self) -> int:
        return self.memory.size

    def copied(self) -> Array:
        return COPY.of(self)


class _Copy:
    """Set by the kernels, which are made of arrays."""

    of: Any


COPY = _Copy()


def empty(device: Device, dtype: dtype, shape: Sequence[int]) -> Array:
    """A new array whose elements are whatever the memory holds."""
    shape = tuple(shape)
    return Array(device.pool.take(prod(shape) * dtype.itemsize), dtype, shape)


def is_whole(array: Array) -> bool:
    """Whether the elements lie one after the other in the order of the dimensions."""
    expected = 1
    for n, stride in zip(reversed(array.shape), reversed(array.strides), strict=True):
        if n != 1 and stride != expected:
            return False
        expected *= n
    return True


def from_host(device: Device, values: np.ndarray[Any, Any], dtype: dtype) -> Array:
    """A new array with the values of a host array."""
    values = np.ascontiguousarray(values).reshape(values.shape)
    made = empty(device, dtype, values.shape)
    if values.size:
        host = values.reshape(-1).view(np.uint8)
        cl.enqueue_copy(device.queue, made.memory.buffer, host)
    return made


def to_host(array: Array) -> np.ndarray[Any, Any]:
    """The elements as a new host array; waits for the kernels that compute them."""
    values = np.empty(array.shape, array.dtype.numpy_dtype)
    if values.size:
        if not is_whole(array):
            array = array.copied()
        size = array.dtype.itemsize
        host = values.reshape(-1).view(np.uint8)
        cl.enqueue_copy(
            array.device.queue, host, array.memory.buffer, src_offset=array.offset * size
        )
    return values


def check_sizes(**expected: tuple[Array | None, int]) -> None:
    """Raise ValueError where an array has not the number of elements that kernels will read."""
    for name, (array, size) in expected.items():
        if array is not None and array.size != size:
            raise ValueError(f"{name} has shape {array.shape}, expected {size} elements")


def common_device(arrays: Sequence[Array]) -> Device:
    """The device of all of them; RuntimeError where they lie on several."""
    first = arrays[0].memory.device
    for other in arrays[1:]:
        if other.memory.device is not first:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"opencl:{first.index} and opencl:{other.memory.device.index}!"
            )
    return first
