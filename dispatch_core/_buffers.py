"""Tensors on memory that somebody else has: buffers, files, anything that can be an array."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from dispatch_core._construct import as_tensor, from_dlpack, from_numpy
from dispatch_core._dtypes import dtype as DType
from dispatch_core._dtypes import get_default_dtype
from dispatch_core._tensor import Tensor


def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """Anything as a tensor: tensors, arrays, DLPack objects, buffers, numbers and sequences.

    Memory is shared where it can be, never if `copy` is True; ValueError where `copy` is False and
    it cannot be. A tensor keeps its history unless `requires_grad` is False.
    """
    found = _shared(obj, dtype)
    if found is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        found = as_tensor(obj, dtype=dtype, device=device)
        return found.requires_grad_() if requires_grad else found
    wanted = found.to(device=device or found.device, dtype=dtype or found.dtype)
    if copy is False and wanted is not found:
        raise ValueError(
            f"can't alias tensor with dtype '{found.dtype}' into dtype '{wanted.dtype}' on "
            f"{wanted.device}; allow a copy with copy=None"
        )
    if copy and wanted is found:
        wanted = found.clone()
    if requires_grad is None or requires_grad == wanted.requires_grad:
        return wanted
    return wanted.detach().requires_grad_(requires_grad)


def _shared(obj: Any, dtype: DType | None) -> Tensor | None:
    """A tensor on the memory of an object; None where it has none of its own."""
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, np.ndarray):
        return from_numpy(obj)
    if isinstance(obj, np.generic):
        return None
    if hasattr(obj, "__dlpack__"):
        return from_dlpack(obj)
    try:
        view = memoryview(obj)
    except TypeError:
        return None
    return frombuffer(view, dtype=dtype or get_default_dtype())


def frombuffer(
    buffer: Any, *, dtype: DType, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector on the memory of an object with a buffer, from a byte offset on.

    Writing into a tensor on a buffer that is read-only raises an error of numpy's.
    """
    try:
        length, size = memoryview(buffer).nbytes, dtype.itemsize
    except TypeError:
        raise ValueError(
            f"object does not implement Python buffer protocol, got {type(buffer).__name__}"
        ) from None
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % size:
        raise ValueError(
            f"buffer length ({length} bytes) after offset ({offset} bytes) must be a multiple of "
            f"element size ({size})"
        )
    if count > 0 and offset + count * size > length:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({length} bytes)"
        )
    array = np.frombuffer(buffer, np.uint8, -1 if count < 0 else count * size, offset)
    made = from_numpy(array.view(dtype.numpy_dtype))
    return made.requires_grad_() if requires_grad else made


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A vector of `size` elements on a memory-mapped file; if `shared`, writes go into the file.

    A shared file is made, or grows, where it is too short.
    """
    wanted = dtype or get_default_dtype()
    filename = os.fspath(filename)  # `open` takes the number of an open file as well, and closes it
    if shared:
        with open(filename, "ab") as file:
            file.truncate(max(file.tell(), (size or 0) * wanted.itemsize))
    array = np.memmap(filename, np.uint8, "r+" if shared else "c", 0, (size or 0) * wanted.itemsize)
    made = from_numpy(np.asarray(array).view(wanted.numpy_dtype))
    return made.requires_grad_() if requires_grad else made


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of a tensor's memory; `from_dlpack` takes tensors themselves."""
    return tensor.__dlpack__()
