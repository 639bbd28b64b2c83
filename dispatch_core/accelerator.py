"""The devices beside the host, whichever they are: what a program asks that does not name one.

The accelerator is the first usable type of `cuda`, `xpu`, `mps`, `opencl` and then, by name, of what else
is installed and is not the host.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._device_module import DeviceModule
from dispatch_core._loader.devices import devices

__all__ = [
    "current_accelerator",
    "current_device_index",
    "device_count",
    "is_available",
    "synchronize",
]

_FIRST = ("cuda", "xpu", "mps", "opencl")
_HOSTS = ("cpu", "meta")


def _type() -> str | None:
    found = [info.type for info in devices() if info.available and info.type not in _HOSTS]
    found.sort(key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return found[0] if found else None


def current_accelerator(check_available: bool = False) -> Device | None:
    """The device type of the accelerator; None where there is none that can be used."""
    name = _type()
    return None if name is None else Device(name)


def is_available() -> bool:
    """Whether there is an accelerator that can be used."""
    return _type() is not None


def device_count() -> int:
    """How many devices of the accelerator's type can be used."""
    name = _type()
    return 0 if name is None else DeviceModule(name).device_count()


def current_device_index() -> Any:
    """The number of the current device of the accelerator's type; RuntimeError without one."""
    return _module().current_device()


def synchronize(device: Any = None) -> None:
    """Wait until all work given to a device of the accelerator's type is done."""
    _module().synchronize(device)


def _module() -> DeviceModule:
    name = _type()
    if name is None:
        raise RuntimeError("there is no accelerator: no device beside the host can be used here")
    return DeviceModule(name)
