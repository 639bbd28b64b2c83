"""As a stranger would: a fresh environment, `pip install`, a broken package beside it."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.network

BROKEN = """
[build-system]
requires = ["hatchling>=1.27,<2"]
build-backend = "hatchling.build"
[project]
name = "dispatch-broken"
version = "0.1"
[project.entry-points.dispatch_core]
broken = "dispatch_broken"
[project.entry-points."dispatch_core.layers"]
broken_layer = "dispatch_broken"
[tool.hatch.build.targets.wheel]
packages = ["dispatch_broken"]
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    package = folder / "broken" / "dispatch_broken"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('raise RuntimeError("half of it is missing")\n')
    (folder / "broken" / "pyproject.toml").write_text(BROKEN)
    venv.create(folder / "venv", with_pip=True)
    found = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(*arguments, check=True):
        done = subprocess.run(
            [str(found), *arguments],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    packages = [str(ROOT), str(ROOT / "plugins" / "example"), str(folder / "broken")]
    run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return run


def program(python, code):
    return python("-c", "import dispatch_core as dc\n" + code).stdout.strip()


def test_the_framework_comes_from_the_fresh_environment(python):
    where = program(python, "print(dc.__file__)")
    assert not where.startswith(str(ROOT))


def test_the_device_works(python):
    code = """
x = dc.arange(6.0).reshape(2, 3).to("example").requires_grad_()
(x @ x.T).sum().backward()
print(x.grad.device, x.grad.cpu().tolist())
"""
    assert program(python, code) == "example [[6.0, 10.0, 14.0], [6.0, 10.0, 14.0]]"


def test_the_layer_the_operator_and_the_kernel_for_the_cpu_work(python):
    code = """
x = dc.full((2000,), 0.5, requires_grad=True)
with dc.layer("flops") as count:
    dc.ops.example.smoothstep(x).sum().backward()
print(x.grad[0].item(), count.total > 0)
print(dc.explain("smoothstep", x.detach()).kernel)
"""
    assert program(python, code).split("\n") == [
        "1.5 True",
        "kernel dispatch-example:smoothstep on cpu",
    ]


def test_the_broken_package_breaks_nothing_and_says_what_is_wrong(python):
    code = """
print((dc.ones(2) + 1).tolist())
for info in dc.devices():
    print(info.type, info.available, "half of it is missing" in info.reason)
for use in (lambda: dc.ones(1, device="broken"), lambda: dc.layer("broken_layer")):
    try:
        use()
    except RuntimeError as error:
        print(type(error).__name__, "half of it is missing" in str(error))
"""
    assert program(python, code).split("\n") == [
        "[2.0, 2.0]",
        "broken False True",
        "cpu True False",
        "example True False",
        "meta True False",
        "minimal True False",
        "DeviceUnavailableError True",
        "PluginError True",
    ]


def test_the_command_line_shows_it_all(python):
    plugins = python("-m", "dispatch_core", "plugins").stdout
    assert "dispatch-broken" in plugins
    assert "layer 'flops'" in plugins
    doctor = python("-m", "dispatch_core", "doctor", check=False)
    assert doctor.returncode == 1
    assert "half of it is missing" in " ".join(doctor.stdout.split())
    assert "1 problem(s) found" in doctor.stdout


def test_python_is_the_one_of_this_test_run(python):
    version = python("-c", "import sys; print(sys.version_info[:2])").stdout.strip()
    assert version == str(sys.version_info[:2])
