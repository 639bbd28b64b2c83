"""A faster kernel for the cpu, a device that another package owns."""

from __future__ import annotations

from typing import Any

from dispatch_core.extend import KernelTable, float32, float64, hookimpl

DISPATCH_CORE_API = 1


def rescale(input: Any, low: float, high: float) -> Any:
    """In one buffer."""
    out = input - input.dtype.type(low)
    out /= input.dtype.type(high - low)
    return out


def has_dimensions(input: Any, low: float, high: float) -> str | None:
    """None to take a call, or the reason why not."""
    return None if input.ndim else "one number is no work"


@hookimpl
def dispatch_core_kernels(device: str, table: KernelTable) -> None:
    """Add it to the cpu's table when the cpu is first used."""
    table.register("mydomain_rescale", rescale, dtypes=(float32, float64), when=has_dimensions)
