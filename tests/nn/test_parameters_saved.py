"""Parameters and buffers come back from a file as what they were."""

import subprocess
import sys

import pytest

import dispatch_core as dc


@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_parameter_comes_back_as_one(tmp_path, requires_grad):
    kept = dc.nn.Parameter(dc.ones(2), requires_grad=requires_grad)
    dc.save({"p": kept, "b": dc.nn.Buffer(dc.zeros(1))}, tmp_path / "f")
    found = dc.load(tmp_path / "f")
    assert type(found["p"]) is dc.nn.Parameter
    assert found["p"].requires_grad is requires_grad
    assert type(found["b"]) is dc.nn.Buffer


def test_a_process_that_has_not_used_nn_reads_a_parameter(tmp_path):
    dc.save(dc.nn.Parameter(dc.ones(2)), tmp_path / "f")
    script = f"import dispatch_core as dc; print(type(dc.load({str(tmp_path / 'f')!r})).__name__)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "Parameter"
