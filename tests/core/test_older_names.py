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
