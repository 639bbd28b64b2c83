"""Python numbers as elements of new tensors and as operands, at the limits of their dtypes."""

import numpy as np
import pytest

import dispatch_core as dc

DEVICES = ["cpu", "example", "minimal"]


@pytest.fixture(params=DEVICES, autouse=True)
def _device(request):
    with dc.device(request.param):
        yield


def test_negative_ints_count_from_the_end_of_unsigned_dtypes():
    assert dc.tensor(-1, dtype=dc.uint8).item() == 255
    assert dc.tensor([-255], dtype=dc.uint8).tolist() == [1]
    assert dc.full((2,), -1, dtype=dc.uint8).tolist() == [255, 255]
    assert dc.zeros(2, dtype=dc.uint8).fill_(-1).tolist() == [255, 255]
    mask = dc.tensor([True, False])
    assert dc.zeros(2, dtype=dc.uint8).masked_fill(mask, -1).tolist() == [255, 0]
    assert dc.where(mask, dc.ones(2, dtype=dc.uint8), -1).tolist() == [1, 255]
    assert dc.tensor([1, 200], dtype=dc.uint8).clamp(min=-5).tolist() == [251, 251]


def test_fills_keep_the_dtype_and_every_digit():
    large = dc.tensor([2**60 + 1, 3])
    assert large.masked_fill(dc.tensor([False, True]), 1.7).tolist() == [2**60 + 1, 1]
    assert dc.full((1,), 1 + 0j, dtype=dc.float32).tolist() == [1.0]
    assert dc.full((1,), 1j, dtype=dc.bool).tolist() == [True]
    assert dc.full((1,), float("inf")).tolist() == [float("inf")]
    one = dc.tensor(1.7)
    assert large.masked_fill(dc.tensor([False, True]), one).tolist() == [2**60 + 1, 1]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (lambda: [dc.tensor(1), 2.0], "float32"),
        (lambda: [2.0, dc.tensor(1.0, dtype=dc.float64)], "float64"),
        (lambda: [dc.tensor(1, dtype=dc.int8)], "int8"),
        (lambda: [[1.0, 2.0], dc.tensor([3, 4], dtype=dc.int32)], "float32"),
        (lambda: [np.float32(1.0), 2], "float32"),
        (lambda: [2, np.float64(1.0)], "float64"),
        (lambda: [1.0, 2**64], "float32"),
        (lambda: [True, 2], "int64"),
        (lambda: [range(2), [3, 4]], "int64"),
    ],
)
def test_the_dtype_of_mixed_sequences(data, dtype):
    assert dc.tensor(data()).dtype is getattr(dc, dtype)


def test_large_ints_are_exact():
    assert dc.tensor([2**63 + 1, 1], dtype=dc.uint64).tolist() == [2**63 + 1, 1]
    assert dc.tensor([2**63 - 1]).tolist() == [2**63 - 1]


def test_ints_wrap_around_among_the_operands_of_small_dtypes():
    x, y = dc.tensor([1], dtype=dc.int8), dc.tensor([4], dtype=dc.uint8)
    assert [(x + 300).item(), (300 - x).item(), (x * 300).item()] == [45, 43, 44]
    assert [(y - 5).item(), (y + -5).item(), (y * -1).item()] == [255, 255, 252]
    assert dc.tensor([4], dtype=dc.uint8).add_(-5).item() == 255
    assert [(y // -3).item(), (y % -3).item(), (y // 300).item()] == [0, 4, 0]
    assert [dc.fmod(y, -3).item(), dc.div(y, -3, rounding_mode="trunc").item()] == [4, 0]
    assert [(y & 300).item(), (y | -1).item(), (y ^ -1).item()] == [4, 255, 251]
    assert [(y == 260).item(), (y < -1).item(), (y >= 261).item()] == [True, True, False]
    assert (dc.tensor([1]) + 2**63).item() == -(2**63) + 1
    assert dc.addcmul(y, y, y, value=-1).item() == 244


def test_integers_to_negative_powers():
    base = dc.tensor([1, -1, 2, 0, 3, -1])
    exponent = dc.tensor([-2, -2, -2, -1, -3, -3])
    assert (base**exponent).tolist() == [1, 1, 0, 0, 0, -1]
    assert (2 ** dc.tensor([-1, 3])).tolist() == [0, 8]
    assert ((-1) ** dc.tensor([-1, -2, 3])).tolist() == [-1, 1, -1]
    assert (300 ** dc.tensor([1, 2], dtype=dc.int8)).tolist() == [44, -112]
    assert (dc.tensor([1, -1], dtype=dc.int8) ** dc.tensor(-1)).tolist() == [1, -1]
    assert (dc.tensor([1, -1], dtype=dc.int8) ** dc.tensor(-1)).dtype is dc.int8


def test_alpha():
    on = dc.tensor([True, False])
    off = dc.logical_not(on)
    assert on.add(off, alpha=2).tolist() == [True, True]
    assert on.add(True, alpha=2).tolist() == [True, True]
    assert on.add(off, alpha=False).tolist() == [True, False]
    x = dc.tensor([1, 2], dtype=dc.uint8)
    assert x.add(x, alpha=-1).tolist() == [0, 0]
    assert x.add(200, alpha=2).tolist() == [145, 146]
    assert x.add(on, alpha=2).dtype is dc.uint8
    assert dc.ones(1).add(1, alpha=np.float32(2)).tolist() == [3.0]
    assert dc.rsub(x, 5, alpha=2).tolist() == [3, 1]


def test_where_takes_bytes_and_warns():
    condition = dc.tensor([2, 0], dtype=dc.uint8)
    with pytest.warns(UserWarning, match="uint8 condition"):
        assert dc.where(condition, dc.ones(2), dc.zeros(2, dtype=dc.float64)).tolist() == [1, 0]
    with pytest.warns(UserWarning, match="uint8 condition"):
        assert dc.where(condition, 1, 2).tolist() == [1, 2]
    assert dc.where(condition)[0].tolist() == [0]


def test_numbers_of_complex_tensors_without_imaginary_part():
    assert float(dc.tensor(1 + 0j)) == 1.0
    assert int(dc.tensor(2 + 0j)) == 2


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: dc.sub(x, np.int64(3)), [-2, -1]),
        (lambda x: x.add(np.float32(3)), [4, 5]),
        (lambda x: dc.add(np.float32(3), x), [4, 5]),
        (lambda x: x.clone().mul_(np.int32(3)), [3, 6]),
        (lambda x: x.clamp(np.int64(1), np.float32(1.5)), [1, 1.5]),
        (lambda x: x.pow(np.int64(2)), [1, 4]),
        (lambda x: x.clone().fill_(np.float32(3)), [3, 3]),
        (lambda x: x.masked_fill(x > 1, np.float64(3)), [1, 3]),
        (lambda x: dc.where(x > 1, x, np.float32(7)), [7, 2]),
        (lambda x: dc.lerp(x, x + 1, np.float16(0.5)), [1.5, 2.5]),
        (lambda x: x.index_fill(0, dc.tensor([1]), np.float32(5)), [1, 5]),
        (lambda x: dc.full((2,), np.float32(3)), [3, 3]),
        (lambda x: dc.nn.functional.dropout(x, np.float32(0), True), [1, 2]),
        (lambda x: dc.add(x, np.int64(1), out=dc.empty(2)), [2, 3]),
    ],
)
def test_numbers_of_numpys_are_pythons(call, expected):
    result = call(dc.tensor([1.0, 2.0]))
    assert result.tolist() == expected
    assert result.dtype is dc.float32


def test_a_number_of_numpys_does_not_raise_the_dtype():
    x = dc.ones(2, dtype=dc.float16, requires_grad=True)
    y = x.mul(np.float64(2))
    y.sum().backward()
    assert y.dtype is dc.float16
    assert x.grad.tolist() == [2, 2]
    assert dc.full((1,), np.int8(3)).dtype is dc.int64
    assert dc.arange(2).add(np.bool_(True)).dtype is dc.int64
    with pytest.raises(TypeError, match="must be Tensor or Number, not datetime64"):
        x.mul(np.datetime64("2020"))
    with pytest.raises(TypeError, match="must be Tensor or Number, not ndarray"):
        x.mul(np.array(2.0))
