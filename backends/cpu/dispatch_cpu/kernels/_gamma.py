"""The logarithm of the gamma function and its derivative, as formulas on blocks of an array."""

from __future__ import annotations

from math import log, pi

import numpy as np

from dispatch_cpu.kernels._common import Array
from dispatch_cpu.kernels._erf import polynomial

# Own rational fit of lgamma(1 + u) / (u (u - 1)) for 0 <= u <= 2, relative error 1e-17, highest
# power first.
_CENTRE = (
    (-5.037662225244931e-8, 7.0305674744599431e-6, 0.001532306505217193,
     0.034932852509082133, 0.28230529780037259, 1.043953689068822,
     1.9166823141683811, 1.6974031643941495, 0.57721566490153509),
    (0.00044464967957471012, 0.016349505825998841, 0.19627071506745548,
     1.0710748397154744, 3.005831726424233, 4.4812652319805664,
     3.3655610043918865, 1.0),
)  # fmt: skip
# Stirling's series, Bernoulli numbers B_2n / (2n (2n - 1)) and B_2n / 2n: Abramowitz and Stegun
# 6.1.41 and 6.3.18, highest power first.
_STIRLING = (
    -3617 / 122400,
    1 / 156,
    -691 / 360360,
    1 / 1188,
    -1 / 1680,
    1 / 1260,
    -1 / 360,
    1 / 12,
)
_DIGAMMA = (-3617 / 8160, 1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)
_FAR = 10  # from here on the series are exact to float64


def lgamma(x: Array) -> Array:
    """Log |gamma(x)| for float64; infinite at zero and the negative integers."""
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
    y = x.copy()
    factor = np.ones_like(x)
    while True:
        above = y > 3
        if not above.any():
            break
        np.subtract(y, 1, out=y, where=above)
        np.multiply(factor, y, out=factor, where=above)
    u = np.where(below, x, y - 1)
    out = u * (u - 1) * polynomial(u, _CENTRE[0]) / polynomial(u, _CENTRE[1])
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
