"""The arrays of the example device: a piece of memory seen through a shape, strides and an offset.

numpy computes, but an `Array` is no numpy array and has nothing of its interface, so whatever works
on this device works through its kernels. Views are arithmetic on shapes and strides alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import ALL_DTYPES, dtype

Ints = tuple[int, ...]
_BY_NUMPY = {each.numpy_dtype: each for each in ALL_DTYPES}


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


class Array:
    """Elements of one dtype in a memory; strides and offset count elements."""

    __slots__ = ("__weakref__", "base", "dtype", "memory", "offset", "shape", "strides")

    def __init__(
        self,
        memory: Memory,
        dtype: dtype,
        shape: Ints,
        strides: Ints,
        offset: int,
        base: Array | None = None,
    ) -> None:
        self.memory = memory
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self.base = base
        """The array that the memory was made for, if this is a view of it."""

    @classmethod
    def of(cls, values: Any) -> Array:
        """A new array with a copy of what numpy computed."""
        values = np.asarray(values)
        flat = np.array(values, order="C", copy=True).reshape(-1)
        shape = values.shape
        return cls(Memory(flat.view(np.uint8)), _BY_NUMPY[values.dtype], shape, in_order(shape), 0)

    def view(
        self,
        shape: Sequence[int],
        strides: Sequence[int],
        offset: int,
        dtype: dtype | None = None,
    ) -> Array:
        """Another look at the same memory."""
        owner = self if self.base is None else self.base
        kind = self.dtype if dtype is None else dtype
        return Array(self.memory, kind, tuple(shape), tuple(strides), offset, owner)

    def numpy(self) -> np.ndarray[Any, Any]:
        """The elements as a numpy array that shares the memory."""
        kind, size = self.dtype.numpy_dtype, self.dtype.itemsize
        if not prod(self.shape):
            return np.empty(self.shape, kind)
        strides = tuple(s * size for s in self.strides)
        return np.ndarray(self.shape, kind, self.memory.bytes, self.offset * size, strides)


def in_order(shape: Sequence[int]) -> Ints:
    """The strides of elements that lie in the order of the dimensions."""
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


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
