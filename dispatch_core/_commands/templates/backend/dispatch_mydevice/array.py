"""Arrays of the device: a buffer seen through a shape, strides and an offset, with all views of it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import StridedArray, dtype, from_numpy_dtype, seen_in
from dispatch_mydevice.driver import Buffer


class MydeviceArray(StridedArray[Buffer]):
    """Elements of one dtype in such a buffer."""

    __slots__ = ()

    @classmethod
    def empty(cls, shape: tuple[int, ...], kind: dtype) -> MydeviceArray:
        """A new array whose elements are whatever the memory holds."""
        return cls(Buffer(prod(shape) * kind.itemsize), kind, shape)

    @classmethod
    def of(cls, values: np.ndarray[Any, Any]) -> MydeviceArray:
        """A new array with a copy of what the host has."""
        made = cls.empty(values.shape, from_numpy_dtype(values.dtype))
        made.memory.upload(np.array(values, order="C").reshape(-1).view(np.uint8))
        return made

    @property
    def held(self) -> int:
        return self.memory.size

    def copied(self) -> MydeviceArray:
        return MydeviceArray.of(self.numpy())

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy of the elements on the host."""
        return seen_in(self.memory.download(), self)
