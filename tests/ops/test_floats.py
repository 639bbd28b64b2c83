"""The parts of floating-point numbers: frexp, infinities of one sign."""

import math

import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS

INF, NAN = math.inf, math.nan
DTYPES = [dc.float64, dc.float32, dc.float16, dc.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compute", [dc.frexp, OPERATORS["frexp"].op.body], ids=["kernel", "body"])
def test_frexp(compute, dtype):
    least = {"float64": -1073, "float32": -148, "float16": -23, "bfloat16": -132}[dtype.name]
    x = dc.tensor([0.0, -0.0, 1.0, -3.0, 0.15625, INF, -INF, NAN, 2.0 ** (least - 1)], dtype=dtype)
    found = compute(x)
    assert found.exponent.dtype is dc.int32
    assert found.exponent.tolist() == [0, 0, 1, 2, -2, 0, 0, 0, least]
    assert found.mantissa.dtype is dtype
    expected = [0, 0, 0.5, -0.75, 0.625, INF, -INF, NAN, 0.5]
    assert found.mantissa.tolist() == pytest.approx(expected, nan_ok=True)
    assert dc.signbit(found.mantissa).tolist()[:2] == [False, True]


def test_frexp_is_undone_by_ldexp():
    x = dc.randn(50, dtype=dc.float64) * 1e30
    assert dc.equal(dc.ldexp(*dc.frexp(x)), x)


def test_frexp_forms():
    x = dc.tensor([3.0, -0.1])
    mantissa, exponent = x.frexp()
    out = (dc.empty(2), dc.empty(2, dtype=dc.int32))
    dc.frexp(x, out=out)
    assert out[0].tolist() == mantissa.tolist()
    assert out[1].tolist() == exponent.tolist() == [2, -3]
    assert dc.frexp(dc.empty(0, 2)).exponent.shape == (0, 2)
    with pytest.raises(RuntimeError, match="int64"):
        dc.frexp(dc.tensor([1]))


def test_the_gradient_of_the_mantissa():
    x = dc.tensor([3.0, 0.0, INF, NAN, 0.75], requires_grad=True)
    dc.frexp(x).mantissa.sum().backward()
    assert x.grad.tolist() == [0.25, 1, 1, 1, 1]


def test_infinities_of_one_sign():
    x = dc.tensor([INF, -INF, NAN, 1.0])
    assert dc.isposinf(x).tolist() == x.isposinf().tolist() == [True, False, False, False]
    assert dc.isneginf(x).tolist() == x.isneginf().tolist() == [False, True, False, False]
    assert dc.isposinf(dc.tensor([True, False])).tolist() == [False, False]
    out = dc.empty(4, dtype=dc.bool)
    assert dc.isneginf(x, out=out) is out
    with pytest.raises(RuntimeError, match="complex64"):
        dc.isposinf(dc.tensor([1j]))
