"""The logarithm of the gamma function and its derivative, as formulas on blocks of an array."""

from __future__ import annotations

from math import log, pi

import numpy as np

from ._common import Array
from ._erf import polynomial

# Own rational fit of lgamma(2 + s) / (s (s + 1)) for |s| <= 1, relative error 1e-18, highest first.
_CENTRE = (
    (-3.83477187561938843e-9, 5.04503050238716267e-7, 1.20281210949354113e-4,
     3.37003838136342425e-3, 3.65535584372987407e-2, 1.94369499156377797e-1,
     5.41595805863300337e-1, 7.59375093681572189e-1, 4.2278433509846714e-1),
    (3.38476461798382638e-5, 1.48149146141573555e-3, 2.31186778431361756e-2,
     1.76088099915493643e-1, 7.30420862835157781e-1, 1.68553230261340639,
     2.03340645332969207, 1.0),
)  # fmt: skip
# Stirling's series, Bernoulli numbers B_2n / (2n (2n - 1)) and B_2n / 2n: Abramowitz and Stegun
# 6.1.41 and 6.3.18, highest power first.
_STIRLING = (-3617 / 122400, 1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
_DIGAMMA = (-3617 / 8160, 1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)
_FAR = 10  # from here on the series are exact to float64


def lgamma(x: Array) -> Array:
    """log |gamma(x)| for float64; infinite at zero and the negative integers."""
    low = x <= 0
    y = np.where(low, 1 - x, x)
    out = _lgamma_positive(y)
    if low.any():
        # gamma(x) gamma(1 - x) = pi / sin(pi x)
        at = x[low]
        sine = np.abs(np.sin(pi * (at - np.round(at))))
        out[low] = np.where(sine == 0, np.inf, log(pi) - np.log(sine) - out[low])
    out[np.isinf(x)] = np.inf
    return out


def _lgamma_positive(x: Array) -> Array:
    far = np.maximum(x, _FAR)
    inverse = 1 / far
    out = polynomial(inverse * inverse, _STIRLING) * inverse
    out += (far - 0.5) * np.log(far) - far + 0.5 * log(2 * pi)
    near = x < _FAR
    if near.any():
        out[near] = _lgamma_near(x[near])
    return out


def _lgamma_near(x: Array) -> Array:
    """0 < x < 10: the fit on [1, 3], reached by gamma(x + 1) = x gamma(x)."""
    below = x < 1
    y = np.where(below, x + 1, x)
    factor = np.ones_like(x)
    while True:
        above = y > 3
        if not above.any():
            break
        y = np.where(above, y - 1, y)
        np.multiply(factor, y, out=factor, where=above)
    s = y - 2
    # (x - 1) and (x - 2) themselves, not from y, which has lost the last bits of a small x
    first = np.where(below, x, s + 1)
    second = np.where(below, x - 1, s)
    out = first * second * polynomial(s, _CENTRE[0]) / polynomial(s, _CENTRE[1])
    logs = np.log(np.where(below, x, factor))
    return out + np.where(below, -logs, logs)


def digamma(x: Array) -> Array:
    """The derivative of log gamma for float64.

    Infinite at zero, with the sign opposite to the zero's; nan at the negative integers.
    """
    low = x <= 0
    y = np.where(low, 1 - x, x)
    shift = np.zeros_like(x)
    while True:
        near = y < _FAR
        if not near.any():
            break
        np.subtract(shift, 1 / y, out=shift, where=near)
        y = np.where(near, y + 1, y)
    inverse = 1 / y
    square = inverse * inverse
    out = np.log(y) - 0.5 * inverse - square * polynomial(square, _DIGAMMA) + shift
    if low.any():
        # digamma(1 - x) - digamma(x) = pi / tan(pi x)
        at = x[low]
        tangent = np.tan(pi * (at - np.round(at)))
        out[low] = np.where(tangent == 0, np.nan, out[low] - pi / tangent)
    out[x == 0] = -np.copysign(np.inf, x[x == 0])
    out[x == -np.inf] = np.nan
    return out
