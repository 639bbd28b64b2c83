"""Tensors from Python values and numpy arrays."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from dispatch_core import _tensor
from dispatch_core._caller import warn
from dispatch_core._dlpack import CPU_DEVICE
from dispatch_core._dlpack import from_dlpack as _import_dlpack
from dispatch_core._dtypes import as_dtype, dtype, from_numpy_dtype, get_default_dtype, int64
from dispatch_core._errors import UnsharedMemoryError
from dispatch_core._literals import as_array
from dispatch_core._numbers import fitting
from dispatch_core._op import operator_named
from dispatch_core._place import HOST, as_device, fresh_key
from dispatch_core._size import Size
from dispatch_core._subclass import as_instance
from dispatch_core._tensor import Tensor, check_tensor, detached, wrap
from dispatch_core.backend.registry import backend_of

Array = np.ndarray[Any, Any]
T = TypeVar("T", bound=Tensor)


def tensor(
    data: Any,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new tensor with a copy of `data`: numbers, nested sequences, arrays or tensors.

    Python floats give the default dtype, ints int64, bools bool. Raises ValueError for ragged
    sequences and TypeError (or RuntimeError) for what is no number, or does not fit `dtype`.
    """
    if isinstance(data, Tensor):
        warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
        )
    made = _from_data(data, dtype, device, copy=True)
    return made.requires_grad_() if requires_grad else made


def as_tensor(data: Any, dtype: dtype | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing memory (and history) where dtype and device allow it."""
    if isinstance(data, Tensor):
        return data.to(device=device or data.device, dtype=dtype or data.dtype)
    return _from_data(data, dtype, device, copy=False)


def from_numpy(array: Array) -> Tensor:
    """A cpu tensor that shares the memory of a numpy array.

    Raises TypeError for what is no array, or has a dtype that tensors do not have, and ValueError
    for negative strides (copy the array first).
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    if any(s < 0 for s in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can work around this by making a copy of "
            "your array with array.copy().)"
        )
    if any(s % array.itemsize for s in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy array to reallocate "
            "the memory."
        )
    raw = array if type(array) is np.ndarray else array.view(np.ndarray)
    return wrap(raw, fresh_key("cpu", from_numpy_dtype(array.dtype)))


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of an object with `__dlpack__` (or a capsule); `copy=True` copies it.

    Memory that the host cannot read is copied to the host; `device` moves the result. Raises BufferError
    where data cannot be taken over, or not without the copy that `copy=False` forbids.
    """
    target = None if device is None else as_device(device)
    if isinstance(ext_tensor, Tensor):
        if ext_tensor.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if not backend_of(ext_tensor.device.type).holds_values:
            raise UnsharedMemoryError(
                f"from_dlpack(): a tensor on device {ext_tensor.device} has no memory to share; make one "
                "like it with empty_like(x)"
            )
        made = ext_tensor.detach()
    else:
        made = _imported(ext_tensor, copy)
    if target is not None and target != made.device:
        if copy is False:
            raise BufferError(
                f"from_dlpack(): moving data from {made.device} to {target} needs a copy; leave out "
                "copy=False"
            )
        return made.to(target)
    return made.to(copy=True) if copy and isinstance(ext_tensor, Tensor) else made


def _imported(source: Any, copy: bool | None) -> Tensor:
    try:
        return from_numpy(_import_dlpack(source, copy=copy))
    except BufferError:
        where = getattr(source, "__dlpack_device__", lambda: CPU_DEVICE)()
        if copy is False or tuple(where) == CPU_DEVICE:
            raise
    return from_numpy(_import_dlpack(source, dl_device=CPU_DEVICE))


def _from_data(data: Any, wanted: dtype | None, device: Any, *, copy: bool) -> Tensor:
    place = as_device(device)
    if wanted is not None:
        wanted = as_dtype(wanted)
    if isinstance(data, Tensor):
        source = data.detach()
        return source.to(device=device or data.device, dtype=wanted or data.dtype, copy=copy)
    array = as_array(data, wanted)
    found = wanted or from_numpy_dtype(array.dtype)
    if array.dtype != found.numpy_dtype:
        array = array.astype(found.numpy_dtype)
        copy = False
    backend = backend_of(place.type)
    if place.type == "cpu":
        return from_numpy(array.copy() if copy or any(s < 0 for s in array.strides) else array)
    return wrap(backend.from_host(array, place.index), fresh_key(place.type, found))


def host_index(value: Any) -> Tensor:
    """A bool, a sequence or an array as an index, on the host: where a mask is true is known there."""
    made = as_tensor(value, device=HOST)
    return made if made.numel() else made.to(int64)


def tensor_like(like: Tensor, value: Any) -> Tensor:
    """A value as a tensor of the dtype and on the device of another."""
    device = like.device
    if hasattr(value, "__array__"):
        return as_tensor(value, device=device)
    if isinstance(value, (bool, int, float, complex)):
        value = fitting(value, like.dtype)
    return tensor(value, dtype=like.dtype, device=device)


def scalar_tensor(s: Any, *, dtype: dtype | None = None, device: Any = None) -> Tensor:
    """A 0-d tensor of a number."""
    return tensor(s, dtype=dtype or get_default_dtype(), device=device)


def _is_number(data: Any) -> bool:
    """Whether it is a whole number, and no array, which can be asked for one too."""
    return hasattr(data, "__index__") and not getattr(data, "ndim", 0)


def _construct(cls: type[Tensor], *args: Any, device: Any = None, dtype: Any = None) -> Tensor:
    """`Tensor(...)`: a copy of data, or an uninitialised tensor of the given sizes."""
    dtype = dtype or get_default_dtype()
    data = args[0] if len(args) == 1 else None
    if isinstance(data, Tensor):
        made = data.detach()
    elif data is None or isinstance(data, Size) or _is_number(data):
        sizes = data if isinstance(data, Size) else args or (0,)
        made = operator_named("empty").front(*sizes, dtype=dtype, device=device)
    elif isinstance(data, str) or not hasattr(data, "__iter__"):
        raise TypeError(f"new(): data must be a sequence (got {data.__class__.__name__})")
    else:
        made = tensor(data, dtype=dtype, device=device)
    return made if cls is Tensor else as_instance(made, cls)


_tensor.SLOTS.construct = _construct


def make_subclass(cls: type[T], data: Tensor, require_grad: bool = False) -> T:
    """A tensor of a subclass that shares the memory of `data`, without its history."""
    check_tensor(data, "data")
    made = as_instance(detached(data), cls)
    if require_grad:
        made.requires_grad_()
    return made


def _as_gradient(owner: Tensor, value: Any) -> Tensor:
    check_tensor(value, "assigned grad")
    if value is owner:
        raise RuntimeError("can't assign Variable as its own grad")
    if value.shape != owner.shape:
        raise RuntimeError(
            f"assigned grad has data of a different size: expected {list(owner.shape)}, "
            f"got {list(value.shape)}"
        )
    if value.dtype is not owner.dtype:
        raise RuntimeError(
            f"assigned grad has data of a different type: expected {owner.dtype}, got {value.dtype}"
        )
    if value.device.type != owner.device.type:
        raise RuntimeError(
            f"assigned grad has data located on a different device: expected {owner.device}, "
            f"got {value.device}"
        )
    return value


_tensor.SLOTS.as_gradient = _as_gradient
