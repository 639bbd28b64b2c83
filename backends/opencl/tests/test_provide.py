"""What `python -m dispatch_opencl provide` makes of commands that fail or do not end."""

import sys

import pytest

from dispatch_opencl import __main__ as program

pytestmark = pytest.mark.without_device


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("print('done')", ""),
        ("raise SystemExit('no network')", "no network"),
        ("print('no space'); raise SystemExit(2)", "no space"),
        ("raise SystemExit(2)", "failed"),
    ],
)
def test_a_command_that_fails_says_why(code, problem):
    found = program._run([sys.executable, "-c", code])
    assert found.endswith(problem) if problem else not found


def test_a_command_that_does_not_end_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(program, "PATIENCE", 0.5)
    found = program._run([sys.executable, "-c", "import time; time.sleep(60)"])
    assert found.endswith("did not end within 0.5 s")


def test_providing_never_fails(monkeypatch, capsys):
    monkeypatch.setattr(program, "found", lambda: False)
    monkeypatch.setattr(
        program, "command", lambda: [sys.executable, "-c", "raise SystemExit('offline')"]
    )
    program.provide()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "installing pocl-opencl-icd"
    assert said[1] == "offline"
    assert "tests of backends/opencl will be skipped" in said[2]
