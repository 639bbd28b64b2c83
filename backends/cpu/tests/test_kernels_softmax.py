"""Softmax and cross-entropy kernels against their formulas."""

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels import softmax as module
from dispatch_cpu.kernels.loss import cross_entropy_classes
from dispatch_cpu.kernels.softmax import (
    log_softmax,
    log_softmax_backward,
    softmax,
    softmax_backward,
)

rng = np.random.default_rng(0)
CASES = [((), 0), ((5,), 0), ((5,), -1), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((2, 3, 4), -3)]


@pytest.mark.parametrize(("shape", "dim"), CASES)
@pytest.mark.parametrize("block_bytes", [1, 1 << 18])
def test_forward_and_backward(shape, dim, block_bytes, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", block_bytes)
    x = np.asarray(rng.standard_normal(shape)) * 5
    g = np.asarray(rng.standard_normal(shape))
    axis = dim if shape else None
    e = np.exp(x)
    expected = e / e.sum(axis=axis, keepdims=True)
    out, log_out = softmax(x, dim), log_softmax(x, dim)
    assert isinstance(out, np.ndarray)
    np.testing.assert_allclose(out, expected)
    np.testing.assert_allclose(log_out, np.log(expected), atol=1e-12)
    grad = (g - (g * expected).sum(axis=axis, keepdims=True)) * expected
    np.testing.assert_allclose(softmax_backward(g, out, dim), grad, atol=1e-12)
    grad = g - expected * g.sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(log_softmax_backward(g, log_out, dim), grad, atol=1e-12)


@pytest.mark.parametrize("dim", [0, 1])
def test_infinities_behave_as_in_pytorch(dim):
    x = np.array([[-np.inf, -np.inf], [0, -np.inf], [np.inf, 1]])
    x = x.T.copy() if dim == 0 else x
    with np.errstate(invalid="ignore", divide="ignore"):
        out, log_out = softmax(x, dim), log_softmax(x, dim)
    rows, log_rows = (out.T, log_out.T) if dim == 0 else (out, log_out)
    assert np.isnan(rows[0]).all()
    assert np.isnan(log_rows[0]).all()
    np.testing.assert_array_equal(rows[1], [1, 0])
    np.testing.assert_array_equal(log_rows[1], [0, -np.inf])
    assert np.isnan(rows[2, 0])


def test_large_values_do_not_overflow():
    x = np.array([1e4, 1e4, -1e4], np.float32)
    np.testing.assert_array_equal(softmax(x, 0), np.float32([0.5, 0.5, 0]))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_empty(shape):
    x = np.zeros(shape, np.float32)
    for dim in range(len(shape)):
        assert softmax(x, dim).shape == shape
        assert log_softmax_backward(x, log_softmax(x, dim), dim).shape == shape


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_sums_in_float32(dtype):
    out = softmax(np.zeros(4096, dtype), 0)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out.astype(np.float32), np.float32(1 / 4096))


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 3), (2, 5, 3, 2), (5,)])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize(("weighted", "ignored"), [(False, -100), (True, -100), (True, 2)])
def test_cross_entropy(shape, reduction, weighted, ignored):
    x = rng.standard_normal(shape)
    dim = 1 if len(shape) > 1 else 0
    target_shape = shape[:1] + shape[2:] if len(shape) > 1 else ()
    target = np.asarray(rng.integers(0, 5, target_shape))
    weight = rng.uniform(0.5, 2, 5) if weighted else None
    with np.errstate(invalid="ignore"):  # the mean over a single target that is ignored
        loss, log_probs = cross_entropy_classes(x, target, weight, ignored, reduction)
    np.testing.assert_allclose(log_probs, log_softmax(x, dim))
    expected, total = np.zeros(target_shape), 0
    for at in np.ndindex(target_shape):
        if target[at] != ignored:
            count = weight[target[at]] if weighted else 1
            expected[at] = -count * log_probs[(*at[:1], target[at], *at[1:])]
            total += count
    if reduction == "sum":
        expected = expected.sum()
    elif reduction == "mean":
        expected = expected.sum() / total if total else np.nan
    np.testing.assert_allclose(loss, expected)


@pytest.mark.parametrize("bad", [5, -1])
def test_cross_entropy_names_the_class_that_is_out_of_bounds(bad):
    with pytest.raises(IndexError, match=f"Target {bad} is out of bounds"):
        cross_entropy_classes(np.zeros((2, 5)), np.array([0, bad]), None, -100, "mean")


def test_cross_entropy_of_an_empty_batch():
    empty = np.zeros(0, np.int64)
    loss, log_probs = cross_entropy_classes(np.zeros((0, 5)), empty, None, -100, "none")
    assert loss.shape == (0,)
    assert log_probs.shape == (0, 5)


@pytest.mark.parametrize("scale", [1, 30, 200])
@pytest.mark.parametrize("shape", [(2, 2), (3, 5), (4, 40), (6,), (2, 3, 4)])
def test_small_softmax_with_and_without_shift(shape, scale):
    """Moderate values are not shifted; infinities and NaN are never moderate."""
    x = (np.linspace(-1, 1, np.prod(shape)) * scale).reshape(shape).astype(np.float32)
    for value in (x.flat[0], np.inf, -np.inf, np.nan):
        x.flat[0] = value
        for dim in range(x.ndim):
            with np.errstate(invalid="ignore", divide="ignore", under="ignore"):
                shifted = np.exp(x.astype(np.float64) - x.max(dim, keepdims=True))
                expected = shifted / shifted.sum(dim, keepdims=True)
                np.testing.assert_allclose(softmax(x, dim), expected, rtol=1e-5, atol=1e-37)
                logarithm = x - x.max(dim, keepdims=True)
                logarithm -= np.log(shifted.sum(dim, keepdims=True))
                np.testing.assert_allclose(log_softmax(x, dim), logarithm, rtol=1e-5, atol=1e-6)
