"""Runs the conformance suite on a device, without a test file of the user's own, and writes its card."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from dispatch_core._op import SLOTS
from dispatch_core._place import as_device

_SUITE = """\
from dispatch_core.testing import conformance


class TestDevice(conformance.Suite):
    device = {device!r}
    namespace = {namespace!r}
"""


def run(
    device: str,
    expression: str | None,
    namespace: str | None,
    *,
    full: bool,
    folder: str | None,
) -> int:
    """Run the suite's tests, or those that match; pytest's exit status.

    Writes `conformance-DEVICE.json` and `.md` into a folder (None: nowhere). Raises
    DeviceNotFoundError or DeviceUnavailableError for a device that cannot be used, ValueError
    without pytest, for an unknown namespace and for a folder that does not exist.
    """
    as_device(device)
    if find_spec("pytest") is None:
        raise ValueError("the suite runs by pytest, which is not installed: pip install pytest")
    if namespace is not None and SLOTS.namespace(namespace) is None:
        raise ValueError(f"nothing that is installed provides operators '{namespace}'")
    if folder is not None and not Path(folder).is_dir():
        raise ValueError(f"there is no folder '{folder}' for the card; make it, or name another")
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        file = Path(scratch, "test_conformance.py")
        file.write_text(_SUITE.format(device=device, namespace=namespace), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
        if folder is not None:
            place = Path(folder).resolve()
            command += ["-p", "dispatch_core.testing.card", f"--conformance-card={place}"]
        command += ["-k", expression] if expression else []
        command += [] if full else ["-m", "not slow"]
        return subprocess.run(command, check=False).returncode
