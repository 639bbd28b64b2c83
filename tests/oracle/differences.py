"""The differences that are meant, each a line `operator check: reason` of `differences.txt`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path


def reason(path: str, check: str) -> str | None:
    """Why an operator is expected to differ in a check; None where it is not."""
    for name, which, why in _listed():
        if fnmatchcase(path, name) and which == check:
            return why
    return None


def named(path: str, check: str) -> bool:
    """Whether a line names exactly this operator, so that it must differ."""
    return any((name, which) == (path, check) for name, which, _ in _listed())


@cache
def _listed() -> list[tuple[str, str, str]]:
    text = (Path(__file__).parent / "differences.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = []
    for line in lines:
        what, why = line.split(": ", 1)
        found.append((*what.split(), why))
    return found
