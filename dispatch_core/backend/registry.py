"""The backends that are in use, by device type; an unknown name is looked for through `_loader`'s slot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


PROXIES: dict[str, Callable[[Backend], Any]] = {}
"""What tensors with a flag in their key (batched ones, say) see instead of their device's backend."""


def proxied(name: str, flags: frozenset[str]) -> Any:
    """The backend of a device type as tensors with these flags see it."""
    backend: Any = backend_of(name)
    for flag in sorted(flags & PROXIES.keys()):
        backend = PROXIES[flag](backend)
    return backend
