"""What is plugged in: `installed`, `load`, `unload`, `register`, `refresh`."""

from __future__ import annotations

from dispatch_core._loader.discovery import Entry, Plugin
from dispatch_core._loader.lifecycle import installed, load, refresh, register, unload

__all__ = ["Entry", "Plugin", "installed", "load", "refresh", "register", "unload"]
