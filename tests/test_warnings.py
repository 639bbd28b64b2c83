"""Warnings name the line of the user's program, and those of PyTorch are there."""

import warnings

import pytest

import dispatch_core as dc
from dispatch_core.nn import functional as F


def warned(function, *args, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args, **kwargs)
    (found,) = caught
    assert found.filename == __file__
    return str(found.message)


def test_a_loss_of_different_sizes():
    message = warned(lambda: F.mse_loss(dc.ones(2, 1), dc.ones(2)))
    assert message.startswith("Using a target size")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.kl_div(dc.zeros(2), dc.ones(2)), "reduction: 'mean' divides"),
        (lambda: F.l1_loss(dc.zeros(2), dc.ones(2), size_average=True), "size_average and reduce"),
        (lambda: dc.nn.L1Loss(size_average=True), "size_average and reduce"),
        (lambda: dc.nn.RNN(2, 2, dropout=0.5), "dropout option"),
        (lambda: dc.exp(dc.ones(2), out=dc.ones(3)), "An output with one or more elements"),
    ],
)
def test_other_warnings(call, message):
    assert message in warned(call)


def test_a_fallback_to_the_host():
    x = dc.ones(2, dtype=dc.float16, device="example")
    with dc.fallback("warn"), pytest.MonkeyPatch.context() as patch:
        from dispatch_core.backend.registry import backend_of

        table = backend_of("example").kernels
        patch.setattr(table, "candidates", lambda name: [])
        dc.exp.op.forget()
        assert "runs on the host" in warned(lambda: dc.exp(x))
    dc.exp.op.forget()


def test_the_gradient_of_a_tensor_that_is_no_leaf():
    x = dc.ones(2, requires_grad=True)
    y = x * 2
    assert "not a leaf" in warned(lambda: y.grad)
    y.retain_grad()
    assert y.grad is None
    y.sum().backward()
    assert (x.grad.tolist(), y.grad.tolist(), dc.ones(1).grad) == ([2, 2], [1, 1], None)


def test_a_tensor_of_a_tensor():
    assert "sourceTensor.detach().clone()" in warned(lambda: dc.tensor(dc.ones(2)))
