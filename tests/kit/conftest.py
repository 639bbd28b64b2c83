"""Packages written from the templates, seen by Python without being installed."""

import os
import subprocess
import sys
import tomllib

import pytest

from dispatch_core._commands import scaffold


class Package:
    """A generated package and the processes that see it."""

    def __init__(self, kind, name, folder):
        scaffold.write(scaffold.KINDS[kind], name, str(folder))
        self.folder = folder / f"dispatch-{name.replace('_', '-')}"
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        info = self.folder / f"dispatch_{name}-{project['version']}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines = []
        for group, entries in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{k} = {v}" for k, v in entries.items())]
        info.joinpath("entry_points.txt").write_text("\n".join(lines) + "\n")

    def python(self, *arguments, check=True):
        """Run Python in the package's folder."""
        path = os.pathsep.join([str(self.folder), *(p for p in sys.path if p)])
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": path},
            timeout=600,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def package(tmp_path):
    def made(kind, name):
        return Package(kind, name, tmp_path)

    return made
