"""Views: shapes, strides and offsets over the same memory; only `reshape` may copy."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from dispatch_core.extend import complex64, complex128, dtype, float32, float64
from dispatch_example.array import Array, Ints, in_order


def _full_shape(input: Array, shape: Sequence[int]) -> Ints:
    """A shape with its -1 found out."""
    size = prod(input.shape)
    known = prod(n for n in shape if n != -1)
    wrong = RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
    if any(n < -1 for n in shape) or list(shape).count(-1) > 1:
        raise wrong
    if -1 not in shape:
        if known != size:
            raise wrong
        return tuple(shape)
    if known == 0 or size % known:
        raise wrong
    return tuple(size // known if n == -1 else n for n in shape)


def _strides_for(input: Array, shape: Ints) -> Ints | None:
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


def view(input: Array, shape: Sequence[int]) -> Array:
    """The elements in another shape."""
    full = _full_shape(input, shape)
    strides = _strides_for(input, full)
    if strides is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension "
            "spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return input.view(full, strides, input.offset)


def reshape(input: Array, shape: Sequence[int]) -> Array:
    """The elements in another shape; copied where the layout does not allow a view."""
    full = _full_shape(input, shape)
    if _strides_for(input, full) is None:
        input = Array.of(input.numpy())
    return view(input, full)


def permute(input: Array, dims: Sequence[int]) -> Array:
    """The dimensions in another order."""
    order = [d % len(input.shape) for d in dims]
    return input.view(
        [input.shape[d] for d in order], [input.strides[d] for d in order], input.offset
    )


def expand(input: Array, size: Sequence[int]) -> Array:
    """Dimensions of size one repeated: their stride becomes 0."""
    extra = len(size) - len(input.shape)
    if extra < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(size)}) must be greater or equal to the "
            f"number "
            f"of dimensions in the tensor ({len(input.shape)})"
        )
    shape, strides = list(size), [0] * len(size)
    for i, (n, stride) in enumerate(zip(input.shape, input.strides, strict=True), extra):
        if shape[i] in (-1, n):
            shape[i], strides[i] = n, stride
        elif n != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[i]}) must match the existing size ({n}) "
                f"at "
                f"non-singleton dimension {i}. Target sizes: {list(size)}. Tensor sizes: "
                f"{list(input.shape)}"
            )
    if min(shape, default=0) < 0:
        raise RuntimeError(
            f"The expanded size of the tensor ({min(shape)}) isn't allowed in a leading, "
            f"non-existing "
            "dimension"
        )
    return input.view(shape, strides, input.offset)


def basic_index(input: Array, index: Any) -> Array:
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
    input: Array, size: Sequence[int], stride: Sequence[int], storage_offset: Any
) -> Array:
    """Any shape and strides that stay within the memory."""
    offset = input.offset if storage_offset is None else storage_offset
    if len(size) != len(stride) or any(s < 0 for s in stride) or offset < 0:
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    held = input.memory.bytes.size // input.dtype.itemsize
    if all(size) and last >= held:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset} are "
            f"out "
            f"of bounds for storage of size {held}"
        )
    return input.view(size, stride, offset)


def view_as_real(input: Array) -> Array:
    """Real and imaginary parts along a new last dimension."""
    kind = float32 if input.dtype is complex64 else float64
    strides = [*(2 * s for s in input.strides), 1]
    return input.view([*input.shape, 2], strides, 2 * input.offset, kind)


def view_as_complex(input: Array) -> Array:
    """Complex numbers of the pairs along the last dimension."""
    if not input.shape or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if input.dtype not in (float32, float64):
        raise RuntimeError("view_as_complex is only supported for float and double tensors")
    *strides, last = input.strides
    if last != 1 or input.offset % 2 or any(s % 2 for s in strides):
        raise RuntimeError(
            "Tensor must have a last dimension with stride 1, and even strides elsewhere; use "
            "clone()"
        )
    kind = complex64 if input.dtype is float32 else complex128
    return input.view(input.shape[:-1], [s // 2 for s in strides], input.offset // 2, kind)


def bits_as(input: Array, dtype: dtype) -> Array:
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


def unfold_windows(input: Array, dimension: int, size: int, step: int) -> Array:
    """All windows along a dimension: a new dimension that takes the same steps as the old one."""
    shape, strides = list(input.shape) or [1], list(input.strides) or [1]
    if not -len(shape) <= dimension < len(shape):
        raise IndexError(f"dim {dimension} of an array of {len(shape)} dimensions")
    at = dimension % len(shape)
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


def square_diagonal(input: Array) -> Array:
    """The diagonal of the last two dimensions: one step in both at once."""
    strides = (*input.strides[:-2], input.strides[-2] + input.strides[-1])
    return input.view(input.shape[:-1], strides, input.offset)


KERNELS = {
    "as_strided": as_strided,
    "basic_index": basic_index,
    "bits_as": bits_as,
    "expand": expand,
    "permute": permute,
    "reshape": reshape,
    "square_diagonal": square_diagonal,
    "unfold_windows": unfold_windows,
    "view": view,
    "view_as_complex": view_as_complex,
    "view_as_real": view_as_real,
}
