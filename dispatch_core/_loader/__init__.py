"""Plugin loading: a lazy, isolated loader around pluggy, which would import everything at once.

discovery.py    entry points as records, scanned at the first need; blocking by environment variable
modules.py      importing one plugin's module, checking its API version, calling its hooks
lifecycle.py    load, unload, register; what a plugin brought and how it goes again
devices.py      the backend of a device at its first use; kernel providers; `dc.devices()`
layers.py       a layer at its first use; `dc.layer(name)`
operators.py    namespaces of operators at their first use: `dc.ops.example`
domains.py      what domain libraries offer, by kind and name: `dc.plugins.domain("text")`
"""

from __future__ import annotations

from typing import Any

from dispatch_core import _op, _place, _state
from dispatch_core._device import device as Device
from dispatch_core.backend import registry
from dispatch_core.backend.api import Backend


def find(device: str) -> Backend:
    """The backend of a device that is not in use yet; see `devices.find`."""
    from dispatch_core._loader import devices  # noqa: PLC0415  imported with the first plugin

    return devices.find(device)


def accelerator() -> Device | None:
    """The device beside the host that is meant where none is named; see `devices.accelerator`."""
    from dispatch_core._loader import devices  # noqa: PLC0415  imported with the first plugin

    return devices.accelerator()


def namespace(name: str) -> Any:
    """A namespace of operators that a plugin declares; see `operators.namespace`."""
    from dispatch_core._loader import operators  # noqa: PLC0415  imported with the first plugin

    return operators.namespace(name)


def load_operators() -> None:
    """Import all operators that plugins declare; see `operators.load_all`."""
    from dispatch_core._loader import operators  # noqa: PLC0415  imported with the first plugin

    operators.load_all()


def open_thread() -> None:
    """Let every backend do what its library needs in a new thread or context."""
    for backend in list(registry.BACKENDS.values()):
        backend.open_thread()


registry.SLOTS.find = find
_place.SLOTS.accelerator = accelerator
_op.SLOTS.namespace = namespace
_op.SLOTS.load_all = load_operators
_state.on_open(open_thread)
