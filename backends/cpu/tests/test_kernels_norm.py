"""Normalisation kernels against formulas, and their gradients against differences."""

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels import norm
from dispatch_cpu.kernels.norm import (
    batch_norm_backward,
    group_norm_backward,
    layer_norm_backward,
    native_batch_norm,
    native_group_norm,
    native_layer_norm,
)

rng = np.random.default_rng(0)
EPS = 1e-5
SHAPES = [(6, 4), (5, 4, 3), (3, 4, 5, 2), (2, 4, 9, 9), (2, 4, 3, 3, 2)]


def difference(f, x, direction, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


def check_gradients(forward, backward, arrays):
    """forward(*arrays) -> out; backward(g) -> one gradient an array."""
    g = rng.standard_normal(forward(*arrays).shape)
    for i, (array, grad) in enumerate(zip(arrays, backward(g), strict=True)):
        direction = rng.standard_normal(array.shape)

        def loss(changed, i=i):
            return np.vdot(g, forward(*arrays[:i], changed, *arrays[i + 1 :]))

        assert grad.shape == array.shape
        expected = difference(loss, array, direction)
        np.testing.assert_allclose(np.vdot(grad, direction), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm(shape, affine):
    x = rng.standard_normal(shape) * 3 + 5
    weight, bias = rng.standard_normal((2, shape[1])) if affine else (None, None)
    out, mean, rstd = native_batch_norm(x, weight, bias, EPS)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    np.testing.assert_allclose(mean, x.mean(axes))
    np.testing.assert_allclose(rstd, 1 / np.sqrt(x.var(axes) + EPS))
    column = (1, -1, *(1,) * (x.ndim - 2))
    expected = (x - mean.reshape(column)) * rstd.reshape(column)
    if affine:
        expected = expected * weight.reshape(column) + bias.reshape(column)
    np.testing.assert_allclose(out, expected, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_gradients(shape):
    x, (weight, bias) = rng.standard_normal(shape), rng.standard_normal((2, shape[1]))
    _, mean, rstd = native_batch_norm(x, weight, bias, EPS)
    check_gradients(
        lambda *a: native_batch_norm(*a, EPS)[0],
        lambda g: batch_norm_backward(g, x, weight, mean, rstd),
        (x, weight, bias),
    )


def test_batch_norm_joins_blocks_without_cancellation(monkeypatch):
    x = (rng.standard_normal((20, 3, 8, 8)) + 1000).astype(np.float32)
    expected = x.astype(np.float64).var((0, 2, 3))
    for block_bytes in (1, 1 << 12, 1 << 18):
        monkeypatch.setattr(norm, "BLOCK_BYTES", block_bytes)
        _, mean, rstd = native_batch_norm(x, None, None, 0.0)
        np.testing.assert_allclose(1 / np.square(rstd), expected, rtol=2e-4)
        np.testing.assert_allclose(mean, x.astype(np.float64).mean((0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize(("shape", "dims"), [((5, 6), 1), ((2, 3, 4, 5), 2), ((3, 4), 2)])
@pytest.mark.parametrize("affine", [False, True])
def test_layer_norm(shape, dims, affine):
    x = rng.standard_normal(shape) * 2 + 1
    inner = shape[-dims:]
    weight, bias = rng.standard_normal((2, *inner)) if affine else (None, None)
    out, mean, rstd = native_layer_norm(x, inner, weight, bias, EPS)
    axes = tuple(range(-dims, 0))
    np.testing.assert_allclose(mean, x.mean(axes, keepdims=True))
    np.testing.assert_allclose(rstd, 1 / np.sqrt(x.var(axes, keepdims=True) + EPS))
    expected = (x - mean) * rstd
    np.testing.assert_allclose(out, expected * weight + bias if affine else expected, atol=1e-12)
    weight, bias = rng.standard_normal((2, *inner))
    check_gradients(
        lambda x, w, b: native_layer_norm(x, inner, w, b, EPS)[0],
        lambda g: layer_norm_backward(g, x, inner, weight, mean, rstd),
        (x, weight, bias),
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_norm(shape, groups):
    x, (weight, bias) = rng.standard_normal(shape) + 1, rng.standard_normal((2, shape[1]))
    out, mean, rstd = native_group_norm(x, groups, weight, bias, EPS)
    rows = x.reshape(shape[0], groups, -1)
    np.testing.assert_allclose(mean, rows.mean(2), atol=1e-12)
    np.testing.assert_allclose(rstd, 1 / np.sqrt(rows.var(2) + EPS))
    column = (1, -1, *(1,) * (x.ndim - 2))
    expected = ((rows - mean[..., None]) * rstd[..., None]).reshape(shape)
    expected = expected * weight.reshape(column) + bias.reshape(column)
    np.testing.assert_allclose(out, expected, atol=1e-9)
    if x[0].size // groups > 2:
        check_gradients(
            lambda x, w, b: native_group_norm(x, groups, w, b, EPS)[0],
            lambda g: group_norm_backward(g, x, groups, weight, mean, rstd),
            (x, weight, bias),
        )


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_keeps_float32_statistics(dtype):
    x = rng.standard_normal((3, 4, 5)).astype(dtype)
    for forward, args in (
        (native_batch_norm, ()),
        (native_layer_norm, ((5,),)),
        (native_group_norm, (2,)),
    ):
        out, mean, rstd = forward(x, *args, None, None, EPS)
        assert (out.dtype, mean.dtype, rstd.dtype) == (dtype, np.float32, np.float32)
    _, mean, rstd = native_batch_norm(x, None, None, EPS)
    grads = batch_norm_backward(x, x, None, mean, rstd)
    assert {g.dtype for g in grads} == {np.dtype(dtype)}


def test_empty_inputs_and_rows():
    x = np.zeros((0, 4, 3), np.float32)
    out, mean, _ = native_batch_norm(x, None, None, EPS)
    assert out.shape == x.shape
    assert np.isnan(mean).all()
    np.testing.assert_array_equal(batch_norm_backward(x, x, None, mean, mean)[2], np.zeros(4))
    out, mean, rstd = native_layer_norm(x, (3,), None, None, EPS)
    assert mean.shape == rstd.shape == (0, 4, 1)
    grads = layer_norm_backward(x, x, (3,), None, mean, rstd)
    assert [g.shape for g in grads] == [(0, 4, 3), (3,), (3,)]
    out, mean, rstd = native_group_norm(x, 2, None, None, EPS)
    assert mean.shape == (0, 2)
    assert group_norm_backward(x, x, 2, None, mean, rstd)[1].shape == (4,)


def test_inputs_are_not_modified():
    x = np.asfortranarray(rng.standard_normal((3, 4, 5)))
    kept = x.copy()
    _, mean, rstd = native_batch_norm(x, None, None, EPS)
    batch_norm_backward(x, x, None, mean, rstd)
    _, mean, rstd = native_layer_norm(x, (5,), None, None, EPS)
    layer_norm_backward(x, x, (5,), None, mean, rstd)
    _, mean, rstd = native_group_norm(x, 2, None, None, EPS)
    group_norm_backward(x, x, 2, None, mean, rstd)
    np.testing.assert_array_equal(x, kept)
