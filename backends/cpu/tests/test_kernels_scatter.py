"""Scatter kernels against np.add.at."""

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels._segments import CROWDED, NARROW, add_rows
from dispatch_cpu.kernels.scatter import embedding_backward, index_add, index_put, scatter_add

rng = np.random.default_rng(0)


def values(shape, dtype):
    if dtype == "complex128":
        return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return np.asarray(rng.standard_normal(shape) * 10).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex128"])
@pytest.mark.parametrize("width", [0, 1, NARROW, NARROW + 1])
@pytest.mark.parametrize(("rows", "count"), [(1, 5), (7, 3), (50, 400), (3, CROWDED * 4), (9, 0)])
def test_add_rows_counts_every_repeat(dtype, width, rows, count):
    index, source = rng.integers(0, rows, count), values((count, width), dtype)
    out = values((rows, width), dtype)
    expected = out.copy()
    np.add.at(expected, index, source)
    add_rows(out, index, source)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-3 if dtype == "float32" else 1e-9)


def test_add_rows_is_deterministic_and_exact_for_large_integers():
    out = np.zeros((2, 1), np.int64)
    add_rows(out, np.array([0, 0, 1]), np.array([[2**60], [1], [2**53 + 1]]))
    np.testing.assert_array_equal(out, [[2**60 + 1], [2**53 + 1]])


@pytest.mark.parametrize("shape", [(), (12,), (3, 40), (0,)])
@pytest.mark.parametrize("padding", [None, -1, 2])
@pytest.mark.parametrize("scale", [False, True])
def test_embedding_backward(shape, padding, scale):
    indices, g = rng.integers(0, 6, shape), values((*shape, 4), "float64")
    expected = np.zeros((6, 4))
    np.add.at(expected, indices, g)
    if scale:
        uses = np.bincount(np.ravel(indices), minlength=6)
        expected /= np.maximum(uses, 1)[:, None]
    if padding is not None and padding >= 0:
        expected[padding] = 0
    out = embedding_backward(g, np.asarray(indices), 6, padding, scale)
    np.testing.assert_allclose(out, expected)


@pytest.mark.parametrize("bad", [5, -1])
def test_embedding_backward_checks_its_indices(bad):
    with pytest.raises(IndexError, match="index out of range in self"):
        embedding_backward(np.ones((1, 3)), np.array([bad]), 5, None, False)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_scatter_add(dim, dtype):
    x, src = values((4, 5, 3), dtype), values((6, 7, 8), dtype)
    shape = [3, 4, 2]
    shape[dim] = 6
    index = rng.integers(0, x.shape[dim], shape)
    expected = x.copy()
    for at in np.ndindex(*shape):
        to = list(at)
        to[dim] = index[at]
        expected[tuple(to)] += src[at]
    np.testing.assert_allclose(scatter_add(x, dim, index, src), expected)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("alpha", [1, 3])
def test_index_add(dim, alpha):
    x = values((4, 5, 3), "float64")
    kept = x.copy()
    index = rng.integers(0, x.shape[dim], 9)
    source = values([9 if i == dim % 3 else n for i, n in enumerate(x.shape)], "float64")
    expected = np.moveaxis(x.copy(), dim, 0)
    np.add.at(expected, index, alpha * np.moveaxis(source, dim, 0))
    out = index_add(x, dim, index, source, alpha)
    np.testing.assert_allclose(out, np.moveaxis(expected, 0, dim))
    np.testing.assert_array_equal(x, kept)


INDICES = [
    (rng.integers(-4, 4, 9),),
    (rng.integers(0, 4, (2, 3)), rng.integers(-5, 5, 3)),
    (None, rng.integers(0, 5, 9)),
    (None, rng.integers(0, 5, (2, 1)), rng.integers(0, 3, 4)),
    (rng.integers(0, 4, 6), None, rng.integers(0, 3, 6)),
    (np.array([True, False, True, False]),),
    (rng.random((4, 5)) < 0.5, None),
    (None, rng.random((5, 3)) < 0.5),
    (np.array(2), rng.integers(0, 5, 3)),
    (np.zeros(0, np.int64),),
    (None, None),
]


def as_numpy(indices):
    return tuple(slice(None) if index is None else index for index in indices)


@pytest.mark.parametrize("indices", INDICES)
def test_index_put_accumulates(indices):
    x = values((4, 5, 3), "float64")
    put = values(x[as_numpy(indices)].shape, "float64")
    expected = x.copy()
    np.add.at(expected, as_numpy(indices), put)
    np.testing.assert_allclose(index_put(x, indices, put, True), expected)
    expected = x.copy()
    np.add.at(expected, as_numpy(indices), 2.0)
    np.testing.assert_allclose(index_put(x, indices, np.array(2.0), True), expected)


@pytest.mark.parametrize("indices", INDICES)
def test_index_put_assigns(indices):
    x = values((4, 5, 3), "float64")
    expected = x.copy()
    expected[as_numpy(indices)] = 7
    np.testing.assert_array_equal(index_put(x, indices, np.array(7.0), False), expected)


def test_indices_out_of_bounds_are_named_as_in_pytorch():
    x = np.zeros((5, 3))
    message = "index 7 is out of bounds for dimension 0 with size 5"
    with pytest.raises(RuntimeError, match=message):
        scatter_add(x, 0, np.array([[7]]), np.ones((1, 1)))
    with pytest.raises(RuntimeError, match=message):
        index_add(x, 0, np.array([7]), np.ones((1, 3)), 1)
    for accumulate in (False, True):
        with pytest.raises(IndexError, match=message):
            index_put(x, (np.array([7]),), np.ones((1, 3)), accumulate)
        with pytest.raises(IndexError, match="index -4 is out of bounds for dimension 1"):
            index_put(x, (None, np.array([-4])), np.ones((5, 1)), accumulate)
        with pytest.raises(IndexError, match="does not match the shape of the indexed tensor"):
            index_put(x, (np.array([True, False]),), np.ones((1, 3)), accumulate)


def test_zero_dimensions():
    x = np.array(1.0)
    out = scatter_add(x, 0, np.array(0), np.array(2.0))
    assert out.shape == ()
    assert out.item() == 3
    assert index_add(x, 0, np.array([0, 0]), np.array([2.0, 3.0]), 1).item() == 6


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_accumulates_in_float32(dtype):
    index = np.zeros(4096, np.int64)
    out = index_put(np.zeros(2, dtype), (index,), np.ones(4096, dtype), True)
    assert out.dtype == dtype
    assert out[0] == 4096
    assert embedding_backward(np.ones((4096, 1), dtype), index, 2, None, False)[0, 0] == 4096
