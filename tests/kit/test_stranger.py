"""As a stranger would: generated packages installed into a fresh environment, all their tests run."""

import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(*arguments):
        done = subprocess.run(
            [str(python), *arguments],
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, str(ROOT))
    for kind, name in (("backend", "npu"), ("domain", "pictures"), ("layer", "watch")):
        run("-m", "dispatch_core", f"new-{kind}", name)
        run(*pip, f"./dispatch-{name}[test]")
    run.folder = folder
    return run


@pytest.mark.parametrize("name", ["pictures", "watch"])
def test_a_domain_and_a_layer_pass_their_tests(stranger, name):
    assert " failed" not in stranger("-m", "pytest", "-q", f"dispatch-{name}")


def test_the_backend_passes_the_whole_suite_and_has_a_card(stranger):
    out = stranger("-m", "dispatch_core", "conformance", "npu")
    assert " failed" not in out
    card = (stranger.folder / "conformance-npu.md").read_text()
    assert "None is known." in card
    assert "| float32 | 2e-05 | 4e-06 |" in card


def test_nothing_is_wrong_with_the_installation(stranger):
    assert "no problem found" in stranger("-m", "dispatch_core", "doctor")
