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


def test_a_clone_of_a_repeated_tensor_lies_in_order():
    assert dc.ones(3, 4).expand(5, 3, 4).clone().is_contiguous()
    assert dc.ones(3, 4).t().clone().stride() == (1, 4)


ELEMENT_BY_ELEMENT = {
    "abs of integers": lambda t: t.int().abs(),
    "erf": lambda t: t.erf(),
    "floor of integers": lambda t: t.int().floor(),
    "gelu": lambda t: dc.nn.functional.gelu(t),
    "gelu, tanh": lambda t: dc.nn.functional.gelu(t, approximate="tanh"),
    "lgamma of halves": lambda t: t.half().lgamma(),
    "relu": lambda t: t.relu(),
    "sigmoid": lambda t: t.sigmoid(),
}


@pytest.mark.parametrize("name", ELEMENT_BY_ELEMENT)
def test_what_is_computed_element_by_element_lies_as_its_operand(name):
    call = ELEMENT_BY_ELEMENT[name]
    plain = dc.arange(24.0).view(2, 3, 4) / 7
    turned = plain.permute(2, 0, 1)
    assert call(turned).stride() == turned.stride()
    assert call(turned).equal(call(plain).permute(2, 0, 1))
    assert call(plain[:, ::2, 1:]).equal(call(plain)[:, ::2, 1:])
    assert call(plain[:, :1].expand(2, 3, 4)).equal(call(plain)[:, :1].expand(2, 3, 4))


STRIDED = {
    "diagonal": lambda x: x.diagonal(1),
    "expand": lambda x: x[:, 1:2].expand(3, 4),
    "unfold": lambda x: x[:, 1:].unfold(1, 2, 1),
}


@pytest.mark.parametrize("name", STRIDED)
def test_views_by_strides_belong_to_the_memory_they_show(name):
    x = dc.arange(12.0).view(3, 4)
    view = STRIDED[name](x)
    assert view.storage_offset() == 1
    x.add_(1)
    assert view._version == x._version == 1
    w = dc.ones(3, 4, requires_grad=True) * 1
    saved = STRIDED[name](w).square()
    w.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        saved.sum().backward()
