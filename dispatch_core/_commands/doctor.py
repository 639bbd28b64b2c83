"""Checks an installation: imports every plugin in a process of its own, with a time limit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from dispatch_core._commands.table import table
from dispatch_core._loader import discovery
from dispatch_core._loader.discovery import BLOCK, INSTALLED, Entry, Plugin, normal
from dispatch_core._version import __version__

_TIMED = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"
_PLUGIN = """
import importlib, sys, time
import dispatch_core
from dispatch_core._hooks import API_VERSION
from dispatch_core._loader.modules import check_api
t = time.perf_counter()
module = importlib.import_module(sys.argv[1])
t = time.perf_counter() - t
check_api(module, sys.argv[2])
print(t)
"""
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
            yield _run(what, [_PLUGIN, module, plugin.name], timeout, advice)


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
        return Finding(what, float(done.stdout.split()[-1]) * 1e3, OK)
    if done.returncode < 0:
        return Finding(what, None, f"crashes the process (signal {-done.returncode}); {advice}")
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Finding(what, None, f"fails: {last}; {advice}")


def _conflicts() -> Iterator[Finding]:
    for group in discovery.GROUPS:
        owners: dict[str, list[Plugin]] = {}
        for plugin, entry in INSTALLED.entries(group):
            if not plugin.blocked and not discovery.is_blocked(entry):
                owners.setdefault(entry.name, []).append(plugin)
        for name, plugins in owners.items():
            if len(plugins) > 1 and group != discovery.OPERATORS:
                both = discovery.names(p.name for p in plugins)
                yield Finding(
                    f"'{name}' in {group}",
                    None,
                    f"is provided twice, by {both}; uninstall one or set {BLOCK}",
                )


def _unused_blocks() -> Iterator[Finding]:
    known = {normal(p.name) for p in INSTALLED.plugins.values()}
    known |= {normal(e.name) for p in INSTALLED.plugins.values() for e in p.entries}
    for name in os.environ.get(BLOCK, "").split(","):
        if name.strip() and normal(name.strip()) not in known:
            yield Finding(
                f"{BLOCK}={name.strip()}", None, "names nothing that is installed; take it out"
            )
