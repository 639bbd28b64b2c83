"""Arrays that are a piece of memory seen through a shape, strides and an offset, and all their views.

A device whose memory is not numpy's (a buffer of OpenCL's, the bytes of `plugins/example`, nothing at
all on `meta`) derives its arrays from `StridedArray` and registers `VIEW_KERNELS`: the views are
arithmetic on shapes and strides, the same wherever the elements lie.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Generic, Self, TypeVar

import numpy as np

from dispatch_core._dtypes import complex64, complex128, dtype, float32, float64
from dispatch_core._shapes import check_dim, check_reshape, expanded

Sizes = tuple[int, ...]
M = TypeVar("M")


class StridedArray(ABC, Generic[M]):
    """Elements of one dtype in a memory of the device's own kind; strides and offset count elements."""

    __slots__ = ("__weakref__", "base", "dtype", "memory", "offset", "shape", "strides")

    def __init__(
        self,
        memory: M,
        dtype: dtype,
        shape: Sizes,
        strides: Sizes | None = None,
        offset: int = 0,
        base: Self | None = None,
    ) -> None:
        self.memory = memory
        self.dtype = dtype
        self.shape = shape
        self.strides = in_order(shape) if strides is None else strides
        self.offset = offset
        self.base = base
        """The array that the memory was made for, if this is a view of it."""

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie in the order of the dimensions, without gaps."""
        wanted = in_order(self.shape)
        steps = zip(self.shape, self.strides, wanted, strict=True)
        return 0 in self.shape or all(n == 1 or a == b for n, a, b in steps)

    @property
    def is_whole(self) -> bool:
        """Whether they are, in this order, all that lies in the memory."""
        size = prod(self.shape) * self.dtype.itemsize
        return self.is_contiguous and not self.offset and self.held == size

    @property
    @abstractmethod
    def held(self) -> int:
        """The size of the whole memory in bytes."""

    @abstractmethod
    def copied(self) -> Self:
        """A new array with the same elements, in the order of the dimensions."""

    def view(
        self,
        shape: Sequence[int],
        strides: Sequence[int],
        offset: int,
        dtype: dtype | None = None,
    ) -> Self:
        """Another look at the same memory."""
        owner = self if self.base is None else self.base
        kind = self.dtype if dtype is None else dtype
        return type(self)(self.memory, kind, tuple(shape), tuple(strides), offset, owner)


def in_order(shape: Sequence[int]) -> Sizes:
    """The strides of elements that lie in the order of the dimensions."""
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


def _full_shape(input: StridedArray[M], shape: Sequence[int]) -> Sizes:
    """A shape with its -1 found out."""
    check_reshape(input.shape, shape)
    if -1 not in shape:
        return tuple(shape)
    missing = prod(input.shape) // prod(n for n in shape if n != -1)
    return tuple(missing if n == -1 else n for n in shape)


def strides_for(input: StridedArray[M], shape: Sizes) -> Sizes | None:
    """The strides that show the elements in another shape; None where no strides can.

    Dimensions of the array that lie in memory like one are taken together, and the new ones must
    divide such a group.
    """
    if prod(shape) == 0:
        return in_order(shape)
    groups: list[tuple[int, int]] = []  # (size, stride of the innermost), innermost group first
    for n, stride in zip(reversed(input.shape), reversed(input.strides), strict=True):
        if n == 1:
            continue
        if groups and stride == groups[-1][0] * groups[-1][1]:
            groups[-1] = (groups[-1][0] * n, groups[-1][1])
        else:
            groups.append((n, stride))
    strides = [1] * len(shape)
    left, step = groups.pop(0) if groups else (1, 1)
    for i in range(len(shape) - 1, -1, -1):
        if left == 1 and groups and shape[i] != 1:
            left, step = groups.pop(0)
        if shape[i] != 1 and left % shape[i]:
            return None
        strides[i] = step
        step *= shape[i]
        left //= shape[i]
    return tuple(strides)


def view(input: StridedArray[M], shape: Sequence[int]) -> StridedArray[M]:
    """The elements in another shape."""
    full = _full_shape(input, shape)
    strides = strides_for(input, full)
    if strides is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension "
            "spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return input.view(full, strides, input.offset)


def reshape(input: StridedArray[M], shape: Sequence[int]) -> StridedArray[M]:
    """The elements in another shape; copied where the layout does not allow a view."""
    full = _full_shape(input, shape)
    return view(input if strides_for(input, full) is not None else input.copied(), full)


def permute(input: StridedArray[M], dims: Sequence[int]) -> StridedArray[M]:
    """The dimensions in another order."""
    order = [check_dim(d, len(input.shape)) for d in dims]
    if sorted(order) != list(range(len(input.shape))):
        raise RuntimeError(
            f"permute(dims): each of {len(input.shape)} dimensions must be named once, got {list(dims)}; "
            "duplicate dims are not allowed"
        )
    return input.view(
        [input.shape[d] for d in order], [input.strides[d] for d in order], input.offset
    )


def expand(input: StridedArray[M], size: Sequence[int]) -> StridedArray[M]:
    """Dimensions of size one repeated: their stride becomes 0."""
    return input.view(*expanded(input.shape, input.strides, size), input.offset)


def basic_index(input: StridedArray[M], index: Any) -> StridedArray[M]:
    """One or several of ints, slices, None and `...`."""
    given = list(index) if isinstance(index, tuple) else [index]
    consumed = sum(i is not None and i is not Ellipsis for i in given)
    if consumed > len(input.shape):
        raise IndexError(
            f"too many indices for tensor of dimension {len(input.shape)}: {consumed} were given"
        )
    rest = [slice(None)] * (len(input.shape) - consumed)
    at = given.index(Ellipsis) if Ellipsis in given else len(given)
    given[at : at + 1] = rest
    shape: list[int] = []
    strides: list[int] = []
    offset, dim = input.offset, 0
    for item in given:
        if item is None:
            shape.append(1)
            strides.append(0)
            continue
        n, stride = input.shape[dim], input.strides[dim]
        dim += 1
        if isinstance(item, slice):
            start, stop, step = item.indices(n)
            shape.append(max(0, -((start - stop) // step)))
            strides.append(stride * step)
            offset += start * stride
        elif -n <= item < n:
            offset += item % n * stride
        else:
            raise IndexError(f"index {item} is out of bounds for dimension {dim - 1} with size {n}")
    return input.view(shape, strides, offset)


def as_strided(
    input: StridedArray[M], size: Sequence[int], stride: Sequence[int], storage_offset: int | None
) -> StridedArray[M]:
    """Any shape and strides that stay within the memory."""
    offset = input.offset if storage_offset is None else storage_offset
    if len(size) != len(stride) or any(s < 0 for s in stride) or offset < 0:
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    held = input.held // input.dtype.itemsize
    if all(size) and last >= held:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset} are out "
            f"of bounds for storage of size {held}"
        )
    return input.view(size, stride, offset)


def view_as_real(input: StridedArray[M]) -> StridedArray[M]:
    """Real and imaginary parts along a new last dimension."""
    kind = float32 if input.dtype is complex64 else float64
    strides = [*(2 * s for s in input.strides), 1]
    return input.view([*input.shape, 2], strides, 2 * input.offset, kind)


def view_as_complex(input: StridedArray[M]) -> StridedArray[M]:
    """Complex numbers of the pairs along the last dimension."""
    if not input.shape or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if input.dtype not in (float32, float64):
        raise RuntimeError("view_as_complex is only supported for float and double tensors")
    *strides, last = input.strides
    if last != 1 or input.offset % 2 or any(s % 2 for s in strides):
        raise RuntimeError(
            "Tensor must have a last dimension with stride 1, and even strides elsewhere; use clone()"
        )
    kind = complex64 if input.dtype is float32 else complex128
    return input.view(input.shape[:-1], [s // 2 for s in strides], input.offset // 2, kind)


def bits_as(input: StridedArray[M], dtype: dtype) -> StridedArray[M]:
    """The same memory read as another dtype; the last dimension shrinks or grows with its size."""
    old, new = input.dtype.itemsize, dtype.itemsize
    if old == new:
        return input.view(input.shape, input.strides, input.offset, dtype)
    if not input.shape:
        raise RuntimeError(
            "self.dim() cannot be 0 to view a tensor as a dtype of a different element size"
        )
    *shape, n = input.shape
    *strides, last = input.strides
    in_bytes = [s * old for s in (n, input.offset, *strides)]
    if last != 1 or any(size % new for size in in_bytes):
        raise RuntimeError(
            f"self.size(-1) must be divisible by {new // old}, and its stride 1, to view "
            f"{input.dtype} as {dtype}, but got shape {list(input.shape)}"
        )
    n, offset, *strides = [size // new for size in in_bytes]
    return input.view([*shape, n], [*strides, 1], offset, dtype)


def unfold_windows(input: StridedArray[M], dimension: int, size: int, step: int) -> StridedArray[M]:
    """All windows along a dimension: a new dimension that takes the same steps as the old one."""
    at = check_dim(dimension, len(input.shape))
    shape, strides = list(input.shape) or [1], list(input.strides) or [1]
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not 0 <= size <= shape[at]:
        raise RuntimeError(
            f"maximum size for tensor at dimension {at} is {shape[at]} but size is {size}"
        )
    shape.append(size)
    strides.append(strides[at])
    shape[at] = (shape[at] - size) // step + 1
    strides[at] *= step
    if not input.shape:  # the only window, with nothing before it
        shape, strides = shape[1:], strides[1:]
    return input.view(shape, strides, input.offset)


def square_diagonal(input: StridedArray[M]) -> StridedArray[M]:
    """The diagonal of the last two dimensions: one step in both at once."""
    strides = (*input.strides[:-2], input.strides[-2] + input.strides[-1])
    return input.view(input.shape[:-1], strides, input.offset)


def seen_in(memory: np.ndarray[Any, Any], input: StridedArray[M]) -> np.ndarray[Any, Any]:
    """The elements of an array as numpy's, over bytes (uint8) that hold its whole memory; shares them."""
    kind, size = input.dtype.numpy_dtype, input.dtype.itemsize
    if 0 in input.shape:
        return np.empty(input.shape, kind)
    strides = tuple(s * size for s in input.strides)
    return np.ndarray(input.shape, kind, memory, input.offset * size, strides)


VIEW_KERNELS: dict[str, Callable[..., Any]] = {
    kernel.__name__: kernel
    for kernel in (
        as_strided,
        basic_index,
        bits_as,
        expand,
        permute,
        reshape,
        square_diagonal,
        unfold_windows,
        view,
        view_as_complex,
        view_as_real,
    )
}
"""The views among the primitives, for arrays that are `StridedArray`s."""
