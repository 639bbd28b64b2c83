"""The host's arrays: numpy's, over the shared array-module backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import (
    ArrayModuleBackend,
    Memory,
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
)
from dispatch_cpu import memory
from dispatch_cpu.kernels import register


class CpuBackend(ArrayModuleBackend):
    """Device `cpu`: one device, the machine's own memory."""

    device = "cpu"
    accelerator = False
    host_memory = True
    xp = np
    array = np.ndarray
    raw_operators = frozenset({float16, float32, float64, complex64, complex128})

    def __init__(self) -> None:
        super().__init__()
        memory.keep_freed_pages()
        register(self.kernels)

    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> Any:
        return array.copy()

    def to_host(self, raw: Any) -> np.ndarray[Any, Any]:
        return raw  # type: ignore[no-any-return]

    def scalar(self, value: complex, dtype: dtype) -> Any:
        made = super().scalar(value, dtype)
        made.flags.writeable = False
        return made

    def count(self) -> int:
        return 1

    def open_thread(self) -> None:
        # Infinities and NaN are results here, as in PyTorch, not warnings; numpy keeps this setting
        # per thread and context.
        np.seterr(all="ignore")

    def reclaim(self) -> None:
        memory.trim()

    def memory(self, index: int | None) -> Memory | None:
        return memory.use()

    def reset_peak_memory(self, index: int | None) -> None:
        memory.reset_peak()

    def describe(self) -> str:
        return f"numpy {np.__version__}"
