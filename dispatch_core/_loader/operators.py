"""Operators of plugins by namespace, imported at first use: `dc.ops.example.smoothstep`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from dispatch_core._errors import PluginError
from dispatch_core._loader import discovery
from dispatch_core._loader.discovery import INSTALLED, LOADING, names
from dispatch_core._loader.modules import import_in_time, import_module
from dispatch_core._namespaces import names_of
from dispatch_core._op import operators_in


class Namespace:
    """The operators that a plugin declared with `namespace="<name>"`, as attributes.

    Aliases and in-place variants (`name_`) are attributes too.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, operator: str) -> Callable[..., Any]:
        found = names_of(self._name).get(operator)
        if found is None:
            raise AttributeError(
                f"namespace '{self._name}' has no operator '{operator}'; it has {names(self._own())}"
            )
        return found

    def _own(self) -> list[str]:
        """The operators without their aliases and in-place variants."""
        return sorted(d.op.name for d in operators_in(self._name))

    def __dir__(self) -> list[str]:
        return sorted(names_of(self._name))

    def __repr__(self) -> str:
        return f"<operators '{self._name}': {', '.join(self._own())}>"


def namespace(name: str) -> Namespace | None:
    """A namespace of operators, its plugin imported; None when nothing provides it.

    Raises PluginError with the reason when the plugin that provides it cannot be used.
    """
    with LOADING:
        for plugin, entry in INSTALLED.entries(discovery.OPERATORS, name):
            if plugin.blocked or plugin.unloaded or discovery.is_blocked(entry):
                raise PluginError(f"operators '{name}': {plugin.reason(entry)}")
            import_module(plugin, entry)
            plugin.active.add(entry)
        if any(True for _ in operators_in(name)):
            return Namespace(name)
    return None


def load_all() -> None:
    """Import every namespace of operators that can be imported."""
    for plugin, entry in INSTALLED.entries(discovery.OPERATORS):
        import_in_time(plugin, entry)
    for name in sorted({entry.name for _, entry in INSTALLED.entries(discovery.OPERATORS)}):
        with contextlib.suppress(PluginError):
            namespace(name)
