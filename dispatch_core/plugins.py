"""What is plugged in: `installed`, `domains`, `load`, `unload`, `register`, `refresh`."""

from __future__ import annotations

from dispatch_core._domain import Domain
from dispatch_core._loader.discovery import Entry, Plugin
from dispatch_core._loader.domains import domain, domains
from dispatch_core._loader.lifecycle import installed, load, refresh, register, unload

__all__ = [
    "Domain",
    "Entry",
    "Plugin",
    "domain",
    "domains",
    "installed",
    "load",
    "refresh",
    "register",
    "unload",
]
