"""What a formula does not ask for is not saved, so it may be written in place afterwards."""

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn import functional as F

CALLS = {
    "batch_norm": lambda x: nn.BatchNorm1d(4)(x),
    "layer_norm": lambda x: F.layer_norm(x, (4,)),
    "group_norm": lambda x: F.group_norm(x, 2),
    "max": lambda x: x.max(0).values,
    "sort": lambda x: x.sort(0).values,
    "topk": lambda x: x.topk(2, 0).values,
    "cummax": lambda x: x.cummax(0).values,
    "max_pool": lambda x: F.max_pool1d(x[None], 2),
    "cross_entropy": lambda x: F.cross_entropy(x, dc.tensor([0, 1, 2])),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_that_no_formula_needs_may_be_written(name):
    call = CALLS[name]
    dc.manual_seed(0)
    x = dc.randn(3, 4)
    plain = x.clone().requires_grad_()
    (call(plain) * 1).sum().backward()
    written = x.clone().requires_grad_()
    call(written).add_(1).sum().backward()
    assert dc.allclose(plain.grad, written.grad)


def test_a_residual_block_with_relu_in_place_learns():
    block = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(inplace=True))
    x = dc.randn(2, 2, 4, 4)
    out = block(x)
    out += x
    out.relu_().sum().backward()
    assert all(p.grad is not None for p in block.parameters())
