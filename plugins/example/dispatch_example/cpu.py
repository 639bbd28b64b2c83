"""A kernel of `smoothstep` for the cpu, a device that another package owns."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import KernelTable, float32, float64, hookimpl

DISPATCH_CORE_API = 1
WORTH_IT = 1024
"""Elements below which the operator's own definition is as fast."""


def smoothstep(input: Any, low: float, high: float) -> Any:
    """In three buffers instead of eight."""
    t = np.clip((input - input.dtype.type(low)) / input.dtype.type(high - low), 0, 1)
    out = 3 - 2 * t
    out *= t
    out *= t
    return out


def is_large(input: Any, low: float, high: float) -> str | None:
    """None to take the call, or why not."""
    if input.size >= WORTH_IT:
        return None
    return f"{input.size} elements are fewer than {WORTH_IT}"


@hookimpl
def dispatch_core_kernels(device: str, table: KernelTable) -> None:
    """Add the kernel to the cpu's table."""
    table.register("smoothstep", smoothstep, dtypes=(float32, float64), when=is_large)
