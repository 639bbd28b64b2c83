"""Views and rearrangements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return {
        "reshape": lambda input, shape: input.reshape(shape),
        "view": _view,
        "permute": _permute,
        "expand": _expand(xp),
        "basic_index": _basic_index,
        "basic_index_backward": _basic_index_backward(xp),
        "as_strided": _as_strided(xp),
        "storage_index": lambda input, count: xp.arange(count, dtype="int64"),
        "square_diagonal": _square_diagonal(xp),
        "clone": lambda input: input.copy(order="K") if input.size else input.copy(),
        "flip": lambda input, dims: xp.flip(input, dims).copy() if input.ndim else input.copy(),
        "cat": _cat(xp),
    }


def _view(input: Any, shape: Sequence[int]) -> Any:
    if not input.flags.c_contiguous:
        out = input.view()
        try:
            out.shape = input.reshape(shape).shape if -1 in shape else shape
        except AttributeError:
            raise RuntimeError(
                "view size is not compatible with input tensor's size and stride (at least one "
                "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
            ) from None
        return out
    return input.reshape(shape)


def _permute(input: Any, dims: Sequence[int]) -> Any:
    return input.transpose(dims) if len(dims) else input.view()


def _expand(xp: Any) -> Kernel:
    def expand(input: Any, size: Sequence[int]) -> Any:
        extra = len(size) - input.ndim
        if extra < 0:
            raise RuntimeError(
                f"expand: the number of sizes provided ({len(size)}) must be greater or equal to the "
                f"number of dimensions in the tensor ({input.ndim})"
            )
        shape, strides = list(size), [0] * len(size)
        for i, (n, stride) in enumerate(zip(input.shape, input.strides, strict=True), extra):
            wanted = shape[i]
            if wanted in (-1, n):
                shape[i], strides[i] = n, stride
            elif n != 1:
                raise RuntimeError(
                    f"The expanded size of the tensor ({wanted}) must match the existing size ({n}) at "
                    f"non-singleton dimension {i}. Target sizes: {list(size)}. Tensor sizes: "
                    f"{list(input.shape)}"
                )
        if any(n < 0 for n in shape):
            raise RuntimeError(
                f"The expanded size of the tensor ({min(shape)}) isn't allowed in a leading, "
                "non-existing dimension"
            )
        return as_strided(xp, input, shape, strides)

    return expand


def as_strided(xp: Any, array: Any, shape: Sequence[int], strides: Sequence[int], offset: int = 0) -> Any:
    """A view by shape, strides and offset in bytes; of ndarray's own making, which is fast."""
    if xp.__name__ == "numpy":
        # The buffer must be an array whose memory is in order: the storage itself.
        return xp.lib.stride_tricks.as_strided(array, shape, strides) if offset == 0 else _offset(
            xp, array, shape, strides, offset
        )
    return xp.lib.stride_tricks.as_strided(array, shape, strides)


def _offset(xp: Any, array: Any, shape: Any, strides: Any, offset: int) -> Any:
    flat = array.reshape(-1)
    return xp.lib.stride_tricks.as_strided(flat[offset // array.itemsize :], shape, strides)


def _basic_index(input: Any, index: tuple[Any, ...]) -> Any:
    # An index of ints alone would give a scalar, not a view.
    return input[(*index, ...)] if Ellipsis not in index else input[index]


def _basic_index_backward(xp: Any) -> Kernel:
    def basic_index_backward(grad: Any, input_shape: Sequence[int], index: tuple[Any, ...]) -> Any:
        out = xp.zeros(input_shape, grad.dtype)
        out[index] = grad
        return out

    return basic_index_backward


def storage(array: Any, xp: Any) -> Any:
    """The array at the end of the chain of bases: the owner of the memory."""
    base = array.base
    while isinstance(base, xp.ndarray):
        array = base
        base = array.base
    return array


def _as_strided(xp: Any) -> Kernel:
    def kernel(input: Any, size: Any, stride: Any, storage_offset: Any) -> Any:
        root = storage(input, xp)
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
        return xp.lib.stride_tricks.as_strided(flat, tuple(size), tuple(s * item for s in stride))

    return kernel


def _square_diagonal(xp: Any) -> Kernel:
    def square_diagonal(input: Any) -> Any:
        strides = (*input.strides[:-2], input.strides[-1] + input.strides[-2])
        return xp.lib.stride_tricks.as_strided(input, input.shape[:-1], strides)

    return square_diagonal


def _cat(xp: Any) -> Kernel:
    def cat(tensors: Sequence[Any], dim: int) -> Any:
        if not tensors:
            raise RuntimeError("cat(): expected a non-empty list of Tensors")
        # PyTorch lets empty vectors join anything.
        kept = [t for t in tensors if t.shape != (0,)]
        if not kept:
            return tensors[0].copy()
        if kept[0].ndim == 0:
            raise RuntimeError(
                "zero-dimensional tensor (at position 0) cannot be concatenated; use stack()"
            )
        return xp.concatenate(kept, dim)

    return cat
