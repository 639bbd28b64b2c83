"""Names under which programs written for PyTorch look for what is called otherwise today."""

import importlib

import pytest

import dispatch_core as dc
from dispatch_core.autograd import Variable


def test_variable_makes_a_leaf_and_every_tensor_is_one():
    data = dc.ones(2)
    leaf = Variable(data, requires_grad=True)
    (leaf * 3).sum().backward()
    assert leaf.grad.tolist() == [3, 3]
    assert not data.requires_grad
    assert not Variable(leaf * 2).requires_grad
    assert isinstance(data, Variable)
    assert not isinstance(3, Variable)
    with pytest.raises(TypeError, match="must be Tensor"):
        Variable([1.0])


@pytest.mark.parametrize(
    ("module", "name"),
    [("grad_mode", "no_grad"), ("function", "Function"), ("variable", "Variable")],
)
def test_modules_of_autograd(module, name):
    found = importlib.import_module(f"dispatch_core.autograd.{module}")
    assert getattr(found, name) is getattr(dc.autograd, name)
    assert getattr(dc.autograd, module) is found


def test_vmap_is_a_public_function():
    assert dc.vmap is dc.func.vmap


def test_types_of_tensors_make_and_recognise_them():
    assert dc.LongTensor([1, 2]).dtype is dc.int64
    assert dc.FloatTensor(2, 3).shape == (2, 3)
    assert dc.ByteTensor().shape == (0,)
    assert dc.DoubleTensor(dc.Size([2])).shape == (2,)
    assert dc.HalfTensor(((1, 2), (3, 4))).tolist() == [[1, 2], [3, 4]]
    assert dc.FloatTensor(range(3), device="example").device.type == "example"
    x = dc.ones(2)
    assert dc.FloatTensor(x).data_ptr() == x.data_ptr()
    assert isinstance(x, dc.FloatTensor)
    assert not isinstance(x, dc.DoubleTensor)
    assert not isinstance(3, dc.FloatTensor)
    assert x.type() == "dc.FloatTensor"
    assert dc.ones(2, device="meta").long().type() == "dc.meta.LongTensor"
    assert x.type(dc.LongTensor).dtype is dc.int64
    assert x.type("torch.DoubleTensor").dtype is dc.float64
    assert repr(dc.IntTensor) == "<class 'dc.IntTensor'>"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.FloatTensor(dc.ones(2).double()), TypeError, "expected a tensor of dc.float32"),
        (lambda: dc.LongTensor(3.0), TypeError, "data must be a sequence"),
        (lambda: dc.FloatTensor("a"), TypeError, "data must be a sequence"),
        (lambda: dc.ones(1).type("dc.FooTensor"), ValueError, "invalid type: 'dc.FooTensor'"),
        (lambda: dc.set_default_tensor_type(dc.LongTensor), TypeError, "floating-point"),
    ],
)
def test_types_of_tensors_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_default_type_is_that_of_numbers():
    try:
        dc.set_default_tensor_type(dc.DoubleTensor)
        assert dc.ones(2).dtype is dc.float64
        dc.set_default_tensor_type("torch.HalfTensor")
        assert dc.tensor(0.5).dtype is dc.float16
    finally:
        dc.set_default_dtype(dc.float32)
