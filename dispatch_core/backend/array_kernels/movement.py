"""Views and rearrangements."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._shapes import expanded
from dispatch_core.backend.array_kernels.layout import copied, owner
from dispatch_core.backend.array_kernels.reduce import scalar_dim

Kernel = Callable[..., Any]


def views(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel whose result shares memory with its argument."""
    return {
        "reshape": xp.ndarray.reshape,
        "view": _view,
        "permute": _permute,
        "expand": _expand(xp),
        "basic_index": operator.getitem,
        "transpose": _transpose,
        "as_strided": _as_strided(xp),
        "square_diagonal": _square_diagonal(xp),
        "bits_as": _bits_as,
        "unfold_windows": _unfold_windows(xp),
        "view_as_real": _view_as_real,
        "view_as_complex": _view_as_complex,
    }


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel that makes a new array."""
    return {
        "basic_index_backward": _basic_index_backward(xp),
        "storage_index": lambda input, count: xp.arange(count, dtype="int64"),
        "clone": copied,
        "flip": lambda input, dims: xp.flip(input, dims if input.ndim else scalar_dim(dims)).copy(),
        "cat": _cat(xp),
    }


def _view(input: Any, shape: Sequence[int]) -> Any:
    if shape and min(shape) < -1:  # for numpy any negative size is the one to find out
        raise ValueError("invalid shape dimension")
    out = input.reshape(shape)
    if not input.flags.c_contiguous and out.size:
        base = out.base
        if base is not input and (base is None or base is not input.base):
            raise RuntimeError(
                "view size is not compatible with input tensor's size and stride (at least one "
                "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
            )
    return out


def _permute(input: Any, dims: Sequence[int]) -> Any:
    if len(dims) != input.ndim:  # numpy takes no axes for all of them reversed
        raise ValueError("axes don't match array")
    return input.transpose(dims) if len(dims) else input.view()


def _expand(xp: Any) -> Kernel:
    strided = stride_trick(xp)

    def expand(input: Any, size: Sequence[int]) -> Any:
        if not input.ndim and min(size, default=0) >= 0:
            return strided(input, tuple(size), (0,) * len(size))
        return strided(input, *expanded(input.shape, input.strides, size))

    return expand


def stride_trick(xp: Any) -> Callable[..., Any]:
    """A function (array, shape, strides in bytes) -> view, by the fastest way the module has."""
    general: Callable[..., Any] = xp.lib.stride_tricks.as_strided
    if xp.__name__ != "numpy":
        return general
    make = xp.ndarray

    def strided(array: Any, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        # ndarray's constructor takes an eighth of the time, but asks for memory in order and for a
        # dtype of numpy's own.
        if array.flags.c_contiguous and array.dtype.isbuiltin == 1 and array.size:
            return make(shape, array.dtype, array, 0, strides)
        return general(array, shape, strides)

    return strided


def _transpose(input: Any, dim0: int, dim1: int) -> Any:
    try:
        return input.swapaxes(dim0, dim1)
    except ValueError:
        if input.ndim == 0 and dim0 in (0, -1) and dim1 in (0, -1):
            return input.view()
        raise


def _basic_index_backward(xp: Any) -> Kernel:
    def basic_index_backward(grad: Any, input_shape: Sequence[int], index: tuple[Any, ...]) -> Any:
        out = xp.zeros(input_shape, grad.dtype)
        out[index] = grad
        return out

    return basic_index_backward


def _as_strided(xp: Any) -> Kernel:
    strided = stride_trick(xp)

    def kernel(input: Any, size: Any, stride: Any, storage_offset: Any) -> Any:
        root = owner(input)
        item = input.itemsize
        start = root.__array_interface__["data"][0]
        if storage_offset is None:
            storage_offset = (input.__array_interface__["data"][0] - start) // item
        last = storage_offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        if len(size) != len(stride) or any(s < 0 for s in stride) or storage_offset < 0:
            raise RuntimeError(
                "as_strided: Negative strides are not supported at the moment, got strides: "
                f"{list(stride)}"
            )
        if all(size) and last >= root.nbytes // item:
            raise RuntimeError(
                f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset "
                f"{storage_offset} are out of bounds for storage of size {root.nbytes // item}"
            )
        flat = root.reshape(-1) if root.flags.c_contiguous else root.ravel(order="K")
        flat = flat.view(input.dtype)[storage_offset:]
        return strided(flat, tuple(size), tuple(s * item for s in stride))

    return kernel


def _square_diagonal(xp: Any) -> Kernel:
    strided = stride_trick(xp)

    def square_diagonal(input: Any) -> Any:
        strides = (*input.strides[:-2], input.strides[-1] + input.strides[-2])
        return strided(input, input.shape[:-1], strides)

    return square_diagonal


def _cat(xp: Any) -> Kernel:
    join = xp.concatenate

    def cat(tensors: Sequence[Any], dim: int) -> Any:
        try:
            out = join(tensors, dim)
            return out if out.flags.c_contiguous else out.copy()
        except ValueError:
            # PyTorch lets empty vectors join anything.
            kept = [t for t in tensors if t.shape != (0,)]
            if len(kept) == len(tensors):
                raise
            return join(kept, dim)

    return cat


def _view_as_real(input: Any) -> Any:
    return input[..., None].view(input.real.dtype)


def _view_as_complex(input: Any) -> Any:
    if input.ndim == 0 or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    size = input.itemsize
    if size < 4:
        raise RuntimeError("view_as_complex is only supported for float and double tensors")
    if not input.size:
        return input.astype(f"c{2 * size}")[..., 0]
    if input.strides[-1] != size or any(s % (2 * size) for s in input.strides[:-1]):
        raise RuntimeError(
            "Tensor must have a last dimension with stride 1, and even strides elsewhere; use clone()"
        )
    return input.view(f"c{2 * size}")[..., 0]


def _unfold_windows(xp: Any) -> Kernel:
    strided = stride_trick(xp)

    def unfold_windows(input: Any, dimension: int, size: int, step: int) -> Any:
        if input.ndim == 0:
            return unfold_windows(input.reshape(1), dimension, size, step)[0]
        if not -input.ndim <= dimension < input.ndim:
            raise IndexError(dimension)
        at = dimension % input.ndim
        n = input.shape[at]
        if step <= 0:
            raise RuntimeError(f"step is {step} but must be > 0")
        if not 0 <= size <= n:
            raise RuntimeError(
                f"maximum size for tensor at dimension {at} is {n} but size is {size}"
            )
        shape = [*input.shape, size]
        strides = [*input.strides, input.strides[at]]
        shape[at] = (n - size) // step + 1
        strides[at] *= step
        return strided(input, tuple(shape), tuple(strides))

    return unfold_windows


def _bits_as(input: Any, dtype: Any) -> Any:
    wanted = dtype.numpy_dtype
    if wanted.itemsize != input.dtype.itemsize and input.ndim == 0:
        raise RuntimeError(
            "self.dim() cannot be 0 to view a tensor as a dtype of a different element size"
        )
    try:
        return input.view(wanted)
    except ValueError:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {max(wanted.itemsize // input.dtype.itemsize, 1)}, and its "
            f"stride 1, to view {input.dtype} as {wanted}, but got shape {list(input.shape)}"
        ) from None
