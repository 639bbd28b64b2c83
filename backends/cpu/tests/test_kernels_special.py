"""Special functions against the standard library and known values."""

import math

import ml_dtypes
import numpy as np
import pytest

from dispatch_cpu.kernels.special import digamma, erf, erfc, erfinv, lgamma

rng = np.random.default_rng(0)
SPREAD = np.concatenate(
    [rng.uniform(-6, 6, 3000), rng.uniform(-0.6, 0.6, 500), 10.0 ** rng.uniform(-12, 1, 500)]
)


def ulps(got, expected):
    """Distance in units of the last place of the expected values' dtype."""
    wanted = np.asarray(expected, np.float64)
    unit = np.spacing(np.abs(wanted).astype(got.dtype)).astype(np.float64)
    return np.abs(got.astype(np.float64) - wanted) / unit


@pytest.mark.parametrize(
    ("function", "reference", "limit"), [(erf, math.erf, 4), (erfc, math.erfc, 16)]
)
def test_error_functions_in_float64(function, reference, limit):
    x = np.concatenate([SPREAD, rng.uniform(6, 26, 300)])
    assert ulps(function(x), [reference(v) for v in x]).max() <= limit


def test_error_functions_in_float32():
    x = SPREAD.astype(np.float32)
    assert ulps(erf(x), [math.erf(v) for v in x]).max() <= 6
    assert ulps(erfc(x), [math.erfc(v) for v in x]).max() <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erfinv_undoes_erf(dtype):
    y = np.concatenate([rng.uniform(-1, 1, 500), 1 - 10.0 ** rng.uniform(-15, -1, 300)])
    y = y.astype(dtype)
    y = y[np.abs(y) < 1]
    x = erfinv(y).astype(np.float64)
    slope = 2 / np.sqrt(np.pi) * np.exp(-x * x)
    error = np.where(y > 0.5, (1 - y.astype(np.float64)) - erfc(x), erf(x) - y) / slope
    assert (np.abs(error / x) < 4 * np.finfo(dtype).eps).all()


def test_lgamma():
    x = np.concatenate([rng.uniform(0, 30, 1000), 10.0 ** rng.uniform(-300, 300, 200)])
    expected = [math.lgamma(v) for v in x]
    np.testing.assert_allclose(lgamma(x), expected, rtol=4e-15, atol=1e-15)
    negative = rng.uniform(-30, 0, 500)
    expected = [math.lgamma(v) for v in negative]
    np.testing.assert_allclose(lgamma(negative), expected, rtol=1e-13, atol=1e-13)
    narrow = x[(x > 1e-30) & (x < 1e30)].astype(np.float32)
    assert ulps(lgamma(narrow), [math.lgamma(v) for v in narrow]).max() <= 1


@pytest.mark.parametrize("centre", [1, 2])
def test_lgamma_keeps_its_relative_accuracy_beside_its_zeros(centre):
    # lgamma(c + h) = psi(c) h + psi'(c) h**2 / 2 + O(h**3)
    first, second = {1: (-0.5772156649015329, math.pi**2 / 6)}.get(
        centre, (0.42278433509846713, math.pi**2 / 6 - 1)
    )
    for h in (1e-7, -1e-7):
        h = (centre + h) - centre
        got = lgamma(np.array([centre + h])).item()
        np.testing.assert_allclose(got, first * h + second * h * h / 2, rtol=1e-13)


def test_digamma():
    euler = 0.5772156649015329
    x = np.array([1, 2, 0.5, 0.25, 10, 1e8, -0.5])
    expected = [
        -euler,
        1 - euler,
        -euler - 2 * math.log(2),
        -euler - math.pi / 2 - 3 * math.log(2),
        sum(1 / k for k in range(1, 10)) - euler,
        math.log(1e8) - 0.5e-8,
        -euler - 2 * math.log(2) + 2,
    ]
    np.testing.assert_allclose(digamma(x), expected, rtol=1e-14)
    x = rng.uniform(-20, 20, 500)
    np.testing.assert_allclose(digamma(x + 1) - digamma(x), 1 / x, rtol=1e-9, atol=1e-12)


SPECIAL_VALUES = [
    (erf, [np.inf, -np.inf, 0.0, 40.0], [1, -1, 0, 1]),
    (erfc, [np.inf, -np.inf, 0.0, 40.0], [0, 2, 1, 0]),
    (erfinv, [1.0, -1.0, 1.5, np.inf, 0.0], [np.inf, -np.inf, np.nan, np.nan, 0]),
    (lgamma, [0.0, -1.0, np.inf, -np.inf, 1.0], [np.inf, np.inf, np.inf, np.inf, 0]),
    (digamma, [0.0, -0.0, -1.0, np.inf, -np.inf], [-np.inf, np.inf, np.nan, np.inf, np.nan]),
]


@pytest.mark.parametrize(("function", "x", "expected"), SPECIAL_VALUES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16])
def test_special_values(function, x, expected, dtype):
    with np.errstate(all="ignore"):
        out = function(np.array([*x, np.nan], dtype))
    assert out.dtype == dtype
    np.testing.assert_array_equal(out.astype(np.float64), [*expected, np.nan])


@pytest.mark.parametrize("function", [erf, erfinv])
def test_odd_functions_keep_the_sign_of_zero(function):
    assert np.signbit(function(np.array([-0.0]))).all()
    assert np.signbit(function(np.array([-0.0], np.float32))).all()


@pytest.mark.parametrize("function", [erf, erfc, erfinv, lgamma, digamma])
def test_any_shape_and_layout(function):
    x = rng.uniform(0.1, 0.9, (130, 140))
    np.testing.assert_array_equal(function(x.T), function(x).T)
    assert function(np.array(0.5)).shape == ()
    assert function(np.zeros((0, 3))).shape == (0, 3)
    kept = x.copy()
    function(x)
    np.testing.assert_array_equal(x, kept)
