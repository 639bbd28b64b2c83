"""Anomaly mode."""

import pytest

import dispatch_core as dc
from dispatch_core import autograd


@pytest.fixture
def anomaly():
    with autograd.set_detect_anomaly(True):
        yield


def test_switches():
    assert not autograd.is_anomaly_enabled()
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = autograd.detect_anomaly()
    with mode:
        assert autograd.is_anomaly_enabled()
        assert autograd.is_anomaly_check_nan_enabled()
        with autograd.set_detect_anomaly(True, check_nan=False):
            assert not autograd.is_anomaly_check_nan_enabled()
        with autograd.set_detect_anomaly(False):
            assert not autograd.is_anomaly_enabled()
    assert not autograd.is_anomaly_enabled()
    assert not autograd.is_anomaly_check_nan_enabled()


def notes_of(error):
    return "\n".join(getattr(error, "__notes__", []))


def test_nan_gradients_name_the_forward_line(anomaly):
    x = dc.tensor([0.0, 4.0], requires_grad=True)
    y = dc.sqrt(x)  # the guilty line
    with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan") as caught:
        (y * 0).sum().backward()
    assert "y = dc.sqrt(x)  # the guilty line" in notes_of(caught.value)
    assert "Error detected in SqrtBackward0" in notes_of(caught.value)


def test_without_the_check_nan_passes():
    x = dc.tensor([0.0], requires_grad=True)
    with autograd.set_detect_anomaly(True, check_nan=False):
        (dc.sqrt(x) * 0).backward()
    assert x.grad.isnan().all()


def test_errors_in_backward_name_the_forward_line(anomaly):
    class Angry(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("angry")

    x = dc.ones(2, requires_grad=True)
    y = Angry.apply(x)  # called here
    with pytest.raises(ValueError, match="angry") as caught:
        y.sum().backward()
    assert "y = Angry.apply(x)  # called here" in notes_of(caught.value)


def test_a_modified_saved_tensor_names_the_forward_line(anomaly):
    x = dc.ones(2, requires_grad=True)
    y = dc.exp(x)  # saves y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        y.sum().backward()
    assert "y = dc.exp(x)  # saves y" in notes_of(caught.value)


def test_gradients_are_the_same(anomaly):
    x = dc.tensor([1.0, 2.0], requires_grad=True)
    z = dc.zeros(2)
    z[0] = (x * x).sum()
    values, _ = dc.max(x.reshape(1, 2), 1)
    (z.sum() + values.sum()).backward()
    assert x.grad.tolist() == [2.0, 5.0]


def test_tracing_of_graphs_with_create_graph(anomaly):
    x = dc.tensor([2.0], requires_grad=True)
    (g,) = autograd.grad(x * x * x, x, create_graph=True)
    (h,) = autograd.grad(g, x)
    assert h.item() == 12.0
