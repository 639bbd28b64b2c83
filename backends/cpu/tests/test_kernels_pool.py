"""Pooling kernels against loops over windows."""

from itertools import product

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels.pool import avg_pool, avg_pool_backward, max_pool, max_pool_backward

rng = np.random.default_rng(0)

# (spatial, kernel, stride, padding, dilation, ceil_mode)
CASES = [
    pytest.param(((9,), (3,), (2,), (1,), (1,), False), id="1d"),
    pytest.param(((8, 9), (2, 2), (2, 2), (0, 0), (1, 1), False), id="plain"),
    pytest.param(((8, 9), (2, 2), (2, 2), (0, 0), (1, 1), True), id="ceil"),
    pytest.param(((7, 10), (3, 2), (2, 3), (1, 1), (1, 1), True), id="padded-ceil"),
    pytest.param(((9, 11), (3, 3), (1, 2), (1, 0), (2, 3), False), id="dilated"),
    pytest.param(((4, 5), (2, 3), (3, 4), (1, 1), (1, 1), True), id="last-window-in-padding"),
    pytest.param(((5, 6, 7), (2, 3, 2), (2, 1, 2), (1, 1, 0), (1, 2, 1), True), id="3d"),
]


def sizes(case):
    """Output sizes: a last partial window counts if it meets uncovered rows and begins inside."""
    found = []
    for n, k, s, p, d in zip(*case[:5], strict=True):
        full = [b for b in range(-p, n + p, s) if b + d * (k - 1) < n + p]
        uncovered = full[-1] + d * (k - 1) + 1 < n + p
        found.append(len(full) + (case[5] and uncovered and full[-1] + s < n))
    return tuple(found)


def windows(case):
    """(output position, positions inside the data in scan order, left edges) of every window."""
    spatial, kernel, stride, padding, dilation, _ = case
    for at in product(*map(range, sizes(case))):
        start = [i * s - p for i, s, p in zip(at, stride, padding, strict=True)]
        taps = [
            [b + j * d for j in range(k) if 0 <= b + j * d < n]
            for b, k, d, n in zip(start, kernel, dilation, spatial, strict=True)
        ]
        yield at, list(product(*taps)), start


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["normal", "ties", "nan", "all -inf", "int64"])
def test_max_pool_equals_loops(case, kind):
    x = rng.standard_normal((2, 3, *case[0]))
    if kind in {"ties", "int64"}:
        x = np.round(x)
    if kind == "int64":
        x = x.astype(np.int64)
    if kind == "nan":
        x[rng.random(x.shape) < 0.1] = np.nan
    if kind == "all -inf":
        x[...] = -np.inf
    with np.errstate(invalid="ignore"):
        values, indices = max_pool(x, *case[1:])
    assert values.shape == indices.shape == (2, 3, *sizes(case))
    assert values.dtype == x.dtype
    assert indices.dtype == np.int64
    for n, c in product(range(2), range(3)):
        for at, inside, _ in windows(case):
            best = inside[0]
            for position in inside:
                value = x[(n, c, *position)]
                if value > x[(n, c, *best)] or np.isnan(value):
                    best = position
            np.testing.assert_equal(values[(n, c, *at)], x[(n, c, *best)])
            assert indices[(n, c, *at)] == np.ravel_multi_index(best, case[0])


@pytest.mark.parametrize("case", CASES)
def test_max_pool_backward_adds_at_the_indices(case):
    x = rng.standard_normal((2, 3, *case[0]))
    values, indices = max_pool(x, *case[1:])
    g = rng.standard_normal(values.shape)
    expected = np.zeros((6, x[0, 0].size))
    for plane in range(6):
        np.add.at(expected[plane], indices.reshape(6, -1)[plane], g.reshape(6, -1)[plane])
    np.testing.assert_allclose(max_pool_backward(g, indices, x.shape), expected.reshape(x.shape))


@pytest.mark.parametrize("case", [case for case in CASES if case.id != "dilated"])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("divisor", [None, 5])
def test_avg_pool_equals_loops_and_its_gradient_is_the_adjoint(case, count_include_pad, divisor):
    spatial, kernel, stride, padding, _, ceil = case
    case = (spatial, kernel, stride, padding, (1,) * len(kernel), ceil)
    x = rng.standard_normal((2, 3, *spatial))
    out = avg_pool(x, kernel, stride, padding, ceil, count_include_pad, divisor)
    assert out.shape == (2, 3, *sizes(case))
    for at, inside, start in windows(case):
        count = divisor or len(inside)
        if count_include_pad and not divisor:
            ends = zip(start, kernel, spatial, padding, strict=True)
            count = np.prod([min(b + k, n + p) - b for b, k, n, p in ends])
        total = sum(x[(slice(None), slice(None), *position)] for position in inside)
        np.testing.assert_allclose(out[(slice(None), slice(None), *at)], total / count, atol=1e-12)
    g = rng.standard_normal(out.shape)
    grad = avg_pool_backward(g, x.shape, kernel, stride, padding, ceil, count_include_pad, divisor)
    np.testing.assert_allclose(np.vdot(grad, x), np.vdot(g, out))


def test_empty_batch():
    x = np.zeros((0, 3, 8, 8), np.float32)
    values, indices = max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), False)
    assert values.shape == indices.shape == (0, 3, 4, 4)
    assert max_pool_backward(values, indices, x.shape).shape == x.shape
    out = avg_pool(x, (2, 2), (2, 2), (0, 0), False, True, None)
    assert out.shape == (0, 3, 4, 4)
    back = avg_pool_backward(out, x.shape, (2, 2), (2, 2), (0, 0), False, True, None)
    assert back.shape == x.shape


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision(dtype):
    x = np.ones((1, 1, 64, 64), dtype)
    out = avg_pool(x, (64, 64), (64, 64), (0, 0), False, True, None)
    assert out.dtype == dtype
    assert out.item() == 1
    values, indices = max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), False)
    assert values.dtype == dtype
    assert indices.dtype == np.int64


def test_kernels_of_more_than_256_elements_keep_exact_indices():
    x = rng.standard_normal((1, 1, 20, 20)).astype(np.float32)
    _, indices = max_pool(x, (20, 20), (1, 1), (0, 0), (1, 1), False)
    assert indices.item() == x.argmax()


def test_many_planes_are_worked_on_in_blocks():
    x = rng.standard_normal((70, 3, 40, 40)).astype(np.float32)
    values, _ = max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), False)
    np.testing.assert_array_equal(values, x.reshape(70, 3, 20, 2, 20, 2).max((3, 5)))
    means = avg_pool(x, (2, 2), (2, 2), (0, 0), False, True, None)
    expected = x.reshape(70, 3, 20, 2, 20, 2).mean((3, 5))
    np.testing.assert_allclose(means, expected, rtol=1e-5, atol=1e-6)


def test_a_stride_beyond_the_input_takes_no_time():
    values, indices = max_pool(np.ones((1, 1, 4), np.float32), (1,), (2**62,), (0,), (1,), False)
    assert values.shape == indices.shape == (1, 1, 1)
