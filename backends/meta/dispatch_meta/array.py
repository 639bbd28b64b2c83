"""Arrays without elements."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from dispatch_core.extend import StridedArray, dtype


class MetaArray(StridedArray[int]):
    """Shape, strides, offset and dtype; its memory is nothing but a size in bytes."""

    __slots__ = ()

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: dtype, strides: Any = None) -> Self:
        """A new array; in the order of the dimensions unless strides are given."""
        return cls(prod(shape) * dtype.itemsize, dtype, shape, strides)

    @property
    def held(self) -> int:
        return self.memory

    def copied(self) -> MetaArray:
        return MetaArray.of(self.shape, self.dtype)
