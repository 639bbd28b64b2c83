"""Window functions under the names of torch.signal.windows."""

from __future__ import annotations

from typing import Any

from dispatch_core import ops as _ops  # noqa: F401  declares the operators
from dispatch_core._namespaces import names_of as _names_of

_NAMES = _names_of("signal.windows")


def __getattr__(name: str) -> Any:
    found = _NAMES.get(name)
    if found is None:
        raise AttributeError(f"module 'dispatch_core.signal.windows' has no attribute '{name}'")
    return found


def __dir__() -> list[str]:
    return sorted(_NAMES)


globals().update(_NAMES)
