"""Functions of complex numbers by their parts, right at infinities, zeros and branch cuts.

W. Kahan, "Branch cuts for complex elementary functions", 1987; at the edges as C99's Annex G and the
array API standard have it. Bodies of composites in `unary` for devices without a kernel of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dispatch_core._op import K
from dispatch_core._tensor import Tensor

INF, NAN, HALF_PI = math.inf, math.nan, math.pi / 2


def _parts(z: Tensor) -> tuple[Tensor, Tensor]:
    return K.real(z), K.imag(z)


def _nan_in(x: Tensor, y: Tensor) -> Tensor:
    return K.logical_or(K.isnan(x), K.isnan(y))


def _corner(x: Tensor) -> Tensor:
    """How an infinite square sees a coordinate: infinities as 1 with their sign, all else as 0."""
    return K.copysign(K.cast(K.isinf(x), x.dtype), x)


def turned(function: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """-i f(i z): the circular function of a hyperbolic one."""
    found = function(K.complex(K.neg(K.imag(z)), K.real(z)))
    return K.complex(K.imag(found), K.neg(K.real(found)))


def sinh(z: Tensor) -> Tensor:
    """sinh x cos y + i cosh x sin y."""
    x, y = _parts(z)
    wild = K.logical_not(K.isfinite(y))
    keep = K.logical_and(wild, K.logical_or(K.isinf(x), K.eq(x, 0)))
    re = K.where(keep, x, K.mul(K.sinh(x), K.cos(y)))
    return K.complex(re, K.where(K.eq(y, 0), y, K.mul(K.cosh(x), K.sin(y))))


def cosh(z: Tensor) -> Tensor:
    """cosh x cos y + i sinh x sin y."""
    x, y = _parts(z)
    wild = K.logical_not(K.isfinite(y))
    re = K.where(K.logical_and(wild, K.isinf(x)), INF, K.mul(K.cosh(x), K.cos(y)))
    zero = K.logical_or(K.eq(y, 0), K.logical_and(wild, K.eq(x, 0)))
    im = K.where(zero, K.copysign(K.zeros_like(y), _sign_product(x, y)), K.sinh(x) * K.sin(y))
    return K.complex(re, im)


def _sign_product(x: Tensor, y: Tensor) -> Tensor:
    one = K.ones_like(x)
    return K.mul(K.copysign(one, x), K.copysign(one, y))


def acos(z: Tensor) -> Tensor:
    """2 atan2(Re sqrt(1 - z), Re sqrt(1 + z)), and asinh of the product's imaginary part."""
    x, y = _parts(z)
    a, b = K.sqrt(1 - z), K.sqrt(1 + z)
    re = K.mul(K.atan2(K.real(a), K.real(b)), 2)
    im = K.abs(K.asinh(K.real(b) * K.imag(a) - K.imag(b) * K.real(a)))
    infinite = K.logical_or(K.isinf(x), K.isinf(y))
    nan = _nan_in(x, y)
    re = K.where(infinite, K.atan2(K.abs(_corner(y)), _corner(x)), re)
    re = K.where(nan, K.where(K.eq(x, 0), HALF_PI, NAN), re)
    im = K.where(infinite, INF, K.where(nan, NAN, im))
    return K.complex(re, K.neg(K.copysign(im, y)))


def acosh(z: Tensor) -> Tensor:
    """acos, turned by a quarter to the side where the real part is positive."""
    found = acos(z)
    return K.complex(K.abs(K.imag(found)), K.copysign(K.real(found), K.imag(z)))


def asinh(z: Tensor) -> Tensor:
    """Kahan's asin of i z, turned back."""
    x, y = _parts(z)
    turned = K.complex(K.neg(y), x)
    a, b = K.sqrt(1 - turned), K.sqrt(1 + turned)
    im = K.atan2(y, K.real(a) * K.real(b) - K.imag(a) * K.imag(b))
    re = K.abs(K.asinh(K.real(a) * K.imag(b) - K.imag(a) * K.real(b)))
    infinite = K.logical_or(K.isinf(x), K.isinf(y))
    nan = _nan_in(x, y)
    re = K.where(infinite, INF, K.where(nan, NAN, re))
    im = K.where(infinite, K.atan2(_corner(y), K.abs(_corner(x))), im)
    im = K.where(nan, K.where(K.eq(y, 0), y, NAN), im)
    return K.complex(K.copysign(re, x), im)


def atanh(z: Tensor) -> Tensor:
    """log1p(4 x / ((1 - x)^2 + y^2)) / 4 and the angle of (1 + z) (1 - conj z), halved."""
    x, y = _parts(z)
    a = K.abs(x)
    rest = 1 - a
    re = K.mul(K.log1p(K.div(K.mul(a, 4), K.square(rest) + K.square(y))), 0.25)
    im = K.mul(K.atan2(K.mul(y, 2), rest * (1 + a) - K.square(y)), 0.5)
    infinite = K.logical_or(K.isinf(x), K.isinf(y))
    re = K.where(K.logical_or(infinite, K.eq(x, 0)), 0.0, re)
    quarter = K.logical_and(infinite, K.logical_not(K.isnan(y)))
    im = K.where(quarter, K.copysign(K.full_like(y, HALF_PI), y), im)
    return K.complex(K.copysign(re, x), im)
