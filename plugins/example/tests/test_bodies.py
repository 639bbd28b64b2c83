"""Operators that other devices compute by a kernel and this one by their body: equal to the last bit."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.extend import ALL_DTYPES

INTEGERS = [d for d in ALL_DTYPES if d.category.name == "INTEGRAL"]
REAL_FLOATS = [d for d in ALL_DTYPES if d.is_floating_point]
COMPLEX = [d for d in ALL_DTYPES if d.is_complex]
INF, NAN = float("inf"), float("nan")
EDGES = [0.0, -0.0, 0.5, -0.5, 1.0, -1.5, 2.5, -INF, INF, NAN, 1e-8, -1e-8, 3e4, -3e4]


def edges(dtype):
    """Values at which implementations differ."""
    if dtype.name == "bool":
        return dc.tensor([True, False, False, True])
    if dtype.is_complex:
        parts = dc.tensor([[a, b] for a in EDGES for b in EDGES], dtype=dtype.to_real())
        return dc.view_as_complex(parts)
    if dtype.is_floating_point:
        return dc.tensor(EDGES, dtype=dtype)
    low, high = dc.iinfo(dtype).min, dc.iinfo(dtype).max
    return dc.tensor([0, 1, 2, 3, high, high - 1, low, low + 1], dtype=dtype)


def bits(tensor):
    """The elements as bytes, with every NaN as the same one."""
    x = tensor.cpu()
    if x.dtype.is_floating_point:
        x = dc.where(x != x, NAN, x)
    return str(x.dtype), tuple(x.shape), x.detach().contiguous().view(-1).view(dc.uint8).tolist()


def assert_same(function, *tensors):
    expected = function(*tensors)
    found = function(*[t.to("example") for t in tensors])
    assert bits(found) == bits(expected)


@pytest.mark.parametrize("dtype", [dc.bool, *INTEGERS, *REAL_FLOATS], ids=str)
@pytest.mark.parametrize("name", ["maximum", "minimum", "le"])
def test_of_two(name, dtype):
    x = edges(dtype)
    if dtype is dc.float16:
        x = x + 0  # numpy takes either of two zeros, the second one in wider types
    function = getattr(dc, name)
    assert_same(lambda x: function(x[:, None], x), x)
    number = True if dtype.name == "bool" else 1
    assert_same(lambda x: function(x, number), x)
    assert_same(lambda x: function(x, 0.5), x)


@pytest.mark.parametrize("dtype", [*INTEGERS, *REAL_FLOATS], ids=str)
def test_trunc(dtype):
    assert_same(dc.trunc, edges(dtype))


@pytest.mark.parametrize("dtype", [dc.bool, *INTEGERS, *REAL_FLOATS], ids=str)
@pytest.mark.parametrize("name", ["amin", "argmax", "argmin"])
@pytest.mark.parametrize("dim", [None, 0, -1])
def test_smallest_and_places(name, dim, dtype):
    x = edges(dtype)
    x = x[:4].reshape(2, 2) if x.numel() < 12 else x[:12].reshape(3, 4)
    # numpy's choice among zeros of both signs depends on the length.
    x = dc.where(x == 0, dc.zeros((), dtype=dtype), x)
    for given in (x, dc.cat([x, x], 1), x[0, 0]):
        for keepdim in (False, True):
            assert_same(lambda t, k=keepdim: getattr(dc, name)(t, dim, k), given)


def test_smallest_over_several_dimensions_and_mistakes():
    x = dc.arange(24.0).reshape(2, 3, 4)
    assert_same(lambda t: dc.amin(t, (0, 2)), x)
    assert_same(lambda t: dc.amin(t, ()), x)
    for function in (dc.amin, dc.argmax):
        with pytest.raises(IndexError, match="non-zero size"):
            function(dc.zeros(0, 3, device="example"), 0)
        kind = IndexError if function is dc.argmax else RuntimeError
        with pytest.raises(kind, match="Specify the reduction dim"):
            function(dc.zeros(0, 3, device="example"))


@pytest.mark.parametrize("dtype", [dc.bool, *INTEGERS, *REAL_FLOATS, *COMPLEX], ids=str)
def test_products(dtype):
    x = edges(dtype)[:4].reshape(2, 2)

    def product(t, dim, keepdim):
        found = dc.prod(t, dim, keepdim)
        # numpy begins with 1 + 0j, which makes zeros positive.
        return found + 0 if dtype.is_complex else found

    for dim in (None, 0, -1, (0, 1), ()):
        for keepdim in (False, True):
            assert_same(lambda t, d=dim, k=keepdim: product(t, d, k), x)
    assert_same(dc.prod, x[0, 0])
    assert_same(lambda t: dc.prod(t[:0], 0), x)
    assert_same(lambda t: dc.prod(t[:0]), x)
    with pytest.raises(IndexError, match="out of range"):
        dc.prod(x.to("example"), 2)


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=str)
def test_copies(dtype):
    x = edges(dtype)
    for given in (x, x[::2], x[:0], x[0], x[:4].reshape(2, 2).t()):
        assert_same(lambda t: t.clone(), given)
    moved = x.to("example")
    copied = moved.clone()
    moved.zero_()
    assert bits(copied) == bits(x)


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=str)
def test_the_gradient_of_an_index(dtype):
    x = edges(dtype)[:4].reshape(2, 2)
    for index in (
        (slice(None), None, 1),
        (0,),
        (slice(1, 2),),
        (..., slice(0, 2, 2)),
        (slice(2, 2),),
    ):
        assert_same(lambda t, i=index: dc.ops.basic_index_backward(t[i], (2, 2), i), x)


@pytest.mark.parametrize("dtype", [dc.bool, *INTEGERS, *REAL_FLOATS], ids=str)
def test_places_of_nonzero_elements(dtype):
    x = edges(dtype)
    for given in (
        x,
        x[:4].reshape(2, 1, 2),
        x[:0],
        x[:0].reshape(0, 3),
        x[0],
        x[1],
        x * 0 != x * 0,
    ):
        assert_same(dc.nonzero, given)
    assert_same(lambda t: dc.nonzero(dc.zeros_like(t)), x)


def test_numbers_of_places():
    assert np.array_equal(
        dc.ops.storage_index(dc.ones(2, device="example"), 5).cpu().numpy(), range(5)
    )
