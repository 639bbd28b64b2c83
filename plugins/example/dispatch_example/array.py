"""The arrays of the example device: a piece of memory seen through a shape, strides and an offset.

numpy computes, but an `Array` is no numpy array and has nothing of its interface, so whatever works
on this device works through its kernels. Views are those of every `StridedArray`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import StridedArray, from_numpy_dtype


class Memory:
    """The bytes that an array and all views of it share."""

    __slots__ = ("bytes",)

    held = 0
    """How many bytes all living memories have together."""

    def __init__(self, data: np.ndarray[Any, Any]) -> None:
        self.bytes = data
        Memory.held += data.size

    def __del__(self) -> None:
        Memory.held -= self.bytes.size


class Array(StridedArray[Memory]):
    """Elements of one dtype in such a memory."""

    __slots__ = ()

    @classmethod
    def of(cls, values: Any) -> Array:
        """A new array with a copy of what numpy computed."""
        values = np.asarray(values)
        flat = np.array(values, order="C", copy=True).reshape(-1)
        return cls(Memory(flat.view(np.uint8)), from_numpy_dtype(values.dtype), values.shape)

    @property
    def held(self) -> int:
        return self.memory.bytes.size

    def copied(self) -> Array:
        return Array.of(self.numpy())

    def numpy(self) -> np.ndarray[Any, Any]:
        """The elements as a numpy array that shares the memory."""
        kind, size = self.dtype.numpy_dtype, self.dtype.itemsize
        if not prod(self.shape):
            return np.empty(self.shape, kind)
        strides = tuple(s * size for s in self.strides)
        return np.ndarray(self.shape, kind, self.memory.bytes, self.offset * size, strides)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel on `Array`s from a function on numpy arrays; its results get memory of their own."""

    def computed(*args: Any) -> Any:
        results = function(*[_host(a) for a in args])
        if isinstance(results, tuple):
            return tuple(Array.of(each) for each in results)
        return Array.of(results)

    computed.__name__ = computed.__qualname__ = getattr(function, "__name__", "computed")
    return computed


def _host(value: Any) -> Any:
    if isinstance(value, Array):
        return value.numpy()
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Array):
        return [each.numpy() for each in value]
    return value


def halves_in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with 16-bit floats computed in float32, so that sums keep their digits."""

    def widened(first: Any, *rest: Any) -> Any:
        if first.dtype.itemsize != 2 or first.dtype.kind in "iu":
            return function(first, *rest)
        wide = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in (first, *rest)]
        return function(*wide).astype(first.dtype)

    widened.__name__ = getattr(function, "__name__", "widened")
    return widened
