"""`Place`: device and dtype of a tensor that is about to be made; what selects a factory's kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._device import device_named, entered_device
from dispatch_core._dtypes import as_dtype
from dispatch_core._dtypes import dtype as DType
from dispatch_core._errors import DeviceUnavailableError
from dispatch_core._keys import INFERENCE, key_number
from dispatch_core._state import is_on
from dispatch_core._tensor import Tensor, wrap
from dispatch_core.backend import streams
from dispatch_core.backend.registry import backend_of

HOST = Device("cpu")


_MADE_IN_INFERENCE = frozenset({INFERENCE})


def fresh_key(device: str, dtype: DType) -> int:
    """The key of a tensor that is made now, of whatever it is made."""
    return (
        key_number(device, dtype, _MADE_IN_INFERENCE)
        if is_on(INFERENCE)
        else key_number(device, dtype)
    )


class Place:
    """Where, and of what dtype, a factory makes its tensor."""

    __slots__ = ("device", "dtype", "key")

    def __init__(self, device: Device, dtype: DType) -> None:
        self.device = device
        self.dtype = dtype
        self.key = key_number(device.type, dtype)

    @property
    def index(self) -> int | None:
        """The number of the device."""
        return self.device.index

    def __repr__(self) -> str:
        return f"Place({self.device}, {self.dtype})"


class _Default:
    device = HOST


DEFAULT = _Default()


def default_device() -> Device:
    """Where factories make a tensor when no device is named."""
    found = entered_device() or DEFAULT.device
    return found if found is HOST else as_device(found)


def as_device(device: Any) -> Device:
    """A device argument (None, a string, an index-less or full device) as a usable device.

    Of a type whose devices have numbers the current one is taken where none is named.

    Raises DeviceNotFoundError or DeviceUnavailableError for one that cannot be used here.
    """
    if device is None:
        return default_device()
    found = device if isinstance(device, Device) else Device(device)
    backend = backend_of(found.type)
    count = backend.count()
    if not count:
        raise DeviceUnavailableError(
            f"device '{found}' cannot be used here: {backend.why_unavailable()}"
        )
    if found.index is not None and found.index >= count:
        raise RuntimeError(
            f"device '{found}' does not exist: there are {count} device(s) of type '{found.type}'; "
            f"use an index below {count}"
        )
    if found.index is None and backend.numbered:
        return device_named(found.type, streams.current_index(found.type))
    return found


def _stream_place(device: Any) -> Device:
    """The device of a stream or event: None and numbers are the accelerator's, where there is none the host."""
    if device is None or (isinstance(device, int) and not isinstance(device, bool)):
        return as_device(Device((SLOTS.accelerator() or HOST).type, device))
    return as_device(device)


class _Slots:
    accelerator: Callable[[], Device | None] = staticmethod(lambda: None)
    """The device beside the host that is meant where none is named."""


SLOTS = _Slots()
streams.SLOTS.place = _stream_place
streams.SLOTS.backend = backend_of


def place(device: Any, dtype: DType) -> Place:
    """The place for a device argument and a dtype."""
    return Place(as_device(device), as_dtype(dtype))


def moved(tensor: Tensor, target: Device, non_blocking: bool = False) -> Tensor:
    """A copy of a tensor, without history, on another device; through the host but within one type."""
    here, there = tensor._backend, backend_of(target.type)
    if here is there:
        raw = there.to_index(tensor._raw, target.index)
    else:
        send = there.from_host_async if non_blocking else there.from_host
        raw = send(here.to_host(tensor._raw), target.index)
    return wrap(raw, key_number(target.type, tensor.dtype))
