"""Orthogonal polynomials beside scipy's and beside what defines them."""

import math

import numpy as np
import pytest
import scipy.special as sp

import dispatch_core as dc

INF, NAN = math.inf, math.nan
CHEBYSHEV = [
    f"{shifted}chebyshev_polynomial_{kind}" for shifted in ("", "shifted_") for kind in "tuvw"
]
OTHERS = [
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
]

SCIPY = {
    "chebyshev_polynomial_t": sp.eval_chebyt,
    "chebyshev_polynomial_u": sp.eval_chebyu,
    "shifted_chebyshev_polynomial_t": sp.eval_sh_chebyt,
    "shifted_chebyshev_polynomial_u": sp.eval_sh_chebyu,
    "hermite_polynomial_h": sp.eval_hermite,
    "hermite_polynomial_he": sp.eval_hermitenorm,
    "laguerre_polynomial_l": sp.eval_laguerre,
    "legendre_polynomial_p": sp.eval_legendre,
}


def at(name, x, n):
    return getattr(dc.special, name)(x, n)


@pytest.mark.parametrize("name", SCIPY)
def test_beside_scipy(name):
    x, n = np.linspace(-2, 2, 41), np.arange(15)
    found = at(name, dc.tensor(x.tolist(), dtype=dc.float64)[:, None], dc.tensor(n.tolist()))
    expected = SCIPY[name](n, x[:, None])
    scale = np.maximum(abs(expected), SCIPY[name](n, np.full_like(x, 2.0)[:, None]) * 1e-3)
    assert (abs(np.array(found.tolist()) - expected) <= 1e-12 * np.maximum(scale, 1)).all()


@pytest.mark.parametrize("degree", [0, 1, 4, 25])
def test_chebyshev_polynomials_are_sines_and_cosines(degree):
    angle = np.linspace(0.1, 3.0, 23)
    x = dc.tensor(np.cos(angle).tolist(), dtype=dc.float64)
    half = angle / 2
    expected = {
        "t": np.cos(degree * angle),
        "u": np.sin((degree + 1) * angle) / np.sin(angle),
        "v": np.cos((degree + 0.5) * angle) / np.cos(half),
        "w": np.sin((degree + 0.5) * angle) / np.sin(half),
    }
    for kind, values in expected.items():
        found = at(f"chebyshev_polynomial_{kind}", x, degree)
        np.testing.assert_allclose(found.tolist(), values, rtol=1e-12, atol=1e-13)
        found = at(f"shifted_chebyshev_polynomial_{kind}", (x + 1) / 2, degree)
        np.testing.assert_allclose(found.tolist(), values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CHEBYSHEV + OTHERS)
def test_degrees(name):
    x = dc.tensor([0.3, NAN], dtype=dc.float64)
    ((zero, _), (zeros, _)) = at(name, x, dc.tensor([[-1.0], [NAN]])).tolist()
    assert zero == zeros == 0
    assert at(name, x, 0).tolist() == [1, 1]
    assert at(name, x, -0.5).tolist() == [1, 1]
    assert at(name, x, 3.9).tolist() == pytest.approx(at(name, x, 3).tolist(), nan_ok=True)
    assert math.isnan(at(name, x, 3).tolist()[1])
    by_tensor = at(name, x, dc.tensor([[0], [2], [5]]))
    assert by_tensor.tolist()[2] == pytest.approx(at(name, x, 5).tolist(), nan_ok=True)
    assert at(name, 0.3, dc.tensor([2], dtype=dc.int64)).dtype is dc.float32
    assert at(name, dc.tensor([1]), 2).dtype is dc.float32
    assert at(name, dc.empty(0), dc.empty(2, 0)).shape == (2, 0)
    with pytest.raises(TypeError, match="at least one tensor"):
        at(name, 0.5, 2)


@pytest.mark.parametrize("name", CHEBYSHEV + OTHERS)
def test_derivatives_of_any_order(name):
    x = dc.tensor([-1.0, 0.0, 0.3, 1.0, 1.7], dtype=dc.float64, requires_grad=True)
    assert dc.autograd.gradcheck(lambda v: at(name, v, 5), (x,), check_forward_ad=True)
    assert dc.autograd.gradgradcheck(lambda v: at(name, v, 5), (x,))
    value = at(name, x, 5).sum()
    for _ in range(5):
        (value,) = dc.autograd.grad(value.sum(), x, create_graph=True)
    assert value.tolist() == pytest.approx([value[0].item()] * 5, rel=1e-12)


@pytest.mark.parametrize("name", CHEBYSHEV + OTHERS)
def test_overflow_is_infinite(name):
    odd, even = (at(name, dc.tensor([1e30, -1e30, INF, -INF]), n).tolist() for n in (9, 10))
    sign = -1 if name.startswith("laguerre") else 1
    assert odd == [sign * INF, -sign * INF] * 2
    assert even == [INF] * 4
