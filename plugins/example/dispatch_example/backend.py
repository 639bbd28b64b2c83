"""The run-time functions of the devices `example` and `minimal`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import Backend, dtype
from dispatch_example.array import Array, Memory
from dispatch_example.kernels import register


class MinimalBackend(Backend):
    """The least that a device can be: these functions and the primitives."""

    device = "minimal"
    accelerator = False
    host_memory = True
    array = Array

    def __init__(self) -> None:
        super().__init__()
        register(self.kernels)

    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> Array:
        return Array.of(array)

    def to_host(self, raw: Array) -> np.ndarray[Any, Any]:
        return raw.numpy()

    def write(self, target: Array, source: Array) -> None:
        np.copyto(target.numpy(), source.numpy(), casting="unsafe")

    def copy(self, raw: Array) -> Array:
        return raw.copied()

    def dtype_of(self, raw: Array) -> dtype:
        return raw.dtype

    def layout_of(self, raw: Array) -> tuple[tuple[int, ...], int]:
        return raw.strides, raw.offset

    def count(self) -> int:
        return 1

    def open_thread(self) -> None:
        # Infinities and NaN are results, not warnings; numpy keeps this setting per thread.
        np.seterr(all="ignore")

    def describe(self) -> str:
        return "exactly the primitives, over numpy"


class ExampleBackend(MinimalBackend):
    """The same with an account of its memory."""

    device = "example"

    def describe(self) -> str:
        return f"an example over numpy, {Memory.held} bytes held"
