"""Checks an installation: loads every plugin in a process of its own, with a time limit."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from dispatch_core._commands.table import table
from dispatch_core._errors import (
    DeviceNotFoundError,
    DeviceUnavailableError,
    PluginError,
    PluginWarning,
)
from dispatch_core._loader import discovery
from dispatch_core._loader.devices import backend_from, find
from dispatch_core._loader.discovery import BLOCK, INSTALLED, Entry, Plugin, normal
from dispatch_core._loader.domains import domain_from
from dispatch_core._loader.layers import add_layers
from dispatch_core._loader.modules import import_module
from dispatch_core._op import operators_in
from dispatch_core._version import __version__

_TIMED = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"
_PLUGIN = "from dispatch_core._commands import doctor; doctor.probe({0!r}, {1!r})"
OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check."""

    what: str
    milliseconds: float | None
    verdict: str

    @property
    def good(self) -> bool:
        """Whether there is nothing to repair."""
        return self.verdict.startswith(OK)


def report(timeout: float) -> tuple[str, bool]:
    """The report as text, and whether all is well."""
    lines = [
        f"dispatch_core {__version__}, Python {platform.python_version()} on {platform.platform()}",
        ", ".join(f"{name} {_version(name)}" for name in ("numpy", "ml_dtypes", "pluggy")),
        "",
    ]
    findings = [*_imports(timeout), *_plugins(timeout), *_conflicts(), *_unused_blocks()]
    rows = [
        (f.what, "" if f.milliseconds is None else f"{f.milliseconds:.0f}", f.verdict)
        for f in findings
    ]
    lines.append(table(("what", "import ms", "verdict"), rows))
    bad = [f for f in findings if not f.good]
    lines += ["", f"{len(bad)} problem(s) found" if bad else "no problem found"]
    return "\n".join(lines), not bad


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "is not installed"


def _imports(timeout: float) -> Iterator[Finding]:
    for name in ("numpy", "dispatch_core"):
        yield _run(f"import {name}", [_TIMED.format(name)], timeout, "reinstall it")


def _plugins(timeout: float) -> Iterator[Finding]:
    for _, plugin in sorted(INSTALLED.plugins.items()):
        modules: dict[str, list[Entry]] = {}
        for entry in plugin.entries:
            modules.setdefault(entry.module, []).append(entry)
        for module, entries in modules.items():
            what = f"{plugin.name} {plugin.version}: {', '.join(e.what for e in entries)}"
            if plugin.blocked or all(discovery.is_blocked(e) for e in entries):
                yield Finding(what, None, f"ok, blocked by {BLOCK}")
                continue
            advice = f"update or uninstall it (pip uninstall {plugin.name})"
            yield _run(what, [_PLUGIN.format(plugin.name, module)], timeout, advice)


def _run(what: str, command: list[str], timeout: float, advice: str) -> Finding:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", *command],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(
            what,
            None,
            f"hangs: importing it did not end within {timeout:g} s; {advice}, or set {BLOCK}",
        )
    if done.returncode == 0:
        seconds, _, note = done.stdout.strip().splitlines()[-1].partition(" ")
        return Finding(what, float(seconds) * 1e3, f"{OK}, {note}" if note else OK)
    if done.returncode < 0:
        return Finding(what, None, f"crashes the process (signal {-done.returncode}); {advice}")
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Finding(what, None, f"fails: {last}; {advice}")


def probe(distribution: str, module: str) -> None:
    """In the process of its own: import a plugin's module and have its hooks give what they promise.

    Prints the seconds that the import took, and what is worth knowing beside.
    """
    plugin = INSTALLED.plugins[distribution]
    start = time.perf_counter()
    importlib.import_module(module)
    seconds = time.perf_counter() - start
    notes = []
    for entry in plugin.entries:
        if entry.module == module and not discovery.is_blocked(entry):
            import_module(plugin, entry)
            notes.append(_PROBES[entry.group](plugin, entry))
    print(seconds, "; ".join(filter(None, notes)))  # noqa: T201  what the other process reads


def _probe_device(plugin: Plugin, entry: Entry) -> str:
    try:
        backend = backend_from(plugin, entry)
    except PluginError as error:
        if isinstance(error.__cause__, DeviceUnavailableError):
            return f"but it cannot be used on this machine: {error.__cause__}"
        raise
    if backend.count():
        return ""
    return f"but it cannot be used on this machine: {backend.why_unavailable()}"


def _probe_kernels(plugin: Plugin, entry: Entry) -> str:
    device = entry.name.rpartition(".")[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)
            find(device)
    except (DeviceNotFoundError, DeviceUnavailableError):
        return f"its device '{device}' is not usable here"
    if entry not in plugin.active:
        raise PluginError(plugin.reason(entry))
    return ""


def _probe_layer(plugin: Plugin, entry: Entry) -> str:
    if entry not in plugin.active:
        add_layers(plugin, entry)
    return ""


def _probe_operators(plugin: Plugin, entry: Entry) -> str:
    if not any(True for _ in operators_in(entry.name)):
        raise PluginError(f'it declares no operator with namespace="{entry.name}"')
    return ""


def _probe_domain(plugin: Plugin, entry: Entry) -> str:
    found = domain_from(plugin, entry)
    for kind, named in found.parts.items():
        for name in named:
            found.get(kind, name)
    return ""


_PROBES: dict[str, Callable[[Plugin, Entry], str]] = {
    discovery.DEVICES: _probe_device,
    discovery.KERNELS: _probe_kernels,
    discovery.LAYERS: _probe_layer,
    discovery.OPERATORS: _probe_operators,
    discovery.DOMAINS: _probe_domain,
}


def _conflicts() -> Iterator[Finding]:
    for group in discovery.GROUPS:
        owners: dict[str, list[Plugin]] = {}
        for plugin, entry in INSTALLED.entries(group):
            if not plugin.blocked and not discovery.is_blocked(entry):
                owners.setdefault(entry.name, []).append(plugin)
        for name, plugins in owners.items():
            if len(plugins) > 1 and group != discovery.OPERATORS:
                both = discovery.names(p.name for p in plugins)
                others = [p.name for p in plugins if normal(p.name) != discovery.CORE]
                advice = (
                    f"uninstall {'one' if len(others) == len(plugins) else discovery.names(others)}"
                )
                yield Finding(
                    f"'{name}' in {group}",
                    None,
                    f"is provided twice, by {both}; {advice} or set {BLOCK}",
                )


def _unused_blocks() -> Iterator[Finding]:
    known = {normal(p.name) for p in INSTALLED.plugins.values()}
    known |= {normal(e.name) for p in INSTALLED.plugins.values() for e in p.entries}
    for name in os.environ.get(BLOCK, "").split(","):
        if name.strip() and normal(name.strip()) not in known:
            yield Finding(
                f"{BLOCK}={name.strip()}", None, "names nothing that is installed; take it out"
            )
