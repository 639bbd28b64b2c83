"""The backends that are in use, by device type; an unknown name is looked for through `_loader`'s slot."""

from __future__ import annotations

from collections.abc import Callable

from dispatch_core._errors import DeviceNotFoundError
from dispatch_core.backend.api import Backend

BACKENDS: dict[str, Backend] = {}


def _no_loader(name: str) -> Backend:
    raise DeviceNotFoundError(f"device '{name}' is not registered and no plugin loader is active")


class _Slots:
    find: Callable[[str], Backend] = staticmethod(_no_loader)


SLOTS = _Slots()


def backend_of(name: str) -> Backend:
    """The backend of a device type; loads its plugin at first use."""
    backend = BACKENDS.get(name)
    return SLOTS.find(name) if backend is None else backend
