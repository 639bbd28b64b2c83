"""Logarithms of sums, and products with logarithms."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._families.base import FLOATING, INEXACT, REAL
from dispatch_core._families.pointwise import FLOAT, SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number

POSITIVE = (0.2, 3.0)


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
