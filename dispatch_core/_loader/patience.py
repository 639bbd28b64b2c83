"""Imports that may take too long: where all plugins are listed, one that hangs must not hold up the rest.

Whoever names a plugin's device waits for it. Whoever lists what there is has each module imported by a
thread of its own, waits for a while and goes on; the plugin is then quarantined like one that fails.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

LIMIT = "DISPATCH_CORE_IMPORT_TIMEOUT"
"""Environment variable: how many seconds one plugin's import may take where plugins are listed."""
_SECONDS = 20.0


class _Import(threading.Thread):
    """The import of one module; a daemon, so that the process can end although it hangs."""

    def __init__(self, name: str) -> None:
        super().__init__(name=f"import of {name}", daemon=True)
        self.module = name
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            importlib.import_module(self.module)
        except BaseException as error:  # noqa: BLE001  whoever asks for the module gets it
            self.error = error


_UNDER_WAY: dict[str, _Import] = {}


def begin(name: str) -> None:
    """Have a module imported by a thread, so that `imported` waits no longer than the limit."""
    if name not in sys.modules and name not in _UNDER_WAY:
        _UNDER_WAY[name] = thread = _Import(name)
        thread.start()


def imported(name: str) -> Any:
    """A module; TimeoutError where its import began elsewhere and does not end in time."""
    thread = _UNDER_WAY.get(name)
    if thread is None:
        return importlib.import_module(name)
    seconds = limit()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"importing it did not end within {seconds:g} s")
    del _UNDER_WAY[name]
    if thread.error is not None:
        raise thread.error
    return importlib.import_module(name)


def limit() -> float:
    """The seconds that one import may take; what the environment says where that is a number."""
    try:
        return max(float(os.environ.get(LIMIT, _SECONDS)), 0.0)
    except ValueError:
        return _SECONDS
