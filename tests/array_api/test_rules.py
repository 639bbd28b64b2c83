"""Where the standard differs from PyTorch: promotion, special values, results of functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dispatch_core as dc
from dispatch_core import array_api as xp

DEVICES = ["cpu", "example"]


# -- dtypes -----------------------------------------------------------------------------------------------


def test_an_array_without_dimensions_counts_like_any_other() -> None:
    x, y = xp.ones(3, dtype=xp.float32), xp.ones((), dtype=xp.float64)
    assert (x + y).dtype is xp.float64
    assert xp.add(x, y).dtype is xp.float64
    assert (dc.ones(3) + dc.ones((), dtype=dc.float64)).dtype is dc.float32  # PyTorch's rule


@given(
    st.sampled_from(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]),
    st.sampled_from(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]),
)
def test_integers_promote_as_in_numpy(one: str, other: str) -> None:
    a, b = getattr(xp, one), getattr(xp, other)
    wanted = np.promote_types(one, other)
    if wanted.kind == "f":
        with pytest.raises(TypeError, match="do not promote"):
            xp.result_type(a, b)
    else:
        assert xp.result_type(a, b).name == wanted.name
        assert (xp.ones(2, dtype=a) * xp.ones(2, dtype=b)).dtype.name == wanted.name


@pytest.mark.parametrize(
    ("x", "number"),
    [(dc.int32, 1.5), (dc.bool, 1), (dc.float32, True), (dc.int64, 1j)],
)
def test_numbers_of_another_kind_are_refused(x: dc.dtype, number: complex) -> None:
    with pytest.raises(TypeError, match="do not promote"):
        xp.ones(2, dtype=x) + number


def test_a_complex_number_beside_reals() -> None:
    assert (xp.ones(2) * 1j).dtype is xp.complex64


@pytest.mark.parametrize(
    ("function", "dtype", "words"),
    [
        ("sin", dc.int32, "a floating-point dtype"),
        ("floor", dc.complex64, "a real-valued dtype"),
        ("bitwise_invert", dc.float32, "a integer or boolean dtype"),
        ("sum", dc.bool, "a numeric dtype"),
    ],
)
def test_dtypes_that_the_standard_leaves_out(function: str, dtype: dc.dtype, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        getattr(xp, function)(xp.ones(2, dtype=dtype))


def test_sums_of_integers_are_wide() -> None:
    assert xp.sum(xp.ones(3, dtype=xp.uint8)).dtype is xp.uint64
    assert xp.sum(xp.ones(3, dtype=xp.int8)).dtype is xp.int64
    assert xp.cumulative_sum(xp.ones(3, dtype=xp.uint16)).dtype is xp.uint64
    assert xp.all(xp.ones(3, dtype=xp.uint8)).dtype is xp.bool


def test_casts() -> None:
    assert xp.can_cast(xp.int8, xp.int32)
    assert not xp.can_cast(xp.int64, xp.int32)
    assert xp.isdtype(xp.float32, ("integral", "real floating"))
    with pytest.raises(ValueError, match="unknown kind of dtype 'floating'"):
        xp.isdtype(xp.float32, "floating")
    with pytest.raises(TypeError, match=r"take real\(x\) or abs\(x\)"):
        xp.astype(xp.ones(2, dtype=xp.complex64), xp.float32)


def test_limits_have_dtypes_and_python_numbers() -> None:
    assert xp.finfo(xp.complex128).dtype is xp.float64
    assert type(xp.finfo(xp.ones(2)).smallest_normal) is float
    assert xp.iinfo(xp.uint16).max == 65535


# -- arrays -----------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.data())
def test_slices_step_backwards(data: st.DataObject) -> None:
    a = np.arange(60).reshape(3, 4, 5)
    bound = st.none() | st.integers(-6, 6)
    steps = st.sampled_from([None, 1, 2, -1, -2, -7])
    parts = st.builds(slice, bound, bound, steps) | st.integers(-3, 2) | st.none()
    key = tuple(data.draw(st.lists(parts, max_size=4)))
    if sum(part is not None for part in key) > 3:
        return
    x = xp.asarray(a)
    np.testing.assert_array_equal(np.asarray(x[key]), a[key])
    changed, b = xp.asarray(a, copy=True), a.copy()
    value = np.arange(a[key].size).reshape(a[key].shape)
    changed[key] = xp.asarray(value)
    b[key] = value
    np.testing.assert_array_equal(np.asarray(changed), b)


def test_size_is_a_number_and_a_method() -> None:
    for x in (dc.ones(2, 3), xp.ones((2, 3))):
        assert x.size == 6
        assert isinstance(x.size, int)
        assert x.size() == (2, 3)
        assert x.size(-1) == 3
        assert dc.Tensor.size(x, 0) == 2


def test_arrays_share_memory_and_history() -> None:
    x = dc.ones(3, requires_grad=True)
    xp.sum(xp.asarray(x) * xp.asarray([1.0, 2.0, 3.0])).backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0]
    y = dc.zeros(2)
    xp.asarray(y)[...] = 1.0
    assert y.tolist() == [1.0, 1.0]
    assert type(y + 1) is dc.Tensor


def test_in_place_operators_keep_dtype_and_identity() -> None:
    x = xp.ones(2, dtype=xp.int32)
    same = x
    x += xp.ones((), dtype=xp.int8)
    assert same is x
    assert x.tolist() == [2, 2]
    with pytest.raises(TypeError, match="in place the result must stay"):
        x += xp.ones(2, dtype=xp.int64)


def test_operators_leave_strangers_alone() -> None:
    assert (xp.ones(2) == None) is False  # noqa: E711
    with pytest.raises(TypeError):
        xp.ones(2) + "a"


def test_asarray_copies_when_asked() -> None:
    a = np.ones(3)
    assert np.shares_memory(np.asarray(xp.asarray(a)), a)
    assert not np.shares_memory(np.asarray(xp.asarray(a, copy=True)), a)
    with pytest.raises(ValueError, match="leave out copy=False"):
        xp.asarray(a, dtype=xp.float32, copy=False)
    with pytest.raises(ValueError, match="leave out copy=False"):
        xp.asarray([1, 2], copy=False)
    assert xp.asarray(bytearray(b"ab")).tolist() == [97, 98]


# -- special values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("a", "b", "quotient"),
    [
        (math.inf, 2.0, math.inf),
        (-math.inf, 2.0, -math.inf),
        (1.0, -math.inf, -0.0),
        (-1.0, math.inf, -0.0),
        (1.0, -0.0, -math.inf),
        (-0.0, -2.0, 0.0),
        (-7.0, 2.0, -4.0),
    ],
)
def test_floor_division(a: float, b: float, quotient: float, device: str) -> None:
    found = (xp.asarray([a], device=device) // xp.asarray([b], device=device)).item()
    assert found == quotient
    assert math.copysign(1, found) == math.copysign(1, quotient)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("name", "z", "wanted"),
    [
        ("expm1", complex(-0.0, 0.0), "0j"),
        ("expm1", complex(math.inf, 0), "(inf+0j)"),
        ("expm1", complex(-math.inf, math.nan), "(-1+0j)"),
        ("tanh", complex(math.inf, 2.0), "(1+0j)"),
        ("acos", complex(0.0, math.inf), "(1.5707963267948966-infj)"),
        ("acosh", complex(-math.inf, math.inf), "(inf+2.356194490192345j)"),
        ("asinh", complex(math.inf, math.inf), "(inf+0.7853981633974483j)"),
        ("atanh", complex(1.0, 0.0), "(inf+0j)"),
        ("cosh", complex(math.inf, 0.0), "(inf+0j)"),
        ("sinh", complex(math.inf, math.nan), "(inf+nanj)"),
    ],
)
def test_complex_functions_at_the_edges(name: str, z: complex, wanted: str, device: str) -> None:
    x = xp.asarray([z], dtype=xp.complex128, device=device)
    assert str(getattr(xp, name)(x).item()) == wanted


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=50)
@given(st.complex_numbers(max_magnitude=1e6, allow_subnormal=False))
def test_complex_functions_agree_with_numpy(device: str, z: complex) -> None:
    x = xp.asarray([z], dtype=xp.complex128, device=device)
    for ours, theirs in (
        ("asin", "arcsin"),
        ("acos", "arccos"),
        ("asinh", "arcsinh"),
        ("atan", "arctan"),
    ):
        found = getattr(xp, ours)(x).item()
        wanted = complex(getattr(np, theirs)(np.complex128(z)))
        # On a branch cut both sides are right where one of the two loses the sign of a zero.
        assert abs(found - wanted) <= 1e-7 * (1 + abs(wanted)) or z.imag == 0 or z.real == 0


@pytest.mark.parametrize("device", DEVICES)
def test_shifts_by_as_many_places_as_there_are_bits(device: str) -> None:
    x = xp.asarray([-128, -1, 5], dtype=xp.int8, device=device)
    assert (x >> 7).tolist() == [-1, -1, 0]
    assert (x << 7).tolist() == [0, -128, -128]
    assert (xp.asarray([7], dtype=xp.uint16, device=device) >> 16).tolist() == [0]


# -- results ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_the_sign_of_nan_is_nan(device: str) -> None:
    x = xp.asarray([math.nan, -2.0, 0.0], device=device)
    assert str(xp.sign(x).tolist()) == "[nan, -1.0, 0.0]"
    assert x.sign().tolist() == [0.0, -1.0, 0.0]  # PyTorch's rule


@pytest.mark.parametrize("device", DEVICES)
def test_unique(device: str) -> None:
    x = xp.asarray([[2.0, math.nan, 1.0], [math.nan, 2.0, -0.0]], device=device)
    found = xp.unique_all(x)
    assert found.values[:3].tolist() == [0.0, 1.0, 2.0]
    assert len(found.values) == 5  # NaN is distinct from NaN
    assert found.counts.tolist() == [1, 1, 2, 1, 1]
    assert found.indices[:3].tolist() == [5, 2, 0]
    assert found.inverse_indices.shape == (2, 3)
    assert xp.unique_values(xp.asarray([1j, 1.0, 1j], device=device)).tolist() == [1j, 1.0]


def test_reductions_over_no_axis() -> None:
    x = xp.asarray([[1.0, 2.0]])
    assert xp.sum(x, axis=()).tolist() == [[1.0, 2.0]]
    assert xp.std(x, axis=(), keepdims=True).tolist() == [[0.0, 0.0]]
    assert xp.any(x, axis=()).shape == (1, 2)
    assert xp.linalg.vector_norm(-x, axis=()).tolist() == [[1.0, 2.0]]


def test_creation() -> None:
    assert xp.eye(2, 3, k=1).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert xp.eye(2, k=10**12).tolist() == [[0, 0], [0, 0]]
    assert xp.linspace(0, 1, 4, endpoint=False).tolist() == [0, 0.25, 0.5, 0.75]
    assert xp.arange(0.0, step=-1).dtype is xp.float32
    assert [m.tolist() for m in xp.meshgrid(xp.arange(2), xp.arange(1))] == [[[0, 1]], [[0, 0]]]


def test_shapes() -> None:
    assert xp.broadcast_shapes((None, 1), (3,), (1, 3)) == (None, 3)
    with pytest.raises(ValueError, match="must match"):
        xp.broadcast_shapes((2,), (3,))
    with pytest.raises(ValueError, match="only axes of size 1"):
        xp.squeeze(xp.ones((2, 1)), axis=0)
    assert xp.expand_dims(xp.ones(2), axis=(0, -1)).shape == (1, 2, 1)


def test_linear_algebra() -> None:
    a = xp.asarray([[2.0, 0.0], [0.0, 4.0]])
    stacked = xp.stack([a, a])
    assert xp.linalg.solve(a, xp.asarray([2.0, 4.0])).tolist() == [1.0, 1.0]
    assert xp.linalg.solve(stacked, xp.ones((2, 2))).shape == (2, 2, 2)  # a matrix, no two vectors
    assert xp.linalg.matrix_rank(stacked, rtol=xp.asarray([0.1, 0.9])).tolist() == [2, 1]
    assert xp.linalg.pinv(stacked, rtol=xp.asarray([0.1, 0.9])).shape == (2, 2, 2)
    assert xp.linalg.svd(a)._fields == ("U", "S", "Vh")
    assert xp.linalg.eigh(a).eigenvalues.tolist() == [2.0, 4.0]
    assert xp.linalg.trace(stacked).tolist() == [6.0, 6.0]


def test_vectors_of_integers_have_products() -> None:
    found = xp.vecdot(xp.asarray([1, 2], dtype=xp.int8), xp.asarray([3, 4], dtype=xp.int8))
    assert found.dtype == xp.int8
    assert found.tolist() == 11
    z = xp.asarray([1 + 2j])
    assert xp.vecdot(z, z).tolist() == 5


def test_searching() -> None:
    x = xp.asarray([3.0, 1.0, 2.0])
    order = xp.argsort(x)
    assert xp.searchsorted(x, xp.asarray([2.5]), sorter=order).tolist() == [2]
    assert xp.take(x, xp.asarray([-1, 0])).tolist() == [2.0, 3.0]
    assert xp.isin(xp.asarray([1, 2]), 2, invert=True).tolist() == [True, False]
    with pytest.raises(ValueError, match="at least one dimension"):
        xp.nonzero(xp.asarray(1.0))


def test_backward_slices_are_written_with_an_ellipsis_too() -> None:
    x = xp.zeros((2, 3))
    x[..., ::-1] = xp.asarray([1.0, 2.0, 3.0])
    assert x.tolist() == [[3, 2, 1], [3, 2, 1]]
    x[::-1, ..., 0] = xp.asarray([7.0, 8.0])
    assert x[:, 0].tolist() == [8, 7]
    x[..., 0:0:-1] = xp.zeros((2, 0))
    assert x[:, 0].tolist() == [8, 7]


@pytest.mark.parametrize("kind", ["int8", "int32", "uint64"])
def test_counts_of_repetitions_are_of_any_integer_dtype(kind: str) -> None:
    counts = xp.asarray([1, 2], dtype=getattr(xp, kind))
    assert xp.repeat(xp.asarray([5, 6]), counts).tolist() == [5, 6, 6]
    assert xp.repeat(xp.zeros((0,)), xp.zeros((0,), dtype=getattr(xp, kind))).shape == (0,)


# -- DLPack -----------------------------------------------------------------------------------------------


def test_dlpack_between_devices() -> None:
    x = xp.ones(2, device="example")
    assert x.__dlpack_device__() == (1, 0)
    assert xp.from_dlpack(x).device == x.device
    assert xp.from_dlpack(x, device="cpu").device == dc.device("cpu")
    with pytest.raises(BufferError, match="needs a copy"):
        xp.from_dlpack(x, device="cpu", copy=False)
    a = np.zeros(2)
    shared, copied = xp.from_dlpack(a, copy=False), xp.from_dlpack(a, copy=True)
    a[0] = 1
    assert shared.tolist() == [1, 0]
    assert copied.tolist() == [0, 0]
    assert x.to_device("cpu").device == dc.device("cpu")
