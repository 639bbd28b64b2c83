"""What the meta backend registers."""

from __future__ import annotations

from dispatch_core.extend import API_VERSION, Backend, hookimpl
from dispatch_meta.backend import MetaBackend

DISPATCH_CORE_API = API_VERSION


@hookimpl
def dispatch_core_backend() -> Backend:
    """The backend of device `meta`."""
    return MetaBackend()
