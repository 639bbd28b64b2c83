"""Loading, unloading, registering plugins by name; `dispatch_core.plugins` is public."""

from __future__ import annotations

from typing import Any

from dispatch_core._caller import warn
from dispatch_core._dispatcher.operator import forget_all
from dispatch_core._errors import DeviceUnavailableError, PluginError, PluginWarning
from dispatch_core._loader import discovery
from dispatch_core._loader.devices import (
    add_backend,
    add_kernels,
    find,
    offer_kernels_of_object,
    remove_backends,
)
from dispatch_core._loader.discovery import CORE, INSTALLED, LOADING, Entry, Plugin, normal
from dispatch_core._loader.domains import domain_from
from dispatch_core._loader.layers import add_layers, install, remove_layers
from dispatch_core._loader.modules import HOST, check_api, import_module
from dispatch_core._op import OPERATORS, restore, withdraw
from dispatch_core.autograd._modes import forget_raw_modes
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import BACKENDS


def installed() -> tuple[Plugin, ...]:
    """The plugins of this environment, by distribution; imports none of them."""
    return tuple(plugin for _, plugin in sorted(INSTALLED.plugins.items()))


def refresh() -> None:
    """Look again at what is installed, after a `pip install` while this process runs."""
    INSTALLED.refresh()


def load(name: str) -> Plugin:
    """Load all that a plugin provides, at once rather than at first use; also an unloaded one.

    `name` is that of a distribution, an entry point (a device, a layer ...) or a module. A
    quarantined plugin gets another try. Raises PluginError (DeviceUnavailableError for a device)
    with the reason.
    """
    with LOADING:
        plugin = INSTALLED.named(name)
        plugin.unloaded = False
        plugin.failures.clear()
        for declared in plugin.parked:
            restore(declared)
        plugin.parked.clear()
        for module_name, module in plugin.modules.items():
            if not HOST.manager.is_registered(module):
                HOST.add(module, module_name)
        if not plugin.entries:
            _activate_object(plugin)
        for entry in plugin.entries:
            if entry not in plugin.active:
                _activate(plugin, entry)
        return plugin


def _activate(plugin: Plugin, entry: Entry) -> None:
    if plugin.blocked or discovery.is_blocked(entry):
        raise PluginError(f"{entry.what}: {plugin.reason(entry)}")
    if entry in plugin.refused:
        raise DeviceUnavailableError(plugin.refused[entry])
    if entry.group == discovery.DEVICES:
        find(entry.name)
    elif entry.group == discovery.LAYERS:
        add_layers(plugin, entry)
    elif entry.group == discovery.OPERATORS:
        import_module(plugin, entry)
        plugin.active.add(entry)
    elif entry.group == discovery.DOMAINS:
        domain_from(plugin, entry)
    else:
        backend = BACKENDS.get(entry.name.rpartition(".")[0])
        if backend is not None:
            add_kernels(plugin, entry, backend)


def unload(name: str) -> Plugin:
    """Take out all that a plugin brought: backends, kernels, layers, operators.

    Chains are forgotten, so the next calls run without it. Tensors of its devices keep their data
    and raise DeviceUnavailableError when used, until `load` brings the plugin back.

    Raises PluginError for an unknown name and for the framework's own plugins.
    """
    with LOADING:
        plugin = INSTALLED.named(name)
        if normal(plugin.name) == CORE:
            raise PluginError(f"'{name}' belongs to the framework itself and cannot be unloaded")
        for module in plugin.modules.values():
            _let_go(plugin, module)
        for backend in list(BACKENDS.values()):
            backend.kernels.remove_provider(plugin.name)
        plugin.devices |= remove_backends(plugin.name)
        remove_layers(plugin.name)
        plugin.parked += [withdraw(n) for n in operators_of(plugin)]
        plugin.active.clear()
        plugin.unloaded = True
        forget_raw_modes()
        forget_all()
        return plugin


def _let_go(plugin: Plugin, module: Any) -> None:
    try:
        if HOST.implements(module, "dispatch_core_unload"):
            HOST.call(module, "dispatch_core_unload")
    except Exception as error:  # noqa: BLE001  it goes whether or not it can clean up
        warn(
            f"plugin '{plugin.name}' failed in its hook dispatch_core_unload "
            f"({type(error).__name__}: {error}); it is unloaded all the same",
            PluginWarning,
        )
    HOST.remove(module)


def operators_of(plugin: Plugin) -> list[str]:
    """The operators that were declared in a plugin's packages."""
    packages = {entry.module.partition(".")[0] for entry in plugin.entries}
    packages |= {_module_name(found).partition(".")[0] for found in plugin.modules.values()}
    packages.discard("dispatch_core")
    return [
        name
        for name, d in OPERATORS.items()
        if (d.front.__module__ or "").partition(".")[0] in packages
    ]


def _module_name(plugin: Any) -> str:
    found: str = getattr(plugin, "__name__", None) or type(plugin).__module__
    return found


def register(plugin: Any, name: str) -> Plugin:
    """Add a module or object with hooks as a plugin of this process only, under `name`.

    Its backend and layers are installed at once; its kernels hook is asked for every device that is
    in use or comes into use. Meant for notebooks and tests. Raises PluginError when the name is
    taken, the API version does not fit, or a hook fails; nothing of it stays then.
    """
    with LOADING:
        known = INSTALLED.plugins.get(name)
        if known is not None and (known.entries or not known.unloaded):
            raise PluginError(
                f"a plugin '{name}' exists already; unload it first, or choose another name"
            )
        check_api(plugin, name)
        HOST.add(plugin, name)
        added = INSTALLED.plugins[name] = Plugin(name, "", modules={name: plugin})
        try:
            _activate_object(added)
        except Exception:
            unload(name)
            del INSTALLED.plugins[name]
            raise
        return added


def _activate_object(plugin: Plugin) -> None:
    for found in plugin.modules.values():
        if HOST.implements(found, "dispatch_core_layers"):
            install(plugin.name, HOST.call(found, "dispatch_core_layers"))
        if HOST.implements(found, "dispatch_core_backend"):
            backend = HOST.call(found, "dispatch_core_backend", device=plugin.name)
            _add_own_backend(backend, plugin)
        for backend in list(BACKENDS.values()):
            offer_kernels_of_object(plugin, backend)


def _add_own_backend(backend: Backend, plugin: Plugin) -> None:
    known = BACKENDS.get(backend.device)
    if known is not None:
        raise PluginError(
            f"'{plugin.name}' brings device '{backend.device}', which '{known.provider}' already "
            f"provides"
        )
    add_backend(backend, plugin.name)
