"""Arrays of one call on one device: Python numbers go where the others are."""

from __future__ import annotations

from dispatch_opencl.array import Array, common_device, from_host


def together(*arrays: Array) -> tuple[Array, ...]:
    """The arrays, those made of Python numbers on the device of the others."""
    home = next((a.memory.device for a in arrays if a.memory.literal is None), None)
    if home is None:
        return arrays
    moved = tuple(
        a if a.memory.literal is None or a.memory.device is home
        else from_host(home, a.memory.literal, a.dtype)
        for a in arrays
    )  # fmt: skip
    common_device(moved)
    return moved
