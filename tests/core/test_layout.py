"""Results lie in memory in the order of their dimensions, so that `view` works on them as in PyTorch."""

import pytest

import dispatch_core as dc

CALLS = {
    "contiguous": lambda q: q.contiguous(),
    "softmax": lambda q: q.softmax(-1),
    "log_softmax": lambda q: q.log_softmax(-1),
    "cat": lambda q: dc.cat([q, q]),
    "stack": lambda q: dc.stack([q, q]),
    "amax": lambda q: q.amax(0),
    "max": lambda q: q.max(0).values,
    "mean": lambda q: q.mean(0),
    "sum": lambda q: q.sum(0),
    "cumsum": lambda q: q.cumsum(1),
    "roll": lambda q: q.roll(1, 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_of_a_transposed_tensor_can_be_viewed(name):
    q = dc.ones(2, 3, 4).transpose(1, 2)
    result = CALLS[name](q)
    assert result.is_contiguous()
    assert result.view(-1).numel() == result.numel()


def test_the_heads_of_attention_are_joined():
    o = dc.randn(2, 3, 5, 4)
    assert o.permute(0, 2, 1, 3).contiguous().view(2, 5, -1).shape == (2, 5, 12)


@pytest.mark.parametrize("call", [lambda x: dc.nn.functional.pad(x, (0, 0)), lambda x: x.diff(n=0)])
def test_a_copy_shares_no_memory(call):
    x = dc.ones(2, 3)
    call(x).zero_()
    assert x.sum().item() == 6
