"""SciPy and scikit-learn compute with tensors through the standard: the same values as with numpy.

In a process of its own, because SciPy reads its switch when it is first imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(("group", "library"), [("scipy", "scipy"), ("sklearn", "sklearn")])
def test_consumers_compute_with_tensors(group: str, library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / "consumers.py"), group],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(ran.stdout) > 20
