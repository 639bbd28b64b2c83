"""Special functions of one argument beside scipy's: in each range, at edges, in derivatives."""

import math

import numpy as np
import pytest
import scipy.special as sp

import dispatch_core as dc

INF, NAN = math.inf, math.nan


def between(low, high):
    return np.linspace(low, high, 157)


def sizes(low, high):
    return np.geomspace(low, high, 61)


BOTH = np.concatenate([between(-40, 40), sizes(1e-8, 1e3), -sizes(1e-8, 1e3)])
PLUS = np.concatenate([between(1e-3, 40), sizes(1e-8, 600)])
UNIT = np.concatenate([between(0.001, 0.999), sizes(1e-290, 0.1), 1 - sizes(1e-15, 0.1)])

# name: the reference, arguments, what errors are relative to (None: the value; else the amplitude).
CASES = {
    "airy_ai": (lambda x: sp.airy(x)[0], between(-20, 30), 1.0),
    "bessel_j0": (sp.j0, BOTH, 1.0),
    "bessel_j1": (sp.j1, BOTH, 1.0),
    "bessel_y0": (sp.y0, PLUS, 1.0),
    "bessel_y1": (sp.y1, PLUS, 1.0),
    "erfcx": (sp.erfcx, np.concatenate([between(-25, 40), sizes(1, 1e9)]), None),
    "i0e": (sp.i0e, BOTH, None),
    "i1e": (sp.i1e, BOTH, None),
    "log_ndtr": (sp.log_ndtr, np.concatenate([between(-40, 30), -sizes(1, 1e6)]), None),
    "modified_bessel_i0": (sp.i0, BOTH.clip(-700, 700), None),
    "modified_bessel_i1": (sp.i1, BOTH.clip(-700, 700), None),
    "modified_bessel_k0": (sp.k0, PLUS, None),
    "modified_bessel_k1": (sp.k1, PLUS, None),
    "ndtr": (sp.ndtr, between(-37, 9), None),
    "ndtri": (sp.ndtri, UNIT, None),
    "scaled_modified_bessel_k0": (sp.k0e, PLUS, None),
    "scaled_modified_bessel_k1": (sp.k1e, PLUS, None),
    "spherical_bessel_j0": (lambda x: sp.spherical_jn(0, x), BOTH, 1.0),
}


def function(name):
    return getattr(dc.special, name)


@pytest.mark.parametrize(("dtype", "rtol"), [(dc.float64, 2e-13), (dc.float32, 3e-6)])
@pytest.mark.parametrize("name", CASES)
def test_values(name, dtype, rtol):
    reference, x, amplitude = CASES[name]
    x = x.astype(dtype.name)
    expected = reference(x.astype(np.float64))
    found = np.array(function(name)(dc.tensor(x.tolist(), dtype=dtype)).tolist())
    if dtype is dc.float32:
        kept = (abs(expected) < 3e38) & (abs(expected) > 1e-36)
        found, expected = found[kept], expected[kept]
    scale = abs(expected) if amplitude is None else np.maximum(abs(expected), amplitude)
    assert (abs(found - expected) <= rtol * scale).all()


# At 0, inf, -inf, NaN.
EDGES = {
    "airy_ai": (0.3550280538878172, 0, 0, NAN),
    "bessel_j0": (1, 0, 0, NAN),
    "bessel_j1": (0, 0, 0, NAN),
    "bessel_y0": (-INF, 0, NAN, NAN),
    "bessel_y1": (-INF, 0, NAN, NAN),
    "erfcx": (1, 0, INF, NAN),
    "i0e": (1, 0, 0, NAN),
    "i1e": (0, 0, 0, NAN),
    "log_ndtr": (math.log(0.5), 0, -INF, NAN),
    "modified_bessel_i0": (1, INF, INF, NAN),
    "modified_bessel_i1": (0, INF, -INF, NAN),
    "modified_bessel_k0": (INF, 0, NAN, NAN),
    "modified_bessel_k1": (INF, 0, NAN, NAN),
    "ndtr": (0.5, 1, 0, NAN),
    "ndtri": (-INF, NAN, NAN, NAN),
    "scaled_modified_bessel_k0": (INF, 0, NAN, NAN),
    "scaled_modified_bessel_k1": (INF, 0, NAN, NAN),
    "spherical_bessel_j0": (1, 0, 0, NAN),
}


@pytest.mark.parametrize("dtype", [dc.float64, dc.float32, dc.float16, dc.bfloat16])
@pytest.mark.parametrize("name", EDGES)
def test_edges(name, dtype):
    found = function(name)(dc.tensor([0.0, INF, -INF, NAN], dtype=dtype))
    assert found.dtype is dtype
    rel = {2: 1e-2, 4: 1e-6, 8: 1e-15}[dtype.itemsize]
    assert found.tolist() == pytest.approx(EDGES[name], rel=rel, nan_ok=True)


@pytest.mark.parametrize("name", CASES)
def test_dtypes_and_shapes(name):
    f = function(name)
    assert f(dc.tensor([0, 1])).dtype is dc.float32
    assert f(dc.tensor([True])).tolist() == f(dc.tensor([1.0])).tolist()
    assert f(dc.tensor(1, dtype=dc.uint8)).shape == ()
    assert f(dc.empty(0, 3)).shape == (0, 3)
    result = dc.empty(2)
    assert f(dc.tensor([0.25, 0.5]), out=result) is result
    assert result.tolist() == f(dc.tensor([0.25, 0.5])).tolist()
    with pytest.raises(NotImplementedError, match=r"not implemented for 'complex64'"):
        f(dc.tensor([1j]))


SLOPES = {"ndtri": (0.01, 0.3, 0.6, 0.95), "erfcx": (-2.0, 0.5, 3.0)}


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_derivatives(name):
    everywhere = (
        (0.5, 1.5, 5.0, 12.0) if CASES[name][1] is PLUS else (-9.0, -3.0, -0.4, 0.7, 2.5, 8.5)
    )
    points = SLOPES.get(name, everywhere)
    x = dc.tensor(points, dtype=dc.float64, requires_grad=True)
    assert dc.autograd.gradcheck(function(name), (x,), rtol=1e-5, check_forward_ad=True)
    assert dc.autograd.gradgradcheck(function(name), (x,), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("bessel_j0", 0),
        ("bessel_j1", 0.5),
        ("i1", 0.5),
        ("i1e", 0.5),
        ("spherical_bessel_j0", 0),
        ("airy_ai", -0.2588194037928068),
    ],
)
def test_slopes_at_zero(name, slope):
    x = dc.tensor(0.0, dtype=dc.float64, requires_grad=True)
    (found,) = dc.autograd.grad(function(name)(x), x)
    assert found.item() == pytest.approx(slope, rel=1e-15)


def test_tails_that_pytorch_loses():
    assert dc.special.ndtr(dc.tensor(-30.0, dtype=dc.float64)).item() == pytest.approx(
        4.906713927148187e-198, rel=1e-14
    )
    assert dc.special.ndtri(dc.tensor(5e-324, dtype=dc.float64)).item() == pytest.approx(
        -38.467405617144346, rel=1e-14
    )


def test_names_of_pytorch_for_what_is_there():
    x = dc.tensor([0.3, 1.7])
    assert dc.special.modified_bessel_i0 is dc.special.i0 is dc.i0
    assert dc.special.modified_bessel_i1 is dc.special.i1
    assert dc.special.round(x * 10, decimals=0).tolist() == [3.0, 17.0]
    assert dc.special.gammainc is dc.igamma
    assert dc.special.gammaincc is dc.igammac


@pytest.mark.parametrize("name", ["bessel_j1", "i1e", "i1"])
def test_odd_functions_keep_the_sign_of_zero(name):
    found = getattr(dc.special, name)(dc.tensor([-0.0, 0.0]))
    assert dc.signbit(found).tolist() == [True, False]
