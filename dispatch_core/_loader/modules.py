"""Importing one plugin's module in isolation, checking its API version, and calling its hooks."""

from __future__ import annotations

import contextlib
from typing import Any

from dispatch_core._errors import DeviceUnavailableError, DispatchCoreError, PluginError
from dispatch_core._loader import patience
from dispatch_core._loader.discovery import BLOCK, LOADING, Entry, Plugin, is_blocked

API = "DISPATCH_CORE_API"


class Host:
    """pluggy's manager, made when the first plugin is loaded."""

    def __init__(self) -> None:
        self._manager: Any = None

    @property
    def manager(self) -> Any:
        """The plugin manager with our hook specifications."""
        if self._manager is None:
            import pluggy  # noqa: PLC0415  a tenth of the time that importing the framework takes

            from dispatch_core._hooks import PROJECT, HookSpecs  # noqa: PLC0415  as above

            self._manager = pluggy.PluginManager(PROJECT)
            self._manager.add_hookspecs(HookSpecs)
        return self._manager

    def add(self, plugin: Any, name: str) -> None:
        """Register a module or object; PluginError when its hooks do not fit the specification."""
        try:
            self.manager.register(plugin, name)
            self.manager.check_pending()
        except Exception as error:  # whatever the plugin's hooks provoke is the plugin's fault
            self.remove(plugin)
            raise PluginError(f"its hooks do not fit the specification: {error}") from error

    def remove(self, plugin: Any) -> None:
        """Take a module or object out."""
        if self.manager.is_registered(plugin):
            self.manager.unregister(plugin)

    def implements(self, plugin: Any, hook: str) -> bool:
        """Whether a registered plugin implements a hook."""
        return any(i.plugin is plugin for i in getattr(self.manager.hook, hook).get_hookimpls())

    def call(self, plugin: Any, hook: str, **arguments: Any) -> Any:
        """Call the hook of one plugin, with those of the arguments that it declares."""
        for impl in getattr(self.manager.hook, hook).get_hookimpls():
            if impl.plugin is plugin:
                return impl.function(*[arguments[name] for name in impl.argnames])
        raise PluginError(
            f"it implements no hook {hook}; define it and mark it with "
            f"@dispatch_core.extend.hookimpl"
        )


HOST = Host()


def import_module(plugin: Plugin, entry: Entry) -> Any:
    """The module of an entry; PluginError with the reason, remembered, when it cannot be used."""
    with LOADING:
        name = entry.module
        if name in plugin.failures:
            raise PluginError(plugin.failures[name])
        if name not in plugin.modules:
            try:
                module = patience.imported(name)
                check_api(module, plugin.name)
                HOST.add(module, name)
            except (Exception, SystemExit) as error:  # a plugin may fail in any way
                raise quarantine(plugin, entry, error) from error
            plugin.modules[name] = module
        return plugin.modules[name]


def import_in_time(plugin: Plugin, entry: Entry) -> None:
    """Have a module that nobody named imported, but not wait for ever; what goes wrong is remembered."""
    usable = not (plugin.blocked or plugin.unloaded or is_blocked(entry))
    if usable and entry.module not in plugin.failures and entry.module not in plugin.modules:
        patience.begin(entry.module)
        with contextlib.suppress(PluginError):
            import_module(plugin, entry)


def call_hook(plugin: Plugin, entry: Entry, hook: str, **arguments: Any) -> Any:
    """What the hook of an entry's module returns; PluginError with the reason when it fails."""
    module = import_module(plugin, entry)
    try:
        return HOST.call(module, hook, **arguments)
    except (Exception, SystemExit) as error:  # a plugin may fail in any way
        raise quarantine(plugin, entry, error) from error


def quarantine(plugin: Plugin, entry: Entry, error: BaseException) -> PluginError:
    """Remember why a module is not used any more; returns the error to raise."""
    came = str(error)
    if not isinstance(error, DispatchCoreError):
        came = f"{type(error).__name__}: {came}" if came else type(error).__name__
    reason = (
        f"plugin '{plugin.name}' {plugin.version} ({entry.module}) is not used: "
        f"{came.rstrip('.')}. "
        f"{fix(plugin, error)}"
    )
    plugin.failures[entry.module] = reason
    return PluginError(reason)


def fix(plugin: Plugin, error: BaseException) -> str:
    """What the user can do about a plugin that failed."""
    block = f"or leave it out with {BLOCK}={plugin.name}"
    if isinstance(error, DeviceUnavailableError):  # the plugin itself says what is missing
        return f"Provide what is missing, {block}"
    if isinstance(error, PluginError):
        return f"Update it (pip install --upgrade {plugin.name}) {block}"
    if isinstance(error, TimeoutError):
        return f"`python -m dispatch_core doctor` says more. Update or uninstall it {block}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        return f"Install what it needs (pip install {missing}) {block}"
    if isinstance(error, ImportError) and str(error.name).startswith("dispatch_core"):
        return (
            "It was written for another version of dispatch_core: update both "
            f"(pip install --upgrade dispatch-core {plugin.name}) {block}"
        )
    return f"Repair it (pip install --force-reinstall {plugin.name}) {block}"


def check_api(module: Any, name: str) -> None:
    """Raise PluginError unless the plugin was written for this version of the contract."""
    from dispatch_core._hooks import API_VERSION  # noqa: PLC0415  with pluggy, see Host

    stated = getattr(module, API, None)
    if stated is None:
        raise PluginError(
            f"it does not say which plugin API it was written for; its module must set "
            f"{API} = {API_VERSION}"
        )
    if stated == API_VERSION:
        return
    if not isinstance(stated, int) or isinstance(stated, bool):
        raise PluginError(f"{API} must be a whole number such as {API_VERSION}, not {stated!r}")
    if stated < API_VERSION:
        raise PluginError(
            f"it was written for plugin API {stated}, and this dispatch_core has API "
            f"{API_VERSION}: "
            f"a newer version of '{name}' is needed"
        )
    raise PluginError(
        f"it needs plugin API {stated}, and this dispatch_core has only API {API_VERSION}: "
        "a newer dispatch_core is needed (pip install --upgrade dispatch-core)"
    )
