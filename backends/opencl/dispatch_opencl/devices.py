"""The devices of this process, looked for when the first of them is needed."""

from __future__ import annotations

from threading import RLock

from dispatch_opencl.device import Device
from dispatch_opencl.platforms import find_devices


class _Found:
    devices: tuple[Device, ...] | None = None
    why = ""
    lock = RLock()


def devices() -> tuple[Device, ...]:
    """All that work, best first."""
    if _Found.devices is None:
        with _Found.lock:
            if _Found.devices is None:
                found, _Found.why = find_devices()
                _Found.devices = tuple(found)
    return _Found.devices


def device_at(index: int | None) -> Device:
    """The device of a number; the first where none is given."""
    return devices()[index or 0]


def why_none() -> str:
    """What is wrong where no device works."""
    devices()
    return _Found.why
