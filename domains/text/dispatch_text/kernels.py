"""A kernel of `rotary` for the cpu: one result, no copy of the turned halves."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import KernelTable, float32, float64, hookimpl

DISPATCH_CORE_API = 1


def rotary(input: Any, cos: Any, sin: Any) -> Any:
    """Half of the passes over memory that the definition takes."""
    half = input.shape[-1] // 2
    out = input * cos
    out[..., :half] -= input[..., half:] * sin[..., :half]
    out[..., half:] += input[..., :half] * sin[..., half:]
    return out


def fits(input: Any, cos: Any, sin: Any) -> str | None:
    """None to take the call, or why not."""
    if input.shape[-1] % 2 or cos.shape != sin.shape or cos.shape[-1:] != input.shape[-1:]:
        return "the shapes do not fit, which the definition says"
    if np.broadcast_shapes(input.shape, cos.shape) != input.shape:
        return "the result is larger than the input"
    return None


@hookimpl
def dispatch_core_kernels(device: str, table: KernelTable) -> None:
    """Add the kernel to the cpu's table."""
    table.register("rotary", rotary, dtypes=(float32, float64), when=fits)
