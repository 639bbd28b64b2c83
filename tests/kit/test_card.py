"""The coverage card: what it says, in JSON and in Markdown."""

import json
import subprocess
import sys

import pytest

from dispatch_core.__main__ import main


@pytest.fixture
def written(tmp_path, capfd):
    def run(*arguments):
        assert main(("conformance", *arguments, "--card", str(tmp_path))) == 0
        return capfd.readouterr().out

    return run


def test_a_card_of_a_few_operators(written, tmp_path):
    out = written("example", "-k", "test_values and (exp or add or softmax or stft)")
    assert f"coverage card of example: {tmp_path}" in out
    card = json.loads((tmp_path / "conformance-example.json").read_text())
    assert (card["device"], card["provider"]) == ("example", "dispatch-example")
    assert card["selection"].startswith("-k 'test_values and")
    assert card["checks"]["failed"] == 0
    assert card["checks"]["passed"] == card["operators_tested"] > 4
    exp, softmax = card["operators"]["exp"], card["operators"]["softmax"]
    assert exp["checks"] == {"values": "passed"}
    assert exp["dtypes"]["float32"] == "kernel"
    assert softmax["dtypes"]["float16"] == "body"
    assert softmax["dtypes"]["bool"] == "-"
    assert card["operators"]["matmul"]["checks"] == {}
    assert "smoothstep" not in card["operators"]
    assert card["tolerances"]["float32"] == {"relative": 2e-05, "absolute": 4e-06}
    text = (tmp_path / "conformance-example.md").read_text()
    assert text.startswith("# Coverage of device example\n")
    assert "| `exp` | K | K |" in text.replace("| . |", "| K |")
    assert "None is known." in text
    assert "| float32 | 2e-05 | 4e-06 |" in text
    assert not list(tmp_path.glob(".*"))


def test_a_card_of_one_device_of_several_and_of_a_namespace(written, tmp_path):
    written("sim:1", "--namespace", "example", "-k", "test_values")
    card = json.loads((tmp_path / "conformance-sim-1-example.json").read_text())
    assert list(card["operators"]) == ["smoothstep"]


def test_failures_stand_in_the_card(tmp_path):
    suite = """
from dispatch_core.testing import conformance
from dispatch_core.backend.registry import backend_of

def wrong(input):
    return input

backend_of("example").kernels.register("exp", wrong, priority=5)

class TestIt(conformance.Suite):
    device = "example"
    operators = ("exp", "neg")
"""
    (tmp_path / "test_it.py").write_text(suite)
    command = ["-p", "dispatch_core.testing.card", f"--conformance-card={tmp_path}", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *command, "-m", "not slow"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    card = json.loads((tmp_path / "conformance-example.json").read_text())
    assert card["operators"]["exp"]["checks"]["values"] == "failed"
    assert card["operators"]["neg"]["checks"]["values"] == "passed"
    text = (tmp_path / "conformance-example.md").read_text()
    assert "| `exp` | fails, and is not listed as a gap: values" in text


def test_no_card_is_written_where_none_is_wanted(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    choice = ("--namespace", "example", "-k", "test_values")
    assert main(("conformance", "example", *choice, "--no-card")) == 0
    assert not list(tmp_path.iterdir())
    assert main(("conformance", "example", *choice)) == 0
    assert len(list(tmp_path.iterdir())) == 2
    assert main(("conformance", "example", "--card", str(tmp_path / "nowhere"))) == 2
    assert "there is no folder" in capfd.readouterr().err
