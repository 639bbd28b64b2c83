"""`python -m dispatch_core`, every subcommand."""

import subprocess
import sys

import pytest

import dispatch_core as dc
from dispatch_core.__main__ import main

COMMANDS = (
    *("plugins", "devices", "layers", "domains", "ops", "explain", "conformance", "doctor"),
    *("new-backend", "new-domain", "new-layer"),
)


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_help_names_every_subcommand(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command}" in text


def test_without_a_command_everything_is_listed_briefly(run):
    code, out, _ = run()
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "dispatch-core" in lines["plugins"]
    assert "cpu" in lines["devices"]
    assert "autograd" in lines["layers"]
    assert f"{len(dc._op.OPERATORS)}, " in lines["operators"]
    for command in COMMANDS:
        assert f"python -m dispatch_core {command}" in out


def test_conformance(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(("conformance", "example", "-k", "test_values and (exp or add)")) == 0
    assert "passed" in capfd.readouterr().out
    assert main(("conformance", "cpu", "--namespace", "example")) == 0
    assert main(("conformance", "cpu", "-k", "no_such_operator")) != 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("example.smoothstep", "smoothstep"),
        ("ops.example.smoothstep", "smoothstep"),
        ("nn.functional.relu", "relu"),
        ("dispatch_core.linalg.solve", "linalg_solve"),
        ("Tensor.add", "add"),
        ("absolute", "abs"),
    ],
)
def test_operators_are_found_by_every_public_name(run, name, shown):
    code, out, _ = run("explain", name, "cpu", "float32")
    assert code == 0
    assert out.startswith(f"{shown}(")
    assert dc.override(name, fn=abs)


def test_plugins(run):
    code, out, _ = run("plugins")
    assert code == 0
    assert "dispatch-core" in out
    assert "device 'cpu'" in out


def test_devices(run):
    code, out, _ = run("devices")
    assert code == 0
    assert any(line.startswith("cpu") and "numpy" in line for line in out.splitlines())


def test_layers(run):
    code, out, _ = run("layers", "--no-load")
    names = [line.split()[0] for line in out.splitlines()[2:] if line and not line.startswith(" ")]
    assert code == 0
    assert names.index("profiler") < names.index("autograd") < names.index("device")


def test_ops_summary(run):
    code, out, _ = run("ops", "--device", "cpu")
    assert code == 0
    for dtype in ("bool", "bfloat16", "complex128"):
        (line,) = [line for line in out.splitlines() if line.split()[:2] == ["cpu", dtype]]
        assert line.split()[4] == "0", f"the cpu lacks operators in {dtype}"


def test_ops_of_some_names(run):
    code, out, _ = run("ops", "--device", "cpu", "exp", "var")
    assert code == 0
    assert "exp" in out
    assert "var" in out
    assert "matmul" not in out


def test_ops_missing(run):
    code, out, _ = run("ops", "--device", "cpu", "--missing")
    assert code == 0
    assert "nothing is missing" in out


def test_ops_primitives(run):
    code, out, _ = run("ops", "--primitives")
    assert code == 0
    assert "| `matmul` |" in out


def test_explain(run):
    code, out, _ = run("explain", "exp", "cpu", "float32", "--grad")
    assert code == 0
    assert "records ExpBackward0" in out
    assert "kernel cpu:exp" in out


def test_explain_of_a_dtype_that_makes_no_sense(run):
    code, out, _ = run("explain", "matmul", "cpu", "bool")
    assert code == 0
    assert "raises NotImplementedError" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "expp", "cpu", "float32"), "there is no operator 'expp'; did you mean"),
        (("explain", "exp", "cpuu", "float32"), "unknown device 'cpuu'"),
        (("explain", "exp", "cpu", "real"), "unknown dtype 'real'"),
        (("explain", "exp", "cpu", "int64", "--grad"), "cannot require grad"),
        (("ops", "--device", "nowhere"), "unknown device 'nowhere'"),
        (("ops", "nope"), "there is no operator 'nope'"),
        (("explain", "nn.functional.reluu", "cpu", "float32"), "did you mean relu"),
        (("explain", "nowhere.exp", "cpu", "float32"), "there is no operator 'nowhere.exp'"),
        (("conformance", "nowhere"), "unknown device 'nowhere'"),
        (("conformance", "cpu", "--namespace", "nothing"), "provides operators 'nothing'"),
    ],
)
def test_mistakes(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_every_operator_can_be_explained_on_the_cpu(run):
    for name in dc._op.OPERATORS:
        assert run("explain", name, "cpu", "float32")[0] == 0


def test_whoever_reads_may_stop():
    command = f"{sys.executable} -m dispatch_core ops | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""
