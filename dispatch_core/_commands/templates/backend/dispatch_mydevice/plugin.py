"""What the entry point names: the device `mydevice`."""

from __future__ import annotations

from dispatch_core.extend import Backend, hookimpl
from dispatch_mydevice.backend import MydeviceBackend

DISPATCH_CORE_API = 1


@hookimpl
def dispatch_core_backend(device: str) -> Backend:
    """The backend; asked for when the device is first named."""
    return MydeviceBackend()
