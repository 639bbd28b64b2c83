"""A tensor in another dtype, on another device, as another class."""

from __future__ import annotations

import mmap
from typing import Any, NamedTuple

import numpy as np

from dispatch_core._device import device as Device
from dispatch_core._dtypes import (
    PYTHON_TYPES,
    as_dtype,
    dtype,
)
from dispatch_core._layouts import preserve_format
from dispatch_core._methods._table import method
from dispatch_core._op import K
from dispatch_core._subclass import as_instance, subclass_hooks
from dispatch_core._tensor import Tensor, check_tensor
from dispatch_core._typed import TensorType, type_name, type_named
from dispatch_core.ops.create import converted


@method
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The tensor on a device and in a dtype; itself where nothing changes and `copy` is not asked.

    Accepts to(dtype), to(device, dtype), to(other), with non_blocking, copy and memory_format.
    """
    asked = parse_to(*args, **kwargs)
    found = self
    if asked.device is not None and asked.device != found.device:
        found = K.to_device(found, asked.device, asked.non_blocking)
    if asked.dtype is not None and asked.dtype is not found.dtype:
        found = converted(found, asked.dtype)
    if asked.memory_format is not None and asked.memory_format is not preserve_format:
        found = K.contiguous(found, memory_format=asked.memory_format)
    return K.clone(self) if found is self and asked.copy else found


class Conversion(NamedTuple):
    """What the arguments of `to` ask for; None keeps device, dtype or memory format."""

    device: Device | None
    dtype: dtype | None
    non_blocking: bool
    copy: bool
    memory_format: Any


def parse_to(*args: Any, **kwargs: Any) -> Conversion:
    """The arguments of `Tensor.to` and `Module.to`: [device][, dtype] or a tensor, then two flags.

    Raises TypeError for arguments that are none of these.
    """
    options = dict(kwargs)
    found: dict[str, Any] = {
        name: options.pop(name, None) for name in ("device", "dtype", "memory_format")
    }
    flags = {name: options.pop(name, False) for name in ("non_blocking", "copy")}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise TypeError(f"to(): argument '{name}' must be bool, not {value.__class__.__name__}")
    rest = list(args)
    if "other" in options:
        rest.insert(0, options.pop("other"))
    if options:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(options))}'")
    names = list(flags)
    for value in rest:
        if isinstance(value, Tensor):
            found["device"], found["dtype"] = value.device, value.dtype
        elif isinstance(value, dtype) or any(value is each for each in PYTHON_TYPES):
            found["dtype"] = value
        elif isinstance(value, (str, Device)):
            found["device"] = value
        elif isinstance(value, bool) and names:
            flags[names.pop(0)] = value
        elif value is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({value.__class__.__name__}), but expected a device, a dtype or a tensor"
            )
    if isinstance(found["device"], str):
        found["device"] = Device(found["device"])
    if found["dtype"] is not None:
        found["dtype"] = as_dtype(found["dtype"])
    return Conversion(**(found | flags))


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor in host memory, there laid out as a memory format says."""
    return self.to("cpu", memory_format=memory_format)


@method
def cuda(
    self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None
) -> Tensor:
    """The tensor on a CUDA device: the current one, or one given by number or name.

    RuntimeError for a device of another type, and where there is none.
    """
    numbered = isinstance(device, int) and not isinstance(device, bool)
    target = Device("cuda", device) if numbered else Device("cuda" if device is None else device)
    if target.type != "cuda":
        raise RuntimeError(f"Invalid device, must be cuda device, got '{target}'; use .to(device)")
    return self.to(target, non_blocking=non_blocking, memory_format=memory_format)


@method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: there is no device here that reads pinned memory faster."""
    return self


@method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the tensor is in memory that a device reads faster: never."""
    return False


@method
def share_memory_(self: Tensor) -> Tensor:
    """Move the tensor's elements to memory that processes forked from this one share; returns it.

    Views that were made before keep the old memory. On devices but the cpu nothing is done.
    """
    if self.device.type == "cpu" and not self.is_shared():
        raw = self._raw
        shared = np.ndarray(raw.shape, raw.dtype, mmap.mmap(-1, max(raw.nbytes, 1)))
        shared[...] = raw
        self._raw = shared
    return self


@method
def is_shared(self: Tensor) -> bool:
    """Whether the tensor is in memory that forked processes share (so on devices but the cpu)."""
    storage = self._backend.storage_of(self._raw)
    return self.device.type != "cpu" or isinstance(getattr(storage, "base", None), mmap.mmap)


@method
def type(self: Tensor, dtype: Any = None) -> Any:
    """The tensor in another dtype, or without argument the name of its type."""
    if dtype is None:
        return type_name(self)
    return self.to(type_named(dtype) if isinstance(dtype, (str, TensorType)) else dtype)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    check_tensor(other, "type_as(): argument 'other' (position 1)")
    return self.to(other.dtype)


@method
def as_subclass(self: Tensor, cls: Any) -> Any:
    """The same tensor as an instance of a subclass of Tensor."""
    if Tensor not in getattr(cls, "__mro__", ()):
        raise TypeError(f"as_subclass(): argument 'cls' must be a subclass of Tensor, not {cls!r}")
    with subclass_hooks(False):
        return as_instance(K.alias(self), cls)
