"""Runs the Python blocks of the documents; a comment block after a print says what it prints."""

from __future__ import annotations

import contextlib
import io
import re
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser

from dispatch_core.extend import DeviceUnavailableError

_EXPECTED = re.compile(r"(?:^# .*\n?)+\Z", re.MULTILINE)


def run(example: Example) -> None:
    """Execute one block and compare what it printed with the comment lines that end it.

    One that needs a device which this machine lacks is skipped.
    """
    source: str = example.parsed
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = compile(source, str(example.path), "exec", dont_inherit=True)
        try:
            exec(code, example.namespace)
        except DeviceUnavailableError as error:
            pytest.skip(str(error))
    expected = _EXPECTED.search(source)
    if expected is None:
        return
    wanted = [line.removeprefix("# ") for line in expected.group().splitlines()]
    found = printed.getvalue().splitlines()
    assert found == wanted, f"{example.path}:{example.line}: printed {found}, expected {wanted}"


# A loaded machine is no failure: timings never gate a test.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def _missing_domains() -> list[str]:
    """The pages of domain libraries that are not installed, which need not be."""
    folders = Path(__file__).parent.glob("domains/*/")
    return [f"docs/{f.name}.md" for f in folders if find_spec(f"dispatch_{f.name}") is None]


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser(language="python", evaluator=run)],
    patterns=["README.md", "docs/*.md"],
    excludes=_missing_domains(),
).pytest()
