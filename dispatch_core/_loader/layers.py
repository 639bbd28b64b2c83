"""Layers of plugins, loaded when first switched on: `with dc.layer("flops") as count:`."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from dispatch_core._errors import LayerNotFoundError, PluginError
from dispatch_core._layer import LAYERS, Layer
from dispatch_core._loader import discovery
from dispatch_core._loader.discovery import INSTALLED, LOADING, Entry, Plugin, names
from dispatch_core._loader.modules import call_hook, quarantine
from dispatch_core._state import Switch


def find_layer(name: str) -> Layer:
    """The layer of that name, its plugin loaded.

    Raises LayerNotFoundError when nothing provides it, PluginError (or LayerOrderError) with the
    reason when what provides it cannot be used.
    """
    found = _installed(name)
    if found is not None:
        return found
    with LOADING:
        providers = INSTALLED.entries(discovery.LAYERS, name)
        if not providers:
            INSTALLED.refresh()
            providers = INSTALLED.entries(discovery.LAYERS, name)
        if not providers:
            known = {layer.name for layer in LAYERS.layers}
            known |= {entry.name for _, entry in INSTALLED.entries(discovery.LAYERS)}
            raise LayerNotFoundError(
                f"unknown layer '{name}': there are {names(known)}. A layer comes with a package "
                "that names it in the entry-point group 'dispatch_core.layers'"
            )
        usable = [(p, e) for p, e in providers if p.status(e) not in ("blocked", "unloaded")]
        if not usable:
            plugin, entry = providers[0]
            raise PluginError(f"layer '{name}': {plugin.reason(entry)}")
        if len(usable) > 1:
            owners = names(plugin.name for plugin, _ in usable)
            raise PluginError(
                f"layer '{name}' is provided by {owners}; uninstall all but one, or leave one out "
                f"with {discovery.BLOCK}={usable[-1][0].name}"
            )
        add_layers(*usable[0])
    found = _installed(name)
    if found is None:
        raise PluginError(f"layer '{name}' was taken out while it was loaded; try again")
    return found


LATE = {
    name: f"dispatch_core.{module}"
    for name, module in {
        "autocast": "layers.autocast",
        "explain": "layers.explain",
        "override": "layers.override",
        "override_body": "layers.override",
        "profiler": "profiler",
    }.items()
}
"""Layers of the framework itself that are imported at their first use."""


def _installed(name: str) -> Layer | None:
    if name in LATE:
        importlib.import_module(LATE[name])
    return next((layer for layer in LAYERS.layers if layer.name == name), None)


def add_layers(plugin: Plugin, entry: Entry) -> None:
    """Install the layers of an entry's module: all of them or, with an error, none."""
    provided = call_hook(plugin, entry, "dispatch_core_layers")
    try:
        install(plugin.name, provided)
        if not any(layer.name == entry.name for layer in provided):
            remove_layers(plugin.name)
            raise PluginError(
                f"its entry point promises layer '{entry.name}', but dispatch_core_layers returned "
                f"{names(layer.name for layer in provided)}"
            )
    except PluginError as error:
        raise quarantine(plugin, entry, error) from error
    for each in plugin.entries:
        if each.group == discovery.LAYERS and each.module == entry.module:
            plugin.active.add(each)


def install(provider: str, layers: Any) -> None:
    """Add layers, each marked with who provides it; all of them or, with an error, none."""
    for layer in layers:
        if not isinstance(layer, Layer):
            raise PluginError(
                f"its hook dispatch_core_layers gave {type(layer).__name__}, expected Layer objects"
            )
        layer.provider = provider
    LAYERS.add(*layers)


def remove_layers(provider: str) -> None:
    """Take the layers of a plugin out of the stack."""
    for layer in LAYERS.layers:
        if layer.provider == provider:
            LAYERS.remove(layer.name)


class layer:  # noqa: N801  used as a function: `with dc.layer("flops"):`
    """Context manager that switches a layer on for this thread or task.

    `with dc.layer("flops") as counter:` gives what the layer's `session(**options)` gives: usually
    an object with its findings. Layers nest; the order in which they act is the one they declare.

    Raises LayerNotFoundError for a name that nothing provides, PluginError for a plugin that fails.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self._layer = find_layer(name)
        self._options = options
        self._entered: list[tuple[AbstractContextManager[Any], Switch]] = []

    def __enter__(self) -> Any:
        session = self._layer.session(**self._options)
        value = session.__enter__()
        switch = Switch(self._layer.name, True)
        switch.__enter__()
        self._entered.append((session, switch))
        return value

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        session, switch = self._entered.pop()
        switch.__exit__(kind, error, traceback)
        return session.__exit__(kind, error, traceback)
