"""SparseAdam against PyTorch's, over ten steps."""

import json
import math
from pathlib import Path

import pytest

import dispatch_core as dc
from dispatch_core.ops.rows import row_sparse

CASES = json.loads((Path(__file__).parent / "golden" / "sparse_adam.json").read_text())
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["options"]))


@each_case
def test_trajectory(case):
    param = dc.tensor([math.sin(i + 1) for i in range(8)], dtype=dc.float64).reshape(4, 2)
    param.requires_grad_()
    optimizer = dc.optim.SparseAdam([param], **case["options"])
    for step, expected in enumerate(case["trajectory"]):
        rows = [step % 4, (2 * step + 1) % 4, step % 3]
        values = [math.cos(1.7 * step + i) for i in range(6)]
        values = dc.tensor(values, dtype=dc.float64).reshape(3, 2)
        param.grad = row_sparse(dc.tensor(rows), values, 4)
        optimizer.step()
        assert param.flatten().tolist() == pytest.approx(expected, rel=1e-10)
    saved = optimizer.state_dict()
    state = saved["state"][0]
    assert list(state) == list(case["saved"]["state"]["0"])
    assert (state["step"], type(state["step"])) == (10, int)
    assert list(saved["param_groups"][0]) == list(case["saved"]["param_groups"][0])


def test_rows_without_gradient_stay():
    param = dc.ones(3, 2, requires_grad=True)
    param.grad = row_sparse(dc.tensor([1]), dc.ones(1, 2), 3)
    dc.optim.SparseAdam([param]).step()
    assert param[0].tolist() == param[2].tolist() == [1, 1]
    assert (param[1] < 1).all()


def test_what_it_refuses():
    param = dc.ones(2, requires_grad=True)
    param.grad = dc.ones(2)
    with pytest.raises(RuntimeError, match="does not support dense gradients, please consider Ad"):
        dc.optim.SparseAdam([param]).step()
    with pytest.raises(ValueError, match="Invalid learning rate: 0"):
        dc.optim.SparseAdam([param], lr=0)
    with pytest.raises(ValueError, match="Invalid epsilon value: 0"):
        dc.optim.SparseAdam([param], eps=0)
    with pytest.raises(ValueError, match="Invalid beta parameter at index 1: 1"):
        dc.optim.SparseAdam([param], betas=(0.9, 1))
    with pytest.raises(ValueError, match=r"Complex params at indices \[\[0, 1\]\]"):
        dc.optim.SparseAdam([param, dc.ones(2, dtype=dc.complex64, requires_grad=True)])
