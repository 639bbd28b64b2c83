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


FEW = {
    "one element": lambda: dc.ones(1).var(),
    "rows of one": lambda: dc.ones(2, 1).std(1),
    "nothing": lambda: dc.var_mean(dc.ones(0), correction=0),
    "corrected": lambda: dc.std_mean(dc.ones(3), correction=5),
    "covariance": lambda: dc.cov(dc.ones(2, 1)),
    "correlation": lambda: dc.corrcoef(dc.ones(2, 1)),
}


@pytest.mark.parametrize("call", FEW.values(), ids=FEW)
def test_a_variance_of_too_few_values(call):
    assert "degrees of freedom is <= 0" in warned(call)
    assert "degrees of freedom is <= 0" in warned(call)  # each time


def test_a_variance_of_enough_values():
    assert dc.ones(1).var(correction=0) == dc.ones(2).var() == 0


COMPLEX = dc.tensor([1 + 1j, 2.0])
ONCE = {
    "x.to": (lambda: COMPLEX.to(dc.int64), "discards the imaginary part"),
    "x.float": (lambda: COMPLEX.float(), "discards the imaginary part"),
    "x.type": (lambda: COMPLEX.type("dc.FloatTensor"), "discards the imaginary part"),
    "as_tensor": (lambda: dc.as_tensor(COMPLEX, dtype=dc.float32), "discards the imaginary"),
    "x.copy_": (lambda: dc.zeros(2).copy_(COMPLEX), "discards the imaginary part"),
    "x[i] = y": (lambda: dc.zeros(2).__setitem__(0, COMPLEX[0]), "discards the imaginary part"),
    "vector.T": (lambda: dc.ones(2).T, "x.permute"),
    "batch.T": (lambda: dc.ones(2, 2, 2).T, "x.mT"),
    "number.H": (lambda: dc.tensor(1.0).H, "x.conj()"),
    "meshgrid": (lambda: dc.meshgrid(dc.ones(2), dc.ones(2)), "indexing argument"),
    "x.backward": (
        lambda: dc.ones(1, requires_grad=True).sum().backward(create_graph=True),
        "reference cycle",
    ),
    "autograd.backward": (
        lambda: dc.autograd.backward(dc.ones(1, requires_grad=True) * 2, create_graph=True),
        "reference cycle",
    ),
}


@pytest.mark.parametrize(("call", "words"), ONCE.values(), ids=ONCE)
def test_what_is_said_once(call, words, monkeypatch):
    monkeypatch.setattr("dispatch_core._caller.TOLD", set())
    assert words in warned(call)
    call()  # says nothing more


def test_what_discards_nothing(monkeypatch):
    monkeypatch.setattr("dispatch_core._caller.TOLD", set())
    assert COMPLEX.bool().tolist() == [True, True]
    assert COMPLEX.real.double().tolist() == [1, 2]
    assert dc.ones(2).to(dc.complex64).to(dc.complex128).dtype is dc.complex128
    x = dc.ones(2, requires_grad=True)
    (x * COMPLEX).abs().sum().backward()
    assert x.grad.dtype is dc.float32
    assert dc.ones(2, 3).T.shape == (3, 2)
    assert dc.ones(2, 3).H.shape == (3, 2)
    assert len(dc.meshgrid(dc.ones(2), indexing="xy")) == 1


@pytest.mark.parametrize("write", [False, True])
def test_bytes_as_a_mask(write):
    mask, x = dc.tensor([1, 0, 1], dtype=dc.uint8), dc.arange(3)
    assert "please use a dtype dc.bool" in warned(
        lambda: x.__setitem__(mask, 5) if write else x[mask]
    )
    assert x.tolist() == ([5, 1, 5] if write else [0, 1, 2])
