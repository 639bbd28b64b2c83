"""The devices `example` and `minimal`."""

from __future__ import annotations

from dispatch_core.extend import Backend, hookimpl
from dispatch_example.backend import ExampleBackend, MinimalBackend

DISPATCH_CORE_API = 1


@hookimpl
def dispatch_core_backend(device: str) -> Backend:
    """The backend of the device that the entry point is named after."""
    return ExampleBackend() if device == "example" else MinimalBackend()
