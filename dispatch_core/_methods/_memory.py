"""The memory of a tensor as PyTorch's older interfaces show it, and the older way to make one like it."""

from __future__ import annotations

from typing import Any

from dispatch_core._methods._table import method
from dispatch_core._storage import TypedStorage, UntypedStorage
from dispatch_core._tensor import SLOTS, Tensor
from dispatch_core.backend.streams import Stream


@method
def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that the tensor shows a part of, as bytes."""
    return UntypedStorage.of(self)


@method
def storage(self: Tensor) -> TypedStorage:
    """The memory that the tensor shows a part of, as elements of its dtype."""
    return TypedStorage.of(self)


@method
def storage_type(self: Tensor) -> Any:
    """The class of `storage()`."""
    return TypedStorage


@method
def record_stream(self: Tensor, stream: Stream) -> None:
    """Say that a stream uses the tensor: once free, its memory waits for the stream's present work.

    Needed where the tensor was made in another stream and is dropped without waiting. Devices whose
    memory is free when nobody holds it, and not before, have nothing to do. RuntimeError for what is
    no stream, or one of another device.
    """
    if not isinstance(stream, Stream):
        raise RuntimeError(
            f"record_stream(): argument 'stream' must be dc.Stream, not {stream.__class__.__name__}"
        )
    if stream.device != self.device:
        raise RuntimeError(
            f"record_stream(): the tensor is on {self.device}, the stream of {stream.device}"
        )
    self._backend.record_stream(self._raw, stream)


@method
def new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of this one's dtype and device: of given sizes (uninitialised), with data, or empty.

    The older form of `new_empty` and `new_tensor`. TypeError for a tensor of another dtype.
    """
    if len(args) == 1 and isinstance(args[0], Tensor) and args[0].dtype is not self.dtype:
        raise TypeError(
            f"new(): expected a tensor of {self.dtype}, got one of {args[0].dtype}; use x.to(dtype)"
        )
    where = self.device if device is None else device
    return SLOTS.construct(Tensor, *args, dtype=self.dtype, device=where)
