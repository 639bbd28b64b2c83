"""Runs the conformance suite on a device, without a test file of the user's own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from dispatch_core._op import SLOTS
from dispatch_core.backend.registry import backend_of

_SUITE = """\
from dispatch_core.testing import conformance


class TestDevice(conformance.Suite):
    device = {device!r}
    namespace = {namespace!r}
"""


def run(device: str, expression: str | None, namespace: str | None, *, full: bool) -> int:
    """Run the suite's tests, or those that match; pytest's exit status.

    Raises DeviceNotFoundError or DeviceUnavailableError for a device that cannot be used, ValueError
    without pytest and for an unknown namespace.
    """
    backend_of(device)
    if find_spec("pytest") is None:
        raise ValueError("the suite runs by pytest, which is not installed: pip install pytest")
    if namespace is not None and SLOTS.namespace(namespace) is None:
        raise ValueError(f"nothing that is installed provides operators '{namespace}'")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        file = Path(folder, "test_conformance.py")
        file.write_text(_SUITE.format(device=device, namespace=namespace), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
        command += ["-k", expression] if expression else []
        command += [] if full else ["-m", "not slow"]
        return subprocess.run(command, check=False).returncode
