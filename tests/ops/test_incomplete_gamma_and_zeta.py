"""The incomplete gamma functions and Hurwitz's zeta function: each method they use, edges, derivatives."""

import math

import numpy as np
import pytest
import scipy.special as sp

import dispatch_core as dc

INF, NAN = math.inf, math.nan


def doubles(values):
    return dc.tensor(np.asarray(values).tolist(), dtype=dc.float64)


A = np.concatenate([np.geomspace(1e-6, 1e4, 61), np.linspace(0.1, 30, 61)])
RATIOS = np.concatenate([np.geomspace(1e-4, 0.5, 12), np.linspace(0.55, 1.8, 31), [2.5, 6, 30]])


@pytest.mark.parametrize(("dtype", "rtol"), [(dc.float64, 5e-13), (dc.float32, 5e-5)])
@pytest.mark.parametrize(
    ("function", "reference"), [(dc.igamma, sp.gammainc), (dc.igammac, sp.gammaincc)]
)
def test_igamma_beside_scipy(function, reference, dtype, rtol):
    a = A[:, None].astype(dtype.name)
    x = (A[:, None] * RATIOS).astype(dtype.name)
    expected = reference(a.astype(np.float64), x.astype(np.float64))
    found = function(dc.tensor(a.tolist(), dtype=dtype), dc.tensor(x.tolist(), dtype=dtype))
    least = 1e-20  # scipy's errors grow where the result is smaller
    error = abs(np.array(found.tolist()) - expected)
    assert (error <= rtol * np.maximum(expected, least)).all()


@pytest.mark.parametrize(
    ("a", "x", "lower", "upper"),
    [  # mpmath, 30 digits
        (1e-9, 2.0, 0.999999999951099489, 4.89005107844473504e-11),
        (0.5, 1e-12, 1.128379167095136e-06, 0.9999988716208329),
        (15.2, 15.2, 0.534119463984317893, 0.465880536015682107),
        (250.0, 200.0, 0.000362070458289693132, 0.999637929541710307),
        (1e6, 1.002e6, 0.977195904101230137, 0.0228040958987698628),
    ],
)
def test_igamma_beside_mpmath(a, x, lower, upper):
    assert dc.igamma(doubles(a), doubles(x)).item() == pytest.approx(lower, rel=1e-13)
    assert dc.igammac(doubles(a), doubles(x)).item() == pytest.approx(upper, rel=1e-13)


def test_igamma_at_edges():
    a = doubles([0, 1, INF, -1, NAN])[:, None]
    x = doubles([0, 1, INF, -1, NAN])
    lower = [
        [NAN, 1, 1, NAN, NAN],
        [0, 1 - math.exp(-1), 1, NAN, NAN],
        [0, 0, NAN, NAN, NAN],
        [NAN] * 5,
        [NAN] * 5,
    ]
    for found, expected in zip(dc.igamma(a, x).tolist(), lower, strict=True):
        assert found == pytest.approx(expected, nan_ok=True)
    for found, expected in zip(dc.igammac(a, x).tolist(), lower, strict=True):
        assert found == pytest.approx([1 - e for e in expected], nan_ok=True)


def test_igamma_forms():
    a, x = dc.tensor([1.5, 2.5]), dc.tensor([1.0, 2.0])
    for name in ("igamma", "igammac"):
        expected = getattr(dc, name)(a, x).tolist()
        assert getattr(a, name)(x).tolist() == expected
        target = a.clone()
        assert getattr(target, f"{name}_")(x) is target
        assert target.tolist() == expected
    assert (dc.igamma(a, x) + dc.igammac(a, x)).tolist() == pytest.approx([1, 1])
    with pytest.raises(NotImplementedError, match="int64"):
        dc.igamma(dc.tensor([1]), dc.tensor([1]))
    with pytest.raises(TypeError):
        dc.igamma(a, 2.0)


@pytest.mark.parametrize("function", [dc.igamma, dc.igammac])
def test_igamma_is_differentiable_in_x_only(function):
    a = doubles([0.4, 1.0, 7.5, 30.0])
    x = doubles([0.3, 2.0, 9.0, 25.0]).requires_grad_()
    assert dc.autograd.gradcheck(lambda v: function(a, v), (x,), check_forward_ad=True)
    assert dc.autograd.gradgradcheck(lambda v: function(a, v), (x,))
    with pytest.raises(NotImplementedError, match=r"'igammac?: input' is not implemented"):
        function(a.requires_grad_(), x).sum().backward()


def test_zeta_beside_scipy():
    x = np.concatenate([np.linspace(1.001, 12, 33), [40, 300]])[:, None]
    q = np.concatenate([np.geomspace(1e-3, 1e6, 41), [2, 9.5, 1e12]])
    with np.errstate(over="ignore"):
        expected = sp.zeta(x, q)
    found = np.array(dc.special.zeta(doubles(x), doubles(q)).tolist())
    kept = (expected > 1e-300) & (expected < 1e300)
    np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-13)
    narrow = dc.special.zeta(dc.tensor([2.5, 7.0]), dc.tensor([[0.3], [4.0]]))
    np.testing.assert_allclose(narrow.tolist(), sp.zeta([2.5, 7.0], [[0.3], [4.0]]), rtol=1e-6)


@pytest.mark.parametrize("x", [2, 3, 6])
def test_zeta_of_negative_numbers(x):
    q = np.array([-0.5, -1.25, -7.9, -1e-7])
    terms = np.ceil(-q).astype(int)
    expected = [
        math.fsum([(v + k) ** -x for k in range(n)]) + sp.zeta(x, v + n)
        for v, n in zip(q, terms, strict=True)
    ]
    assert dc.special.zeta(x, doubles(q)).tolist() == pytest.approx(expected, rel=1e-13)


def test_zeta_at_edges():
    f = dc.special.zeta
    assert f(doubles([1.0, 2.0, 3.0, INF]), doubles([5.0, 0.0, -2.0, 1.0])).tolist() == [
        INF,
        INF,
        INF,
        1,
    ]
    assert np.isnan(f(doubles([0.5, 2.5, 2.0]), doubles([1.0, -0.5, NAN])).tolist()).all()
    assert f(dc.tensor([2]), 1).tolist() == pytest.approx([math.pi**2 / 6], rel=1e-6)
    with pytest.raises(TypeError, match="at least one tensor"):
        f(2, 3)


def test_zeta_is_differentiable_in_q_only():
    x = doubles([2.0, 3.5, 5.0])
    q = doubles([0.7, 2.0, -1.3]).requires_grad_()
    assert dc.autograd.gradcheck(lambda v: dc.special.zeta(x, v), (q,), check_forward_ad=True)
    assert dc.autograd.gradgradcheck(lambda v: dc.special.zeta(x, v), (q,))
    with pytest.raises(NotImplementedError, match="'zeta: input' is not implemented"):
        dc.special.zeta(x.requires_grad_(), q).sum().backward()
