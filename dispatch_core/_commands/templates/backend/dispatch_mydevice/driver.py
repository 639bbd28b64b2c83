"""The device as its driver shows it: memory that is allocated, written and read, and functions that compute.

Here a piece of the host's memory stands for the device's. Put the real calls in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import dtype


class Buffer:
    """Bytes of the device's memory; given back when nobody holds the object any more."""

    __slots__ = ("_bytes", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._bytes = np.empty(size, np.uint8)

    def upload(self, data: np.ndarray[Any, Any]) -> None:
        """Copy bytes (uint8) of the host into all of the buffer."""
        self._bytes[...] = data

    def download(self) -> np.ndarray[Any, Any]:
        """A copy of all of its bytes on the host."""
        return self._bytes.copy()


def count() -> int:
    """How many devices there are."""
    return 1


def synchronize() -> None:
    """Wait until all work is done."""


def negate(source: Buffer, target: Buffer, kind: dtype) -> None:
    """A function on the device: the elements of one buffer, negated, into another."""
    np.negative(source._bytes.view(kind.numpy_dtype), out=target._bytes.view(kind.numpy_dtype))
