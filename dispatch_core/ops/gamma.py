"""The gamma function's logarithm, its derivatives and its incomplete forms."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import can_cast, float32, get_default_dtype
from dispatch_core._families.base import FLOATING, REAL
from dispatch_core._families.pointwise import FLOAT, SAME, pointwise
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import underivable

POSITIVE = (0.2, 3.0)
SHIFT = 10
"""Arguments are moved up by so many steps of the recurrence before an asymptotic series is used."""

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
             -174611 / 330, 854513 / 138, -236364091 / 2730)  # fmt: skip
"""The Bernoulli numbers B_2k for k = 1 ... 12."""
_BERNOULLI = BERNOULLI[:8]
"""As many as the series in this file need after the shift."""


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


@public("Tensor.polygamma")
def polygamma_of(self: Tensor, n: int) -> Tensor:
    """The n-th derivative of digamma at each element, as `polygamma(n, x)`."""
    return K.polygamma(n, self)


@public("Tensor")
def polygamma_(self: Tensor, n: int) -> Tensor:
    """In-place version of `polygamma`."""
    value = K.polygamma(n, K.clone(self))  # what the gradient needs stays as it is
    if not can_cast(value.dtype, self.dtype):
        raise RuntimeError(
            f"polygamma_(): result type {value.dtype.name} can't be cast to the desired output type "
            f"{self.dtype.name}; use x.polygamma(n), which gives a new tensor"
        )
    return self.copy_(value)


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
    if p <= 16:
        for j in range(p):
            total = total + K.lgamma(input - 0.5 * j)
        return total
    dtype = input.dtype if input.is_floating_point() else get_default_dtype()
    halves = K.mul(K.cast(K.storage_index(input, p), dtype), 0.5)
    return total + K.sum(K.lgamma(K.sub(K.unsqueeze(input, -1), halves)), -1)


def _density(K: Any, a: Any, x: Any) -> Any:
    """The derivative of P(a, x) in x."""
    return K.exp(K.xlogy(a - 1, x) - x - K.lgamma(a))


@composite(
    pointwise(SAME, FLOATING, domain=POSITIVE, constant=("input",)),
    grad={
        "input": underivable("igamma: input"),
        "other": lambda K, g, input, other: g * _density(K, input, other),
    },
    aliases=("special.gammainc",),
    out=True,
)
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The regularised lower incomplete gamma function P(input, other), differentiable in `other`.

    NaN where an argument is negative or NaN, and where both are 0 or both infinite.
    """
    return K.incomplete_gamma(input, other, False)


@composite(
    pointwise(SAME, FLOATING, domain=POSITIVE, constant=("input",)),
    grad={
        "input": underivable("igammac: input"),
        "other": lambda K, g, input, other: -g * _density(K, input, other),
    },
    aliases=("special.gammaincc",),
    out=True,
)
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """The regularised upper incomplete gamma function Q(input, other), differentiable in `other`.

    NaN where an argument is negative or NaN, and where both are 0 or both infinite.
    """
    return K.incomplete_gamma(input, other, True)
