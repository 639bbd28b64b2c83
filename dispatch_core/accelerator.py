"""The devices beside the host, whichever they are: what a program asks that does not name one.

The accelerator is the first usable type of `cuda`, `xpu`, `mps`, `opencl` and then, by name, of what else
is installed and neither the host nor a stand-in for a device (`Backend.accelerator`). Every function
but the first three raises RuntimeError where there is none.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._device_module import Current, DeviceModule
from dispatch_core._loader.devices import accelerator
from dispatch_core.backend.streams import Stream, choose_stream

__all__ = [
    "current_accelerator",
    "current_device_idx",
    "current_device_index",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "empty_host_cache",
    "get_memory_info",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "set_device_idx",
    "set_device_index",
    "set_stream",
    "synchronize",
]


def current_accelerator(check_available: bool = False) -> Device | None:
    """The device type of the accelerator; None where there is none that can be used."""
    return accelerator()


def is_available() -> bool:
    """Whether there is an accelerator that can be used."""
    return accelerator() is not None


def device_count() -> int:
    """How many devices of the accelerator's type can be used."""
    found = accelerator()
    return 0 if found is None else DeviceModule(found.type).device_count()


def _module() -> DeviceModule:
    found = accelerator()
    if found is None:
        raise RuntimeError(
            "Cannot access accelerator device when none is available: no device beside the host can be "
            "used here; dc.devices() says why"
        )
    return DeviceModule(found.type)


# -- which one ---------------------------------------------------------------------------------------


def current_device_index() -> Any:
    """The number of the current device of the accelerator's type; the type where it has no numbers."""
    return _module().current_device()


def set_device_index(device: Any, /) -> None:
    """Make a device the current one of the accelerator's type, for this thread or task."""
    _module().set_device(device)


def device_index(device: int | None, /) -> Current:
    """Context manager within which a device is the current one; None changes nothing."""
    return _module().device(device)


current_device_idx = current_device_index
set_device_idx = set_device_index


# -- work --------------------------------------------------------------------------------------------


def current_stream(device: Any = None, /) -> Stream:
    """The stream that work of this thread or task on a device goes to."""
    return _module().current_stream(device)


def set_stream(stream: Stream) -> None:
    """Make a stream the current one of its device, and that device the current one of its type."""
    module = _module()
    module.set_device(stream.device)
    choose_stream(stream)


def synchronize(device: Any = None, /) -> None:
    """Wait until all work given to a device of the accelerator's type is done."""
    _module().synchronize(device)


# -- memory ------------------------------------------------------------------------------------------


def empty_cache() -> None:
    """Give cached memory back to the device."""
    _module().empty_cache()


def empty_host_cache() -> None:
    """Give cached memory of the host back to the system."""
    _module()
    DeviceModule("cpu").empty_cache()


def memory_allocated(device_index: Any = None, /) -> int:
    """The bytes that tensors hold on a device."""
    return _module().memory_allocated(device_index)


def max_memory_allocated(device_index: Any = None, /) -> int:
    """The most bytes that were held since the start, or `reset_peak_memory_stats`."""
    return _module().max_memory_allocated(device_index)


def memory_reserved(device_index: Any = None, /) -> int:
    """The bytes taken from a device, cached ones included."""
    return _module().memory_reserved(device_index)


def max_memory_reserved(device_index: Any = None, /) -> int:
    """The most bytes that were taken since the start, or `reset_peak_memory_stats`."""
    return _module().max_memory_reserved(device_index)


def memory_stats(device_index: Any = None, /) -> dict[str, int]:
    """The same numbers under PyTorch's names."""
    return _module().memory_stats(device_index)


def get_memory_info(device_index: Any = None, /) -> tuple[int, int]:
    """The bytes that are free, and all there are."""
    return _module().mem_get_info(device_index)


def reset_peak_memory_stats(device_index: Any = None, /) -> None:
    """Count the largest use from now on."""
    _module().reset_peak_memory_stats(device_index)
