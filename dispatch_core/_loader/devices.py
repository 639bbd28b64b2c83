"""The backend of a device at its first use, the kernels others add, the list of devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatch_core._caller import warn
from dispatch_core._device import device as Device
from dispatch_core._dispatcher.operator import forget_all
from dispatch_core._errors import (
    DeviceNotFoundError,
    DeviceUnavailableError,
    PluginError,
    PluginWarning,
)
from dispatch_core._keys import LOCK
from dispatch_core._loader import discovery
from dispatch_core._loader.discovery import BLOCK, INSTALLED, LOADING, Entry, Plugin, names
from dispatch_core._loader.modules import (
    HOST,
    call_hook,
    import_in_time,
    import_module,
    quarantine,
)
from dispatch_core._op import OPERATORS
from dispatch_core.autograd._modes import forget_raw_modes
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import BACKENDS


def find(device: str) -> Backend:
    """Load the plugin of a device type.

    Raises DeviceNotFoundError when nothing installed provides it, and DeviceUnavailableError when
    what provides it is broken, blocked, unloaded or provided twice.
    """
    with LOADING:
        known = BACKENDS.get(device)
        if known is not None:
            return known
        plugin, entry = _provider(device)
        try:
            backend = backend_from(plugin, entry)
        except PluginError as error:
            if entry.module not in plugin.failures:
                error = quarantine(plugin, entry, error)
            reason = plugin.failures[entry.module]
            raise DeviceUnavailableError(f"device '{device}' cannot be used: {reason}") from error
        add_backend(backend, plugin.name)
        plugin.active.add(entry)
        return backend


def _provider(device: str) -> tuple[Plugin, Entry]:
    gone = next((p for p in INSTALLED.plugins.values() if p.unloaded and device in p.devices), None)
    if gone is not None:
        raise DeviceUnavailableError(_unloaded(device, gone))
    found = INSTALLED.entries(discovery.DEVICES, device)
    if not found:
        INSTALLED.refresh()
        found = INSTALLED.entries(discovery.DEVICES, device)
    if not found:
        raise DeviceNotFoundError(_unknown(device))
    usable = [(p, e) for p, e in found if not p.blocked and not discovery.is_blocked(e)]
    if not usable:
        raise DeviceUnavailableError(
            f"device '{device}' is blocked by the environment variable {BLOCK}; take "
            f"'{device}' (or '{found[0][0].name}') out of it and start again"
        )
    if len(usable) > 1:
        usable = _without_newcomers(device, usable)
    if len(usable) > 1:
        owners = names(plugin.name for plugin, _ in usable)
        raise DeviceUnavailableError(
            f"device '{device}' is provided by {owners}; uninstall all but one, or leave one out "
            f"with {BLOCK}={usable[-1][0].name}"
        )
    plugin, entry = usable[0]
    if plugin.unloaded:
        raise DeviceUnavailableError(_unloaded(device, plugin))
    return plugin, entry


def _without_newcomers(
    device: str, usable: list[tuple[Plugin, Entry]]
) -> list[tuple[Plugin, Entry]]:
    """The framework's own provider alone where there is one: no package may take its device away."""
    own = [(p, e) for p, e in usable if discovery.normal(p.name) == discovery.CORE]
    if not own:
        return usable
    for plugin, entry in usable:
        if (plugin, entry) in own or entry in plugin.refused:
            continue
        plugin.refused[entry] = (
            f"device '{device}' comes with {discovery.CORE}, so that of '{plugin.name}' is not used; "
            f"uninstall it (pip uninstall {plugin.name}), leave it out with {BLOCK}={plugin.name}, or "
            "have it name its device otherwise"
        )
        warn(plugin.refused[entry], PluginWarning)
    return own


def _unloaded(device: str, plugin: Plugin) -> str:
    return (
        f"device '{device}' was unloaded with plugin '{plugin.name}'; "
        f'dispatch_core.plugins.load("{plugin.name}") brings it back, tensors of it included'
    )


def _unknown(device: str) -> str:
    import difflib  # noqa: PLC0415  for a message only

    installed = sorted({e.name for _, e in INSTALLED.entries(discovery.DEVICES)} | set(BACKENDS))
    if not installed:
        return (
            f"unknown device '{device}': no device is installed at all, because the metadata of "
            "dispatch-core are missing; install it (pip install dispatch-core, or in a checkout: "
            "pip install --editable .)"
        )
    kind = device.lower().partition(".")[0]
    close = [name for name in installed if name.lower() == device.lower()]
    if not close and kind not in _OWN and kind not in _ELSEWHERE:
        close = difflib.get_close_matches(device.lower(), installed, 1)
    guess = f" (did you mean '{close[0]}'?)" if close else ""
    fix = f". Install it: pip install dispatch-{kind}" if kind in _OWN and not close else ""
    return f"unknown device '{device}': installed are {names(installed)}{guess}{fix}"


_OWN = ("cuda", "opencl")
"""Devices for which this project has a package: `dispatch-cuda`, ..."""
_ELSEWHERE = frozenset(
    {
        "gpu",
        "hip",
        "hpu",
        "ipu",
        "maia",
        "mps",
        "mtia",
        "npu",
        "privateuseone",
        "rocm",
        "tpu",
        "ve",
        "vulkan",
    }
    | {"xla", "xpu"}
)
"""Devices of PyTorch and of others: whoever writes such a name has not mistyped another one."""


def backend_from(plugin: Plugin, entry: Entry) -> Backend:
    """The backend that an entry's hook returns; PluginError with the reason when it is none."""
    backend = call_hook(plugin, entry, "dispatch_core_backend", device=entry.name)
    _check(backend, entry.name)
    return backend


def _check(backend: Any, device: str) -> None:
    if not isinstance(backend, Backend):
        raise PluginError(
            f"its hook dispatch_core_backend returned {type(backend).__name__}, expected a Backend"
        )
    if backend.device != device:
        raise PluginError(
            f"its entry point is named '{device}', but the backend says device='{backend.device}'; "
            "give both the same name"
        )


def add_backend(backend: Backend, provider: str) -> None:
    """Make a backend known under its device type, with the kernels that other plugins add to it."""
    backend.provider = provider
    backend.kernels.on_change(kernels_changed)
    with LOCK:
        BACKENDS[backend.device] = backend
    backend.open_thread()
    for plugin, entry in INSTALLED.entries(discovery.KERNELS):
        if entry.name.rpartition(".")[0] == backend.device:
            _offer_kernels(plugin, entry, backend)
    for plugin in INSTALLED.plugins.values():
        if not plugin.entries and not plugin.unloaded:
            offer_kernels_of_object(plugin, backend)


def kernels_changed(op: str) -> None:
    """Forget the chains of the one operator that a kernel came or went for."""
    forget_raw_modes()
    declared = OPERATORS.get(op)
    if declared is not None:
        declared.op.forget()


def _offer_kernels(plugin: Plugin, entry: Entry, backend: Backend) -> None:
    """Let a provider add its kernels; a broken one is left out and warned about."""
    if plugin.blocked or plugin.unloaded or discovery.is_blocked(entry):
        return
    try:
        add_kernels(plugin, entry, backend)
    except PluginError as error:
        warn(
            f"{entry.what} are left out: {error}",
            PluginWarning,
        )


def add_kernels(plugin: Plugin, entry: Entry, backend: Backend) -> None:
    """Have a provider's kernels added to a backend; all of them or, with a PluginError, none."""
    table = backend.kernels.as_provider(plugin.name)
    module = import_module(plugin, entry)
    try:
        HOST.call(module, "dispatch_core_kernels", device=backend.device, table=table)
    except Exception as error:  # a plugin may fail in any way
        backend.kernels.remove_provider(plugin.name)
        raise quarantine(plugin, entry, error) from error
    plugin.active.add(entry)


def offer_kernels_of_object(plugin: Plugin, backend: Backend) -> None:
    """The same for a plugin that was registered in this process, which may serve any device."""
    for registered in plugin.modules.values():
        if HOST.implements(registered, "dispatch_core_kernels") and plugin.name != backend.provider:
            table = backend.kernels.as_provider(plugin.name)
            HOST.call(registered, "dispatch_core_kernels", device=backend.device, table=table)


def remove_backends(provider: str) -> set[str]:
    """Forget the backends of a plugin (tensors keep their data); returns the device types."""
    with LOCK:
        gone = {d for d, backend in BACKENDS.items() if backend.provider == provider}
        for device in gone:
            del BACKENDS[device]
        forget_raw_modes()
        forget_all()
    return gone


# -- the list of devices ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device type that something installed provides."""

    type: str
    count: int
    """How many devices of this type can be used now."""
    provider: str
    """The distribution that brings it."""
    description: str
    reason: str
    """Why it cannot be used; empty when it can."""

    @property
    def available(self) -> bool:
        """Whether tensors can be made on it."""
        return not self.reason


class DeviceList(tuple[DeviceInfo, ...]):
    """The installed device types; prints as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        lines = []
        for info in self:
            state = info.description if info.available else f"not available: {info.reason}"
            lines.append(f"{info.type:12s} {info.count:3d}  {info.provider:20s} {state}")
        return "\n".join(["device     count  from                 state", *lines])


def is_installed(device: str) -> bool:
    """Whether something installed provides a device type; imports nothing."""
    return device in BACKENDS or bool(INSTALLED.entries(discovery.DEVICES, device))


def devices() -> DeviceList:
    """The installed device types, each with the number of devices or why it is not usable.

    Imports the plugin of every device; what fails to import, or takes longer than
    DISPATCH_CORE_IMPORT_TIMEOUT seconds (20), is listed with the reason.
    """
    found = {e.name: p.name for p, e in INSTALLED.entries(discovery.DEVICES)}
    for device, backend in list(BACKENDS.items()):
        found.setdefault(device, backend.provider)
    return DeviceList(_info(device, provider) for device, provider in sorted(found.items()))


_FIRST = ("cuda", "xpu", "mps", "opencl")


def accelerator() -> Device | None:
    """The first usable device type that is neither the host nor stands in for a device; None without one."""
    found = [info.type for info in devices() if info.available and BACKENDS[info.type].accelerator]
    found.sort(key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return Device(found[0]) if found else None


def _info(device: str, provider: str) -> DeviceInfo:
    try:
        if device not in BACKENDS:
            import_in_time(*_provider(device))
        backend = find(device)
        count = backend.count()
        reason = "" if count else backend.why_unavailable()
        return DeviceInfo(device, count, backend.provider, backend.describe(), reason)
    except DeviceUnavailableError as error:
        return DeviceInfo(device, 0, provider, "", str(error))
    except Exception as error:  # noqa: BLE001  one that cannot even count is listed, not raised
        return DeviceInfo(device, 0, provider, "", f"{type(error).__name__}: {error}")
