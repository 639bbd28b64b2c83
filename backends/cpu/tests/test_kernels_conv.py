"""Convolution kernels against loops, and their gradients by the adjoint identity."""

from itertools import product

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels._columns import padded
from dispatch_cpu.kernels.conv import convolution, convolution_transpose, convolution_weight

rng = np.random.default_rng(0)

# (in channels, out channels, spatial, kernel, stride, padding, dilation, groups)
CASES = [
    pytest.param((3, 4, (9,), (3,), (1,), (1,), (1,), 1), id="1d"),
    pytest.param((4, 6, (300,), (4,), (3,), (2,), (2,), 2), id="1d-long"),
    pytest.param((3, 5, (6, 7), (3, 3), (1, 1), (1, 1), (1, 1), 1), id="small-map"),
    pytest.param((4, 6, (7, 6), (3, 2), (2, 3), (2, 1), (1, 2), 2), id="small-map-groups"),
    pytest.param((8, 2, (20, 19), (3, 3), (1, 1), (1, 1), (1, 1), 1), id="rows"),
    pytest.param((8, 2, (37, 19), (3, 2), (2, 1), (0, 1), (1, 3), 1), id="rows-stride"),
    pytest.param((16, 2, (52, 30), (4, 3), (3, 1), (3, 1), (2, 1), 2), id="rows-phases-groups"),
    pytest.param((1, 6, (20, 21), (3, 5), (1, 1), (0, 2), (1, 1), 1), id="few-channels"),
    pytest.param((3, 4, (40, 36), (7, 7), (2, 2), (3, 3), (1, 1), 1), id="first-layer"),
    pytest.param((6, 4, (18, 17), (1, 1), (1, 1), (0, 0), (1, 1), 1), id="pointwise"),
    pytest.param((6, 4, (36, 35), (1, 1), (2, 2), (0, 0), (1, 1), 2), id="pointwise-stride"),
    pytest.param((5, 5, (11, 12), (3, 3), (1, 1), (1, 1), (1, 1), 5), id="depthwise"),
    pytest.param((5, 5, (11, 12), (3, 2), (2, 3), (2, 0), (2, 1), 5), id="depthwise-stride"),
    pytest.param((3, 6, (8, 8), (3, 3), (1, 1), (1, 1), (1, 1), 3), id="channel-multiplier"),
    pytest.param((2, 3, (5, 6, 7), (2, 3, 3), (1, 2, 1), (1, 0, 1), (2, 1, 1), 1), id="3d"),
    pytest.param((4, 4, (5, 18, 17), (3, 2, 1), (2, 1, 1), (1, 1, 0), (1, 1, 1), 2), id="3d-wide"),
    pytest.param((2, 3, (5, 5), (5, 5), (4, 4), (2, 2), (1, 1), 1), id="stride-beyond-input"),
]


def make(case, batch=2, dtype=np.float64):
    channels, out_channels, spatial, kernel, *_, groups = case
    x = rng.standard_normal((batch, channels, *spatial)).astype(dtype)
    weight = rng.standard_normal((out_channels, channels // groups, *kernel)).astype(dtype)
    return x, weight, rng.standard_normal(out_channels).astype(dtype)


def naive(x, weight, bias, stride, padding, dilation, groups):
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    kernel = weight.shape[2:]
    sizes = zip(x.shape[2:], dilation, kernel, stride, strict=True)
    out = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in sizes]
    result = np.empty((x.shape[0], weight.shape[0], *out), x.dtype)
    per_group = weight.shape[0] // groups
    width = x.shape[1] // groups
    for at in product(*map(range, out)):
        taps = tuple(
            slice(i * s, i * s + d * (k - 1) + 1, d)
            for i, s, d, k in zip(at, stride, dilation, kernel, strict=True)
        )
        for o in range(weight.shape[0]):
            g = o // per_group
            window = x[(slice(None), slice(g * width, (g + 1) * width), *taps)]
            result[(slice(None), o, *at)] = (window * weight[o]).reshape(len(x), -1).sum(1)
    return result + bias.reshape(-1, *(1,) * len(out))


def remainders(case):
    """The output_padding that makes the transposed convolution return to the input's size."""
    _, _, spatial, kernel, stride, padding, dilation, _ = case
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) % s
        for n, p, d, k, s in zip(spatial, padding, dilation, kernel, stride, strict=True)
    )


@pytest.mark.parametrize("case", CASES)
def test_convolution_equals_loops(case):
    x, weight, bias = make(case)
    out = convolution(x, weight, bias, *case[4:])
    assert out.flags.c_contiguous
    np.testing.assert_allclose(out, naive(x, weight, bias, *case[4:]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_the_adjoints(case):
    *_, kernel, stride, padding, dilation, groups = case
    x, weight, _ = make(case)
    out = convolution(x, weight, None, stride, padding, dilation, groups)
    g = rng.standard_normal(out.shape)
    grad_x = convolution_transpose(
        g, weight, None, stride, padding, remainders(case), dilation, groups
    )
    grad_weight = convolution_weight(x, g, kernel, stride, padding, dilation, groups)
    assert grad_x.shape == x.shape
    assert grad_weight.shape == weight.shape
    # convolution is linear in each argument, so both pairings equal <out, g>, for any direction
    np.testing.assert_allclose(np.vdot(grad_x, x), np.vdot(out, g), rtol=1e-9)
    np.testing.assert_allclose(np.vdot(grad_weight, weight), np.vdot(out, g), rtol=1e-9)
    other_x, other_weight, _ = make(case)
    moved = convolution(other_x, weight, None, stride, padding, dilation, groups)
    np.testing.assert_allclose(np.vdot(grad_x, other_x), np.vdot(moved, g), rtol=1e-9)
    moved = convolution(x, other_weight, None, stride, padding, dilation, groups)
    np.testing.assert_allclose(np.vdot(grad_weight, other_weight), np.vdot(moved, g), rtol=1e-9)


def test_transposed_convolution_of_a_known_example():
    x = np.array([[[1.0, 10.0]]])
    weight = np.array([[[1.0, 2.0, 3.0]]])
    out = convolution_transpose(x, weight, np.array([100.0]), (2,), (0,), (1,), (1,), 1)
    np.testing.assert_array_equal(out, [[[101, 102, 113, 120, 130, 100]]])


def test_transposed_convolution_leaves_gaps_that_no_kernel_element_reaches():
    out = convolution_transpose(
        np.ones((1, 1, 3)), np.ones((1, 1, 2)), None, (4,), (0,), (0,), (2,), 1
    )
    np.testing.assert_array_equal(out, [[[1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]]])


@pytest.mark.parametrize("case", [CASES[i] for i in (2, 4, 7, 11, 14)])
def test_empty_batch(case):
    *_, kernel, stride, padding, dilation, groups = case
    x, weight, bias = make(case, batch=0)
    out = convolution(x, weight, bias, stride, padding, dilation, groups)
    assert out.shape[:2] == (0, weight.shape[0])
    grad = convolution_weight(x, out, kernel, stride, padding, dilation, groups)
    np.testing.assert_array_equal(grad, np.zeros_like(weight))
    back = convolution_transpose(
        out, weight, None, stride, padding, remainders(case), dilation, groups
    )
    assert back.shape == x.shape


@pytest.mark.parametrize("index", [2, 4, 11])
def test_inputs_are_not_modified_and_need_not_be_contiguous(index):
    case = CASES[index].values[0]
    x, weight, bias = make(case)
    expected = convolution(x, weight, bias, *case[4:])
    strided = np.asfortranarray(x)
    kept = strided.copy()
    np.testing.assert_allclose(convolution(strided, weight, bias, *case[4:]), expected)
    np.testing.assert_array_equal(strided, kept)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_accumulates_in_float32(dtype):
    x = np.ones((1, 4096, 1, 1), dtype)
    weight = np.ones((1, 4096, 1, 1), dtype)
    out = convolution(x, weight, None, (1, 1), (0, 0), (1, 1), 1)
    assert out.dtype == dtype
    assert out.item() == 4096


def test_complex_values():
    case = CASES[4].values[0]
    (a, weight, _), (b, _, _) = make(case), make(case)
    out = convolution(a + 1j * b, weight + 0j, None, *case[4:])
    np.testing.assert_allclose(out.real, convolution(a, weight, None, *case[4:]))
    np.testing.assert_allclose(out.imag, convolution(b, weight, None, *case[4:]))


def test_large_batches_of_small_maps_are_split(monkeypatch):
    case = CASES[2].values[0]
    x, weight, bias = make(case, batch=5)
    expected = convolution(x, weight, bias, *case[4:])
    g = rng.standard_normal(expected.shape)
    expected_grad = convolution_weight(x, g, case[3], *case[4:])
    monkeypatch.setattr("dispatch_cpu.kernels._columns.BATCH_BYTES", 1)
    np.testing.assert_allclose(convolution(x, weight, bias, *case[4:]), expected)
    np.testing.assert_allclose(convolution_weight(x, g, case[3], *case[4:]), expected_grad)


def test_padding_may_crop():
    x = np.arange(5.0).reshape(1, 1, 5)
    np.testing.assert_array_equal(padded(x, (-1,), (2,)), [[[1, 2]]])
    np.testing.assert_array_equal(padded(x, (2,), (4,)), [[[0, 0, 0, 1]]])
    np.testing.assert_array_equal(padded(x, (-4,), (3,)), [[[4, 0, 0]]])
    np.testing.assert_array_equal(padded(x, (-7,), (2,)), [[[0, 0]]])
    assert np.shares_memory(padded(x, (0,), (5,)), x)
