"""Made-up distributions on sys.path, and processes that see them; nothing is installed."""

import os
import subprocess
import sys
import textwrap

import pytest

BACKEND = """
import numpy as np
from dispatch_core.extend import ArrayModuleBackend, hookimpl

DISPATCH_CORE_API = 1

class Toy(ArrayModuleBackend):
    device = "{device}"
    xp = np
    array = np.ndarray
    def from_host(self, array, index):
        return array.copy()
    def to_host(self, raw):
        return raw
    def count(self):
        return 1

@hookimpl
def dispatch_core_backend(device):
    return Toy()
"""


class Site:
    """A folder that looks like site-packages."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {}

    def add(self, name, entries, source="", version="1.0"):
        """A distribution of one module, with entry points {(group, name): ...} that name it."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source))
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        lines = []
        for group, entry in entries:
            lines += [f"[{group}]", f"{entry} = {module}"]
        info.joinpath("entry_points.txt").write_text("\n".join(lines) + "\n")
        return module

    def add_device(self, name, device, **rest):
        """A distribution with a working device."""
        source = BACKEND.replace("{device}", device)
        return self.add(name, [("dispatch_core", device)], source, **rest)

    def python(self, *arguments, check=True):
        """Run Python with the made-up distributions on its path."""
        path = os.pathsep.join([str(self.folder), *(p for p in sys.path if p)])
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=400,
            env=os.environ | {"PYTHONPATH": path} | self.environment,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def run(self, code):
        """The output of a program, with `dc` imported and `error(function)` at hand."""
        head = """
        import sys
        import dispatch_core as dc
        def error(function, *args, **kwargs):
            try:
                function(*args, **kwargs)
            except Exception as raised:
                return f"{type(raised).__name__}: {raised}"
            raise SystemExit("nothing was raised")
        """
        return self.python("-c", textwrap.dedent(head) + textwrap.dedent(code)).stdout.strip()


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)
