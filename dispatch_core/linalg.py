"""Linear algebra: the operators declared in namespace `linalg`."""

from __future__ import annotations

from typing import Any

from dispatch_core._namespaces import names_of

_NAMES = names_of("linalg")


def __getattr__(name: str) -> Any:
    try:
        return _NAMES[name]
    except KeyError:
        raise AttributeError(f"module 'dispatch_core.linalg' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return sorted(_NAMES)
