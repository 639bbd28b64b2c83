"""The run-time functions of the device: what dispatch_core needs beside kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import PRIMITIVES, Backend, dtype, register_staged, seen_in
from dispatch_mydevice import driver
from dispatch_mydevice.array import MydeviceArray
from dispatch_mydevice.kernels import register


class MydeviceBackend(Backend):
    """Device `mydevice`."""

    device = "mydevice"
    array = MydeviceArray

    def __init__(self) -> None:
        super().__init__()
        # numpy computes, on the host, the primitives that `kernels/` has nothing for.
        register_staged(self, only=PRIMITIVES)
        register(self.kernels)

    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> MydeviceArray:
        return MydeviceArray.of(array)

    def to_host(self, raw: MydeviceArray) -> np.ndarray[Any, Any]:
        return raw.numpy()

    def write(self, target: MydeviceArray, source: MydeviceArray) -> None:
        memory = target.memory.download()
        with np.errstate(all="ignore"):
            np.copyto(seen_in(memory, target), source.numpy(), casting="unsafe")
        target.memory.upload(memory)

    def copy(self, raw: MydeviceArray) -> MydeviceArray:
        return raw.copied()

    def dtype_of(self, raw: MydeviceArray) -> dtype:
        return raw.dtype

    def layout_of(self, raw: MydeviceArray) -> tuple[tuple[int, ...], int]:
        return raw.strides, raw.offset

    def count(self) -> int:
        return driver.count()

    def why_unavailable(self) -> str:
        return "no mydevice was found; is it connected, and its driver installed?"

    def synchronize(self, index: int | None) -> None:
        driver.synchronize()

    def describe(self) -> str:
        return "mydevice, most of it numpy's work still"
