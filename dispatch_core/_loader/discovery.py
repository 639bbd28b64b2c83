"""What is installed: entry points, read from distributions' metadata at the first need."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch_core._errors import PluginError

if TYPE_CHECKING:
    from dispatch_core._op import Declared

DEVICES = "dispatch_core"
KERNELS = "dispatch_core.kernels"
LAYERS = "dispatch_core.layers"
OPERATORS = "dispatch_core.operators"
DOMAINS = "dispatch_core.domains"
GROUPS = (DEVICES, KERNELS, LAYERS, OPERATORS, DOMAINS)

BLOCK = "DISPATCH_CORE_BLOCK"
"""Environment variable: names of entry points or distributions that are left alone, with commas."""
CORE = "dispatch-core"
LOADING = threading.RLock()
"""Held while plugins come and go; never while an operator is dispatched."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOADING.acquire, after_in_parent=LOADING.release, after_in_child=LOADING.release
    )


class Entry(NamedTuple):
    """One entry point: something that a distribution provides, and the module that brings it."""

    group: str
    name: str
    module: str
    distribution: str
    version: str

    @property
    def what(self) -> str:
        """What it provides, in words."""
        if self.group == KERNELS:
            device, _, provider = self.name.rpartition(".")
            return f"kernels '{provider}' for device '{device}'"
        kinds = {DEVICES: "device", LAYERS: "layer", OPERATORS: "operators", DOMAINS: "domain"}
        kind = kinds[self.group]
        return f"{kind} '{self.name}'"


@dataclass(slots=True, eq=False)
class Plugin:
    """One distribution (or an object registered in this process) and what became of it."""

    name: str
    version: str
    entries: list[Entry] = field(default_factory=list)
    modules: dict[str, Any] = field(default_factory=dict)
    """The modules that were imported, by name."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why modules were quarantined, by name."""
    refused: dict[Entry, str] = field(default_factory=dict)
    """Why entries are not used, where their module may be sound."""
    active: set[Entry] = field(default_factory=set)
    """The entries whose hook was called."""
    devices: set[str] = field(default_factory=set)
    """The devices that went when it was unloaded."""
    blocked: bool = False
    unloaded: bool = False
    parked: list[Declared] = field(default_factory=list)
    """Its operators while it is unloaded."""

    def status(self, entry: Entry | None = None) -> str:
        """`installed`, `loaded`, `broken`, `blocked` or `unloaded`; of one entry or of all."""
        entries = self.entries if entry is None else [entry]
        if self.unloaded:
            return "unloaded"
        if self.blocked or (entries and all(is_blocked(e) for e in entries)):
            return "blocked"
        if any(e.module in self.failures or e in self.refused for e in entries):
            return "broken"
        if entries and not any(e in self.active for e in entries):
            return "installed"
        return "loaded"

    def reason(self, entry: Entry | None = None) -> str:
        """Why it is not usable; empty where it is."""
        status = self.status(entry)
        if status == "blocked":
            return f"blocked by the environment variable {BLOCK}"
        if status == "unloaded":
            return f'unloaded; dispatch_core.plugins.load("{self.name}") brings it back'
        if status == "broken":
            modules = self.failures if entry is None else [entry.module]
            found = [self.failures[m] for m in modules if m in self.failures]
            found += [why for e, why in self.refused.items() if entry in (None, e)]
            return "; ".join(found)
        return ""


class Installed:
    """The plugins of this Python environment, by distribution."""

    def __init__(self) -> None:
        self._plugins: dict[str, Plugin] | None = None

    @property
    def plugins(self) -> dict[str, Plugin]:
        """All known plugins; the first use reads the metadata of every installed distribution."""
        if self._plugins is None:
            self.refresh()
        return self._plugins  # type: ignore[return-value]

    def refresh(self) -> None:
        """Read the metadata again, to see what was installed since; what is loaded stays loaded."""
        with LOADING:
            known = self._plugins or {}
            found: dict[str, Plugin] = {n: p for n, p in known.items() if not p.entries}
            for entry in _scan():
                plugin = found.get(entry.distribution)
                if plugin is None:
                    plugin = known.get(entry.distribution) or Plugin(
                        entry.distribution, entry.version
                    )
                    plugin.entries = []
                    found[plugin.name] = plugin
                plugin.entries.append(entry)
            for plugin in found.values():
                plugin.blocked = normal(plugin.name) in _blocked_names()
            self._plugins = found

    def entries(self, group: str, name: str | None = None) -> list[tuple[Plugin, Entry]]:
        """The entries of a group, or of one name in it, in the order of distributions' names."""
        return [
            (plugin, entry)
            for _, plugin in sorted(self.plugins.items())
            for entry in plugin.entries
            if entry.group == group and name in (None, entry.name)
        ]

    def named(self, name: str) -> Plugin:
        """The plugin of a distribution, entry point or module; PluginError when there is none."""
        plugins = self.plugins
        for plugin in plugins.values():
            if normal(plugin.name) == normal(name):
                return plugin
        owners = {
            plugin.name
            for plugin in plugins.values()
            for entry in plugin.entries
            if name in (entry.name, entry.module)
        }
        if len(owners) == 1:
            return plugins[owners.pop()]
        if owners:
            raise PluginError(f"'{name}' is provided by {names(owners)}: name one of these instead")
        raise PluginError(
            f"no plugin is called '{name}'; installed are {names(plugins)}. "
            f"After installing one in this process, call dispatch_core.plugins.refresh()"
        )


INSTALLED = Installed()


def normal(name: str) -> str:
    """A distribution's name as it is compared."""
    return name.lower().replace("_", "-").replace(".", "-")


def names(found: Any) -> str:
    """Names in quotes, sorted, for a message."""
    return ", ".join(f"'{name}'" for name in sorted(found)) or "none"


def is_blocked(entry: Entry) -> bool:
    """Whether the environment variable names the entry or its distribution."""
    blocked = _blocked_names()
    return normal(entry.distribution) in blocked or normal(entry.name) in blocked


def _blocked_names() -> set[str]:
    return {normal(name.strip()) for name in os.environ.get(BLOCK, "").split(",") if name.strip()}


def _scan() -> list[Entry]:
    # Two dozen milliseconds of imports, which `import dispatch_core` shall not cost.
    from importlib.metadata import distributions  # noqa: PLC0415

    found: list[Entry] = []
    seen: set[str] = set()
    for distribution in distributions():
        # The text is looked at first: parsing the entry points of all that is installed is slow.
        text = distribution.read_text("entry_points.txt")
        if not text or "dispatch_core" not in text:
            continue
        name = distribution.name
        if normal(name) in seen:  # an older copy further down sys.path
            continue
        seen.add(normal(name))
        found += [
            Entry(point.group, point.name, point.module, name, distribution.version)
            for point in distribution.entry_points
            if point.group in GROUPS
        ]
    return sorted(found, key=lambda e: (e.distribution, e.group, e.name))
