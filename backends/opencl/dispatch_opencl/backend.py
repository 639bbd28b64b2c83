"""The run-time functions of the device `opencl`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import Backend, Memory, dtype
from dispatch_opencl import array as arrays
from dispatch_opencl.array import Array
from dispatch_opencl.devices import device_at, devices, why_none
from dispatch_opencl.kernels import register
from dispatch_opencl.kernels._together import literal
from dispatch_opencl.kernels.cast import write
from dispatch_opencl.kinds import ORDER

_BY_NUMPY: dict[Any, dtype] = {}


class OpenCLBackend(Backend):
    """Device `opencl`: `opencl:0`, `opencl:1`, ... are all devices of all platforms that work."""

    device = "opencl"
    array = Array
    numbered = True

    def __init__(self) -> None:
        super().__init__()
        register(self.kernels)

    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> Array:
        device = device_at(index)
        kind = dtype_of_numpy(array.dtype)
        device.check(kind)
        return arrays.from_host(device, array, kind)

    def to_host(self, raw: Array) -> np.ndarray[Any, Any]:
        return arrays.to_host(raw)

    def write(self, target: Array, source: Array) -> None:
        write(target, source)

    def copy(self, raw: Array) -> Array:
        return raw.copied()

    def dtype_of(self, raw: Array) -> dtype:
        return raw.dtype

    def layout_of(self, raw: Array) -> tuple[tuple[int, ...], int]:
        return raw.strides, raw.offset

    def index_of(self, raw: Array) -> int | None:
        return raw.memory.device.index

    def scalar(self, value: complex, dtype: dtype) -> Array:
        return literal(
            value, dtype, lambda: arrays.to_host(super(OpenCLBackend, self).scalar(value, dtype))
        )

    def count(self) -> int:
        return len(devices())

    def why_unavailable(self) -> str:
        return why_none()

    def synchronize(self, index: int | None) -> None:
        for device in devices() if index is None else (device_at(index),):
            device.queue.finish()

    def reclaim(self) -> None:
        for device in devices():
            device.queue.finish()
            device.pool.trim()

    def memory(self, index: int | None) -> Memory | None:
        return device_at(index).pool.use()

    def reset_peak_memory(self, index: int | None) -> None:
        device_at(index).pool.reset_peak()

    def limit_memory(self, index: int | None, limit: int | None) -> None:
        device_at(index).set_limit(limit)

    def describe(self) -> str:
        return "; ".join(device.describe() for device in devices())


def dtype_of_numpy(given: Any) -> dtype:
    """The dtype of a host array."""
    if not _BY_NUMPY:
        _BY_NUMPY.update({each.numpy_dtype: each for each in ORDER})
    return _BY_NUMPY[given]
