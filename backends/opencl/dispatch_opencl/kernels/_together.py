"""Arrays of one call on one device: Python numbers go where the others are."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import dtype
from dispatch_opencl.array import Array, common_device, from_host
from dispatch_opencl.devices import device_at

MOST_LITERALS = 4096
_LITERALS: dict[Any, Array] = {}


def literal(value: complex, dtype: dtype, host: Any = None) -> Array:
    """A read-only array without dimensions of a Python number, remembered by type and digits.

    `host` is the number as a host array, where it takes more than numpy to convert it.
    """
    key = (type(value), str(value), dtype)  # zeros have two signs, and True equals 1
    found = _LITERALS.get(key)
    if found is None:
        values = np.asarray(value, dtype.numpy_dtype) if host is None else host()
        found = from_host(device_at(None), values, dtype)
        found.memory.literal = values
        if len(_LITERALS) >= MOST_LITERALS:
            _LITERALS.clear()
        _LITERALS[key] = found
    return found


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
