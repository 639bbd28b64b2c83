"""The error function, its complement and its inverse, as formulas on blocks of an array."""

from __future__ import annotations

from math import pi

import numpy as np

from dispatch_cpu.kernels._common import Array

# W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969).
# Numerator and denominator, highest power first; |x| <= 0.46875, then up to 4, then above.
_SMALL = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
     3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
     2.84423683343917062e3),
)  # fmt: skip
_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
     6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
     1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
     3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
_LARGE = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
_LIMIT_SMALL, _LIMIT_MIDDLE = 0.46875, 4.0

# Own rational fit of erf(x) / x in x**2 for |x| <= 4, relative error 1e-9, highest power first.
_SINGLE = (
    (-1.451559271e-10, 2.873272285e-9, 3.299010184e-6, 3.395133309e-4, 3.447246828e-3,
     5.257682277e-2, 0.1771244158, 1.128379168),
    (5.280122936e-5, 1.178379014e-3, 1.451130951e-2, 0.1100300213, 0.4903057948, 1.0),
)  # fmt: skip

# M. Giles, Approximating the erfinv function (GPU Computing Gems, 2012): highest power first.
_GILES_CENTRE = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                 -0.00125372503, -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
_GILES_TAIL = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
               -0.0076224613, 0.00943887047, 1.00167406, 2.83297682)  # fmt: skip


def polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Horner's rule, highest power first."""
    out = np.full_like(x, coefficients[0])
    for value in coefficients[1:]:
        out *= x
        out += value
    return out


def erf_single(x: Array) -> Array:
    """Erf for float32."""
    clipped = np.clip(x, -4, 4)
    square = clipped * clipped
    out = polynomial(square, _SINGLE[0])
    out /= polynomial(square, _SINGLE[1])
    out *= clipped
    return np.clip(out, -1, 1, out=out)


def erf(x: Array) -> Array:
    """Erf for float64."""
    size = np.abs(x)
    out = np.copysign(1 - _erfc_positive(np.maximum(size, _LIMIT_SMALL)), x)
    small = size <= _LIMIT_SMALL
    if small.any():
        out[small] = _erf_small(x[small])
    out[np.isnan(x)] = np.nan
    return out


def erfc(x: Array) -> Array:
    """1 - erf(x) for float64, accurate in its tail."""
    size = np.abs(x)
    out = _erfc_positive(np.maximum(size, _LIMIT_SMALL))
    np.subtract(2, out, out=out, where=x < 0)
    small = size <= _LIMIT_SMALL
    if small.any():
        out[small] = 1 - _erf_small(x[small])
    out[np.isnan(x)] = np.nan
    return out


def _erf_small(x: Array) -> Array:
    square = x * x
    return x * polynomial(square, _SMALL[0]) / polynomial(square, _SMALL[1])


def _erfc_positive(y: Array) -> Array:
    """Erfc for y >= 0.46875, nan where y is."""
    middle = np.minimum(y, _LIMIT_MIDDLE)
    out = polynomial(middle, _MIDDLE[0])
    out /= polynomial(middle, _MIDDLE[1])
    large = y > _LIMIT_MIDDLE
    if large.any():
        far = np.minimum(y[large], 30.0)  # erfc underflows at 26.6
        inverse = 1 / (far * far)
        ratio = inverse * polynomial(inverse, _LARGE[0]) / polynomial(inverse, _LARGE[1])
        out[large] = (1 / np.sqrt(pi) - ratio) / far
    # exp(-y * y) from a part of y whose square is exact and the small rest
    y = np.minimum(y, 30.0)
    exact = np.trunc(y * 16) / 16
    rest = (y - exact) * (y + exact)
    out *= np.exp(-exact * exact)
    out *= np.exp(-rest)
    return out


def erfinv(y: Array) -> Array:
    """The inverse of erf for float64: Giles's approximation and Halley steps on erf or erfc."""
    size = np.abs(y)
    w = -np.log((1 - size) * (1 + size))
    centre = polynomial(np.minimum(w, 5.0) - 2.5, _GILES_CENTRE)
    tail = polynomial(np.sqrt(np.maximum(w, 5.0)) - 3, _GILES_TAIL)
    x = np.where(w < 5, centre, tail) * size
    far = w > 16  # beyond the approximation, made for single precision
    if far.any():
        x[far] = _erfinv_far(1 - size[far])
    for _ in range(2):
        # 1 - size is exact above one half, and so is the residual's relative size there
        residual = np.where(size > 0.5, (1 - size) - erfc(x), erf(x) - size)
        step = residual * (np.sqrt(pi) / 2) * np.exp(x * x)
        x = x - step / (1 + x * step)
    x = np.where(size == 1, np.inf, x)
    x[~(size <= 1)] = np.nan
    return np.copysign(x, y)


def _erfinv_far(rest: Array) -> Array:
    """erfinv(1 - rest) for tiny rest to three digits: erfc(x) sqrt(pi) x exp(x * x) ~ 1."""
    level = -np.log(rest * np.sqrt(pi))
    x = np.sqrt(level)
    for _ in range(3):
        x = np.sqrt(level - np.log(x) - np.log1p(0.5 / (x * x)))
    return x
