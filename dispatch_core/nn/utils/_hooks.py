"""Hooks before calls that make a parameter out of others: pruning, and the older norms."""

from __future__ import annotations

from typing import Any


def hook_of(
    module: Any, kind: type[Any], name: str, attribute: str = "name"
) -> tuple[Any, Any] | None:
    """The key and the hook, of a kind, that makes the parameter `name`, which it has as an attribute."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and getattr(hook, attribute) == name:
            return key, hook
    return None
