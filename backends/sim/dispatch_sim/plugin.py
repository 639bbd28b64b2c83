"""The device `sim`."""

from __future__ import annotations

from dispatch_core.extend import Backend, hookimpl
from dispatch_sim.backend import SimBackend

DISPATCH_CORE_API = 1


@hookimpl
def dispatch_core_backend(device: str) -> Backend:
    """The backend of all simulated devices."""
    return SimBackend()
