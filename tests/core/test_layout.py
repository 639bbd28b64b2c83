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
    "fft": lambda q: dc.fft.fft(q),
    "rfft": lambda q: dc.fft.rfft(q, dim=1),
    "ifft2": lambda q: dc.fft.ifft2(q),
    "irfftn": lambda q: dc.fft.irfftn(q + 0j),
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


LIKE = {
    "empty_like": dc.empty_like,
    "zeros_like": dc.zeros_like,
    "ones_like": dc.ones_like,
    "full_like": lambda x, **kw: dc.full_like(x, 2.0, **kw),
    "rand_like": dc.rand_like,
    "randn_like": dc.randn_like,
    "randint_like": lambda x, **kw: dc.randint_like(x, 5, **kw),
}
COPIES = {
    "clone": dc.clone,
    "double": lambda x, **kw: x.double(**kw),
    "to": lambda x, **kw: x.to(dc.float64, **kw),
}
MADE = [(name, device) for device in ("cpu", "example", "meta") for name in LIKE]
MADE += [(name, "cpu") for name in COPIES]
IMAGES = {"memory_format": dc.channels_last}


@pytest.mark.parametrize(("name", "device"), MADE)
def test_what_is_made_like_a_tensor_lies_as_it(name, device):
    make = (LIKE | COPIES)[name]
    x = dc.empty(2, 3, 4, device=device)
    moved = make(x.permute(2, 0, 1))
    assert (tuple(moved.shape), moved.stride()) == ((4, 2, 3), (1, 12, 4))
    assert make(x).is_contiguous()
    cut = dc.empty(4, 6, device=device)[:, 1:4].t()
    assert make(cut).stride() == (1, 3)
    assert make(dc.empty(3, 1, device=device).expand(3, 4)).is_contiguous()
    assert make(x.permute(2, 0, 1), memory_format=dc.contiguous_format).is_contiguous()
    assert make(x.permute(2, 0, 1), memory_format=dc.preserve_format).stride() == (1, 12, 4)
    images = make(dc.empty(2, 3, 4, 5, device=device), **IMAGES)
    assert images.stride() == (60, 1, 15, 3)
    assert make(images).is_contiguous(**IMAGES)
    with pytest.raises(RuntimeError, match="required rank 4"):
        make(x, **IMAGES)
    with pytest.raises(TypeError, match=r"must be dc\.memory_format, not int"):
        make(x, memory_format=3)


def test_what_is_made_like_a_tensor_is_no_view():
    x = dc.ones(2, 3).t()
    made = dc.zeros_like(x, requires_grad=True)
    assert made.is_leaf
    (made * 2).sum().backward()
    assert made.grad.tolist() == [[2, 2]] * 3
    assert made.stride() == (1, 3)
    assert dc.ones_like(x).tolist() == [[1, 1]] * 3
    assert dc.func.vmap(dc.zeros_like)(dc.ones(2, 3, 4).transpose(1, 2)).shape == (2, 4, 3)


def test_memory_formats_of_new_and_converted_tensors():
    assert dc.empty(2, 3, 4, 5, **IMAGES).stride() == (60, 1, 15, 3)
    with pytest.raises(RuntimeError, match="unsupported memory format"):
        dc.empty(2, memory_format=dc.preserve_format)
    x = dc.rand(2, 3, 4, 5)
    y = x.to(**IMAGES)
    assert y.stride() == x.cpu(**IMAGES).stride() == (60, 1, 15, 3)
    assert dc.equal(x, y)
    assert y.to(**IMAGES) is y
    assert dc.nn.Conv2d(3, 2, 3).to(**IMAGES).weight.is_contiguous(**IMAGES)
