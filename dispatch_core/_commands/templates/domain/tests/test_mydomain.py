"""What the operators compute."""

import pytest

import dispatch_core as dc
from dispatch_mydomain import mydomain_rescale


def test_values_and_gradients():
    x = dc.tensor([0.0, 51.0, 255.0], requires_grad=True)
    y = mydomain_rescale(x)
    assert y.tolist() == pytest.approx([0, 0.2, 1])
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([1 / 255] * 3)


def test_it_is_found_by_its_namespace():
    assert dc.ops.mydomain.mydomain_rescale(dc.tensor(2.0), 1.0, 3.0).item() == 0.5


def test_the_kernel_is_chosen():
    found = dc.explain(mydomain_rescale, dc.ones(4)).kernel
    assert found == "kernel dispatch-mydomain:rescale on cpu"
    assert dc.explain(mydomain_rescale, dc.tensor(1.0)).kernel.startswith("body of")
