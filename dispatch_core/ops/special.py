"""Special functions: gamma and its logarithm's derivatives, the inverse of erf, log-sums."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import float32
from dispatch_core._families.base import FLOATING, INEXACT, REAL
from dispatch_core._families.pointwise import FLOAT, SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number

POSITIVE = (0.2, 3.0)
UNIT = (-0.9, 0.9)
HALF_SQRT_PI = 0.886226925452758
SHIFT = 10
"""Arguments are moved up by so many steps of the recurrence before an asymptotic series is used."""

# Bernoulli numbers B_2k for k = 1 ... 8.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


# -- logarithms of sums --------------------------------------------------------------------------


@composite(
    pointwise(SAME, INEXACT, inplace=False),
    grad={
        "input": lambda K, g, input, other: g * K.conj(K.sigmoid(input - other)),
        "other": lambda K, g, input, other: g * K.conj(K.sigmoid(other - input)),
    },
    out=True,
)
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(exp(input) + exp(other)), without overflow."""
    if input.is_complex():  # by the larger real part
        first = K.ge(K.real(input), K.real(other))
        large, small = K.where(first, input, other), K.where(first, other, input)
        return large + K.log1p(K.exp(small - large))
    large = K.maximum(input, other)
    rest = K.log1p(K.exp(K.neg(K.abs(K.sub(input, other)))))
    return K.where(K.isinf(large), large, large + rest)


@composite(
    pointwise(SAME, FLOATING, inplace=False),
    grad={
        "input": lambda K, g, input, other: g * K.sigmoid((input - other) * math.log(2)),
        "other": lambda K, g, input, other: g * K.sigmoid((other - input) * math.log(2)),
    },
    out=True,
)
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log2(2 ** input + 2 ** other), without overflow."""
    scale = math.log(2)
    return K.logaddexp(input * scale, other * scale) / scale


def _times(name: str, log: Any) -> Any:
    def product(input: Any, other: Any) -> Any:
        value = K.mul(log(other), input) if isinstance(other, Tensor) else K.mul(input, log(other))
        nan = K.ne(other, other) if isinstance(other, Tensor) else other != other
        zero = K.eq(input, 0) if isinstance(input, Tensor) else input == 0
        if isinstance(zero, Tensor):
            value = K.where(zero, 0.0, value)
        elif zero:
            value = K.zeros_like(value)
        if isinstance(nan, Tensor):
            return K.where(nan, float("nan"), value)
        return value * float("nan") if nan else value

    product.__name__ = name
    return product


def _number(function: Any, scalar: Any) -> Any:
    return lambda value: function(value) if isinstance(value, Tensor) else scalar(value)


def _log(value: float) -> float:
    if value > 0:
        return math.log(value)
    return -math.inf if value == 0 else math.nan


_xlogy = _times("xlogy", _number(lambda v: K.log(v), _log))
_xlog1py = _times("xlog1py", _number(lambda v: K.log1p(v), lambda v: _log(1 + v)))


def _log_factor(K: Any, g: Any, input: Any, log: Any, dead: Any) -> Any:
    return K.where(K.bitwise_and(K.eq(input, 0), dead), 0.0, g * log)


@composite(
    pointwise(FLOAT, REAL, domain=POSITIVE),
    grad={
        "input": lambda K, g, input, other: _log_factor(K, g, input, *_log_of(K, g, other, 0)),
        "other": lambda g, input, other: g * input / other,
    },
    aliases=("special.xlogy",),
    out=True,
)
def xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input * log(other), and 0 where input is 0."""
    return _xlogy(input, other)


def _log_of(K: Any, g: Any, other: Any, shift: int) -> Any:
    """log(shift + other), and where it is not finite."""
    if isinstance(other, (bool, int, float)):
        other = K.full_like(g, float(other))
    return (K.log1p(other) if shift else K.log(other)), K.le(other, -shift)


@composite(
    pointwise(FLOAT, REAL, domain=POSITIVE, inplace=False),
    grad={
        "input": lambda K, g, input, other: _log_factor(K, g, input, *_log_of(K, g, other, 1)),
        "other": lambda g, input, other: g * input / (other + 1),
    },
    namespace="special",
    out=True,
)
def xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input * log1p(other), and 0 where input is 0."""
    return _xlog1py(input, other)


@composite(
    pointwise(FLOAT, REAL, domain=POSITIVE, inplace=False),
    grad={"input": lambda K, g, input: -g * (K.log(input) + 1)},
    namespace="special",
    out=True,
)
def entr(input: Tensor) -> Tensor:
    """-x log(x), the entropy of each element; -inf for negative ones."""
    return K.where(K.lt(input, 0), -float("inf"), K.neg(K.xlogy(input, input)))


@composite(
    pointwise(
        FLOAT,
        REAL,
        samples=lambda make: [
            (make(3, 4, low=0.1, high=0.9),),
            (make(3, 4, low=0.0, high=1.0), 0.2),
        ],
    ),
    grad={"input": lambda K, g, input, eps: _logit_input(K, g, input, eps)},
    aliases=("special.logit",),
    out=True,
)
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), of x limited to [eps, 1 - eps]."""
    x = input if eps is None else K.clamp(input, eps, 1 - eps)
    return K.log(K.div(x, 1 - x))


def _logit_input(K: Any, g: Any, input: Any, eps: float | None) -> Any:
    """1 / (x (1 - x)); outside the limits 0, or NaN where none were given."""
    low, beyond = (0.0, float("nan")) if eps is None else (eps, 0.0)
    outside = (input < low) | (input > 1 - low)
    return K.where(outside, beyond, g / (input * (1 - input)))


# -- the inverse of erf --------------------------------------------------------------------------

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


# -- gamma ---------------------------------------------------------------------------------------


def _sin_pi(x: Tensor) -> Tensor:
    return K.sin((x - K.round(x)) * math.pi)


@composite(
    pointwise(FLOAT, REAL, domain=POSITIVE),
    grad={"input": lambda K, g, input: g * K.digamma(input)},
    aliases=("special.gammaln",),
    out=True,
)
def lgamma(input: Tensor) -> Tensor:
    """log |gamma(x)|: recurrence, Stirling's series (Abramowitz and Stegun 6.1.41), reflection."""
    if input.dtype.itemsize == 2:  # products of shifted arguments overflow there
        return K.cast(K.lgamma(K.cast(input, float32)), input.dtype)
    low = K.le(input, 0)
    x = K.where(low, 1 - input, input)
    product = x
    for k in range(1, SHIFT):
        product = product * (K.minimum(x, 1e3) + k)
    near = K.lt(x, SHIFT)
    y = K.where(near, x + SHIFT, x)
    series = (y - 0.5) * K.log(y) - y + 0.5 * math.log(2 * math.pi)
    inverse = 1 / y
    term = inverse
    for k, b in enumerate(_BERNOULLI, 1):
        series = series + term * (b / (2 * k * (2 * k - 1)))
        term = term * inverse * inverse
    value = K.where(near, series - K.log(product), series)
    sine = K.abs(_sin_pi(input))
    reflected = K.where(K.eq(sine, 0), float("inf"), math.log(math.pi) - K.log(sine) - value)
    value = K.where(low, reflected, value)
    return K.where(K.isinf(input), float("inf"), value)


@composite(
    pointwise(FLOAT, REAL, domain=POSITIVE),
    grad={"input": lambda K, g, input: g * K.polygamma(1, input)},
    aliases=("special.digamma", "special.psi"),
    out=True,
)
def digamma(input: Tensor) -> Tensor:
    """The derivative of lgamma: recurrence, series (Abramowitz and Stegun 6.3.18), reflection."""
    low = K.le(input, 0)
    x = K.where(low, 1 - input, input)
    y = x + SHIFT
    inverse = 1 / y
    value = K.log(y) - 0.5 * inverse
    term = inverse * inverse
    for k, b in enumerate(_BERNOULLI, 1):
        value = value - term * (b / (2 * k))
        term = term * inverse * inverse
    for k in range(SHIFT):
        value = value - 1 / (x + k)
    whole = K.eq(_sin_pi(input), 0)
    reflected = value - math.pi * K.cos((input - K.round(input)) * math.pi) / _sin_pi(input)
    reflected = K.where(whole, float("nan"), reflected)
    value = K.where(low, reflected, value)
    return K.where(
        K.eq(input, 0), K.copysign(K.full_like(value, float("inf")), K.neg(input)), value
    )


def _polygamma_positive(n: int, x: Tensor) -> Tensor:
    """(-1)^(n+1) n! sum of (x + k)^-(n+1), its tail by Euler and Maclaurin's formula."""
    total: Any = 0.0
    for k in range(2 * SHIFT):
        total = total + K.pow(x + k, -(n + 1.0))
    y = x + 2 * SHIFT
    total = total + K.pow(y, -float(n)) / n + 0.5 * K.pow(y, -(n + 1.0))
    factor = float(n + 1)
    for k, b in enumerate(_BERNOULLI, 1):
        total = total + K.pow(y, -(n + 2.0 * k)) * (b * factor / math.factorial(2 * k))
        factor *= (n + 2 * k) * (n + 2 * k + 1)
    factorial = float(math.factorial(n)) if n <= _LAST_FACTORIAL else math.inf
    return total * ((-1) ** (n + 1) * factorial)


_LAST_FACTORIAL = 170
"""Beyond it they are no finite floats."""


def _cotangent_slope(n: int, x: Tensor) -> Any:
    """The n-th derivative of cot(pi x), a polynomial of the cotangent: d cot(pi x) = -pi (1 + cot^2)."""
    powers = [0.0, 1.0]
    for _ in range(n):
        slope = [i * p for i, p in enumerate(powers)][1:]
        powers = [-math.pi * (a + b) for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    cotangent = K.cos((x - K.round(x)) * math.pi) / K.sin((x - K.round(x)) * math.pi)
    total: Any = 0.0
    for p in reversed(powers):
        total = total * cotangent + p
    return total


@composite(
    pointwise(
        FLOAT,
        REAL,
        inplace=False,
        samples=lambda make: [
            (1, make(3, 4, low=0.2, high=3)),
            (2, make(4, low=0.2, high=3)),
            (0, make(4, low=0.2, high=3)),
        ],
    ),
    grad={"input": lambda K, g, n, input: g * K.polygamma(n + 1, input)},
    aliases=("special.polygamma",),
    out=True,
    method=False,
)
def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma; of negative numbers by reflection (Abramowitz and Stegun 6.4.7)."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if input.dtype.itemsize == 2:
        return K.cast(K.polygamma(n, K.cast(input, float32)), input.dtype)
    if n == 0:
        return K.digamma(input)
    value = _polygamma_positive(n, K.where(K.gt(input, 0), input, 1 - input))
    if n > _LAST_FACTORIAL:
        return K.where(K.gt(input, 0), value, float("nan"))
    reflected = (-1) ** n * value - math.pi * _cotangent_slope(n, input)
    pole = math.copysign(math.inf, (-1) ** (n + 1))
    below = K.where(K.eq(_sin_pi(input), 0), pole, reflected)
    return K.where(K.gt(input, 0), value, below)


@composite(
    pointwise(
        FLOAT,
        REAL,
        samples=lambda make: [(make(3, 4, low=2.0, high=4.0), 3), (make(low=1.0, high=2.0), 1)],
    ),
    aliases=("special.multigammaln",),
    out=True,
)
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension p."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = total + K.lgamma(input - 0.5 * j)
    return total


# -- angles and the rest -------------------------------------------------------------------------


@composite(pointwise(FLOAT, REAL), grad={"input": lambda g: g * (math.pi / 180)}, out=True)
def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return K.mul(input, math.pi / 180)


@composite(pointwise(FLOAT, REAL), grad={"input": lambda g: g * (180 / math.pi)}, out=True)
def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return K.mul(input, 180 / math.pi)


def _sinc_input(K: Any, g: Any, input: Any, out: Any) -> Any:
    x = K.where(K.eq(input, 0), 1.0, input)
    return K.where(K.eq(input, 0), 0.0, g * K.conj((K.cos(x * math.pi) - out) / x))


@composite(
    pointwise(FLOAT),
    grad={"input": lambda K, g, input, out: _sinc_input(K, g, input, out)},
    aliases=("special.sinc",),
    out=True,
)
def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0."""
    if input.dtype.itemsize == 2:
        return K.cast(K.sinc(K.cast(input, float32)), input.dtype)
    x = K.where(K.eq(input, 0), 1.0, input) * math.pi
    return K.where(K.eq(input, 0), 1.0, K.sin(x) / x)


@composite(
    pointwise(FLOAT, REAL),
    grad={"input": lambda K, g, input: g * K.i1(input)},
    out=True,
    aliases=("special.i0",),
)
def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 0."""
    return _bessel(input, 0)


@composite(
    pointwise(FLOAT, REAL, inplace=False),
    grad={"input": lambda K, g, input, out: g * (K.i0(input) - _over(K, out, input))},
    namespace="special",
    out=True,
)
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    return _bessel(input, 1)


def _over(K: Any, out: Any, input: Any) -> Any:
    zero = K.eq(input, 0)
    return K.where(zero, 0.5, out / K.where(zero, 1.0, input))


def _bessel(x: Tensor, order: int) -> Tensor:
    """The power series (Abramowitz and Stegun 9.6.10) to |x| = 20, the asymptotic one after."""
    near = K.minimum(K.abs(x), 20.0)
    quarter = near * near / 4
    term = K.ones_like(near) if order == 0 else near / 2
    total = term
    for k in range(1, 60):
        term = term * quarter / (k * (k + order))
        total = total + term
    far = K.maximum(K.abs(x), 20.0)
    term = K.ones_like(far)
    series = term
    for k in range(1, 20):
        term = term * (-(4.0 * order * order - (2 * k - 1) ** 2) / (8 * k)) / far
        series = series + term
    # exp in two halves, so that it overflows no earlier than the result.
    half = K.exp(far / 2)
    value = K.where(K.gt(K.abs(x), 20), half * (half / K.sqrt(far * (2 * math.pi))) * series, total)
    return value * K.sgn(x) if order else value


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input, other: g * K.cast_like(input != other, g),
        "other": lambda K, g: K.zeros_like(g),
    },
    out=True,
)
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next number of the dtype after input towards other."""
    steps = {"float64": (2.0**-52, 2.0**-1074), "float32": (2.0**-23, 2.0**-149),
             "float16": (2.0**-10, 2.0**-24), "bfloat16": (2.0**-7, 2.0**-133)}  # fmt: skip
    relative, least = steps[input.dtype.name]
    size = K.abs(input)
    power = K.exp2(K.floor(K.log2(K.maximum(size, least))))
    up = K.maximum(power * relative, least)
    lower = K.bitwise_and(K.eq(size, power), K.ne(size, 0))
    down = K.where(lower, K.maximum(up / 2, least), up)
    direction = K.sgn(other - input)
    step = K.where(K.lt(direction * input, 0), down, up) * direction
    value = K.where(K.eq(input, other), other, input + step)
    return K.where(K.ne(input, input), input, K.where(K.ne(other, other), other, value))
