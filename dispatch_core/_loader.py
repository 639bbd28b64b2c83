"""Finds plugins by entry point and loads one when its device, layer or name is first used."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import pluggy

from dispatch_core import _state
from dispatch_core._dispatcher.operator import forget_all
from dispatch_core._errors import DeviceNotFoundError
from dispatch_core._hooks import PROJECT, HookSpecs
from dispatch_core.autograd._modes import forget_raw_modes
from dispatch_core.backend import registry
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import BACKENDS

manager = pluggy.PluginManager(PROJECT)
manager.add_hookspecs(HookSpecs)


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=PROJECT)}


def find(name: str) -> Backend:
    """Load the plugin of a device type."""
    entry = _entries().get(name)
    if entry is None:
        raise DeviceNotFoundError(
            f"unknown device '{name}': installed are {', '.join(sorted(_entries()))}; "
            f"try: pip install dispatch-{name}"
        )
    plugin = entry.load()
    manager.register(plugin, name)
    backend: Backend = plugin.dispatch_core_backend()
    add_backend(backend)
    return backend


def _changed(op: str) -> None:
    forget_raw_modes()
    forget_all()


def add_backend(backend: Backend) -> None:
    """Make a backend known under its device type."""
    backend.kernels.on_change(_changed)
    BACKENDS[backend.device] = backend
    backend.open_thread()


def _open_thread() -> None:
    for backend in list(BACKENDS.values()):
        backend.open_thread()


registry.SLOTS.find = find
_state.on_open(_open_thread)
