"""What a tensor says about itself: sizes, strides, dtype, place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._keys import INFERENCE, tensor_key
from dispatch_core._methods._table import TABLE, method
from dispatch_core._shapes import check_dim
from dispatch_core._size import Size
from dispatch_core._tensor import Tensor


class _Count(int):
    """`x.size`: the number of elements, as the array API has it; called, PyTorch's method."""

    _shape: Size

    def __call__(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self._shape if dim is None else self._shape[check_dim(dim, len(self._shape))]

    def __reduce__(self) -> Any:
        return int, (int(self),)


def _count(self: Tensor) -> Any:
    """The number of elements; called, the shape or the size of one dimension."""
    shape = self.shape
    count = _Count(shape.numel())
    count._shape = shape
    return count


class _SizeProperty(property):
    """`x.size`, which of the class itself is PyTorch's method."""

    def __get__(self, tensor: Any, owner: Any = None) -> Any:
        return _size if tensor is None else _count(tensor)


def _size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    return self.size(dim)


SIZE = _SizeProperty(_count)


@method
def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return self.ndim


TABLE["ndimension"] = dim


@method
def numel(self: Tensor) -> int:
    """The number of elements."""
    n = 1
    for each in self._raw.shape:
        n *= each
    return n


TABLE["nelement"] = numel


@method
def element_size(self: Tensor) -> int:
    """Bytes an element."""
    return self.dtype.itemsize


@method
def stride(self: Tensor, dim: int | None = None) -> Any:
    """The strides in elements, or that of one dimension."""
    strides = self._backend.layout_of(self._raw)[0]
    if 0 in strides:
        strides = _told_strides(self._raw.shape, strides)
    return strides if dim is None else strides[dim]


def _told_strides(sizes: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Strides where arrays have zeros that say nothing: of no element, and along dimensions of size one."""
    found: list[int] = []
    following, empty = 1, 0 in sizes
    for n, s in zip(reversed(sizes), reversed(strides), strict=True):
        found.append(following if empty or (n == 1 and s == 0) else s)
        following = max(n, 1) * found[-1]
    return tuple(reversed(found))


@method
def storage_offset(self: Tensor) -> int:
    """Where the first element stands in the storage, in elements."""
    return self._backend.layout_of(self._raw)[1]


@method
def data_ptr(self: Tensor) -> int:
    """The address of the first element, where the backend has one; 0 where there is no element."""
    if 0 in self._raw.shape:
        return 0
    address = getattr(self._backend, "address", None)
    return id(self._raw) if address is None else int(address(self._raw))


@method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory in the order of the dimensions, or in that of a format."""
    sizes, strides = tuple(self.shape), self.stride()
    if memory_format is not None and memory_format.name.startswith("channels_last"):
        if self.ndim != (5 if memory_format.name.endswith("3d") else 4):
            return False
        order = memory_format.order(self.ndim)
        sizes, strides = tuple(sizes[d] for d in order), tuple(strides[d] for d in order)
    expected = 1
    for n, s in zip(reversed(sizes), reversed(strides), strict=True):
        if n == 0:
            return True
        if n != 1:
            if s != expected:
                return False
            expected *= n
    return True


@method
def is_floating_point(self: Tensor) -> bool:
    """Whether the dtype is a floating point one."""
    return self.dtype.is_floating_point


@method
def is_complex(self: Tensor) -> bool:
    """Whether the dtype is a complex one."""
    return self.dtype.is_complex


@method
def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative values."""
    return self.dtype.is_signed


@method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether both shapes are equal."""
    return self.shape == other.shape


@method
def get_device(self: Tensor) -> int:
    """The number of the device; -1 on the cpu."""
    index = self.device.index
    return -1 if index is None else index


@method
def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return INFERENCE in tensor_key(self._k).flags
