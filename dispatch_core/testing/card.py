"""A pytest plugin that writes a coverage card of each device that the conformance suite ran on.

    pytest -p dispatch_core.testing.card --conformance-card=FOLDER tests/test_conformance.py

gives `conformance-DEVICE.json` and `.md` in the folder: operators and dtypes, what became of the
tests, gaps with their reasons, tolerances. `python -m dispatch_core conformance DEVICE` uses it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from dispatch_core.testing._card import card, markdown

_TEST = re.compile(r"test_(?P<check>\w+)\[(?P<operator>\w+)\]")


class Subject(NamedTuple):
    """What a suite tests: a device, and the operators of a namespace or the core's."""

    device: str
    namespace: str | None


def pytest_addoption(parser: Any) -> None:
    """Add the option."""
    parser.addoption("--conformance-card", metavar="FOLDER", help="write coverage cards there")


def pytest_configure(config: Any) -> None:
    """Watch the run if there is somewhere to write to."""
    folder = config.getoption("--conformance-card")
    if folder:
        config.pluginmanager.register(Recorder(Path(folder), _selection(config)), "card-recorder")


def _selection(config: Any) -> str:
    parts = [
        f"{option} '{value}'"
        for option, value in (("-k", config.option.keyword), ("-m", config.option.markexpr))
        if value
    ]
    return " and ".join(parts) or "all"


class Recorder:
    """Collects what became of the tests and writes the cards at the end of the run."""

    def __init__(self, folder: Path, selection: str) -> None:
        self._folder = folder
        self._selection = selection
        self._suites: dict[str, Any] = {}
        self._found: dict[Subject, dict[str, dict[str, str]]] = {}
        self._gaps: dict[Subject, dict[str, str]] = {}

    def pytest_collection_modifyitems(self, items: Any) -> None:
        """Remember which suite each test belongs to."""
        for item in items:
            if hasattr(item.cls, "known_gaps"):
                self._suites[item.nodeid] = item.cls

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the outcome of a test; a phase before or after it counts where it fails."""
        suite = self._suites.get(report.nodeid)
        test = _TEST.fullmatch(report.nodeid.rpartition("::")[2])
        if suite is None or test is None:
            return
        if report.when != "call" and report.outcome == "passed":
            return
        outcome: str = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "gap" if outcome == "skipped" else "closed"
        subject = Subject(suite.device, suite.namespace)
        self._gaps.setdefault(subject, suite()._gaps())
        checks = self._found.setdefault(subject, {}).setdefault(test["operator"], {})
        if checks.get(test["check"]) != "failed":
            checks[test["check"]] = outcome

    def pytest_sessionfinish(self) -> None:
        """Write a card for each device and namespace."""
        for subject, results in self._found.items():
            found = card(*subject, results, self._gaps[subject], self._selection)
            name = "-".join(
                ["conformance", subject.device.replace(":", "-"), *filter(None, subject[1:])]
            )
            _write(self._folder / f"{name}.json", json.dumps(found, indent=1) + "\n")
            _write(self._folder / f"{name}.md", markdown(found))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where they are."""
        for subject in self._found:
            terminalreporter.write_line(f"coverage card of {subject.device}: {self._folder}")


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
