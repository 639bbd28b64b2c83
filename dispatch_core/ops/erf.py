"""The error function, its complement and its inverse."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import REAL
from dispatch_core._families.pointwise import FLOAT, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor

UNIT = (-0.9, 0.9)
HALF_SQRT_PI = 0.886226925452758
TWO_OVER_SQRT_PI = 1.1283791670955126


@composite(
    pointwise(FLOAT, REAL),
    grad={"input": lambda K, g, input: g * (TWO_OVER_SQRT_PI * K.exp(-input * input))},
    out=True,
    aliases=("special.erf",),
)
def erf(input: Tensor) -> Tensor:
    """The error function, by the series and continued fraction of Abramowitz and Stegun, chapter 7."""
    return K.where(
        K.lt(K.abs(input), 2.5), _erf_series(input), K.sub(K.sgn(input), _erfc_tail(input))
    )


@composite(
    pointwise(FLOAT, REAL),
    grad={"input": lambda K, g, input: -g * (TWO_OVER_SQRT_PI * K.exp(-input * input))},
    out=True,
    aliases=("special.erfc",),
)
def erfc(input: Tensor) -> Tensor:
    """1 - erf(x), without cancellation for large x."""
    far = K.where(K.gt(input, 0), _erfc_tail(input), K.sub(2.0, _erfc_tail(K.neg(input))))
    return K.where(K.lt(K.abs(input), 2.5), K.sub(1.0, _erf_series(input)), far)


def _erf_series(x: Tensor) -> Tensor:
    """2/K.sqrt(pi) K.exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!! (7.1.6), for |x| <= 2.5."""
    x = K.where(K.lt(K.abs(x), 2.5), x, K.zeros_like(x))
    doubled = K.mul(K.mul(x, x), 2.0)
    total = term = x
    for n in range(1, 48):
        term = K.div(K.mul(term, doubled), 2.0 * n + 1.0)
        total = total + term
    return K.mul(K.mul(total, K.exp(K.neg(K.mul(x, x)))), TWO_OVER_SQRT_PI)


def _erfc_tail(x: Tensor) -> Tensor:
    """erfc by its continued fraction (7.1.14), odd in x, for |x| >= 2.5."""
    a = K.abs(x)
    a = K.where(K.lt(a, 2.5), K.mul(K.ones_like(a), 2.5), a)
    fraction = a
    for n in range(40, 0, -1):
        fraction = a + K.div(n / 2.0, fraction)
    return K.mul(K.sgn(x), K.div(K.exp(K.neg(K.mul(a, a))), K.mul(fraction, 1.7724538509055159)))


_CENTRE = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
           -0.00125372503, -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
_TAIL = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
         -0.0076224613, 0.00943887047, 1.00167406, 2.83297682)  # fmt: skip


def _polynomial(x: Tensor, coefficients: Any) -> Tensor:
    value = K.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        value = value * x + c
    return value


@composite(
    pointwise(FLOAT, REAL, domain=UNIT),
    grad={"input": lambda K, g, out: g * HALF_SQRT_PI * K.exp(out * out)},
    aliases=("special.erfinv",),
    out=True,
)
def erfinv(input: Tensor) -> Tensor:
    """The inverse of erf: Giles's polynomials (2012) and two of Newton's steps."""
    inside = K.lt(K.abs(input), 1)
    y = K.where(inside, input, 0.0)
    w = K.neg(K.log(K.mul(1 - y, 1 + y)))
    centre = _polynomial(K.minimum(w, 5.0) - 2.5, _CENTRE)
    tail = _polynomial(K.sqrt(K.maximum(w, 5.0)) - 3, _TAIL)
    x = K.where(K.lt(w, 5), centre, tail) * y
    for _ in range(2):
        x = x - (K.erf(x) - y) * HALF_SQRT_PI * K.exp(x * x)
    edge = K.where(K.eq(K.abs(input), 1), input * float("inf"), float("nan"))
    return K.where(inside, x, edge)
