"""Element-wise operators of one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import Priority, bool_, dtype, finfo, float32, int16, int32, int64
from dispatch_core._families.base import DISCRETE, FLOATING, INEXACT, NUMBERS, REAL, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._families.pointwise import BOOL, FLOAT, SAME, Pointwise, pointwise
from dispatch_core._families.pointwise import REAL as TO_REAL
from dispatch_core._op import K, composite, primitive
from dispatch_core._tensor import Tensor
from dispatch_core.ops import _branches

POSITIVE = (0.2, 3.0)
UNIT = (-0.9, 0.9)
LN_2 = 0.6931471805599453
LN_10 = 2.302585092994046
PI = 3.141592653589793


# -- primitives ------------------------------------------------------------------------------------


@primitive(
    pointwise(SAME, NUMBERS),
    grad={"input": lambda g: -g},
    operators=("neg",),
    aliases=("negative",),
    out=True,
)
def neg(input: Tensor) -> Tensor:
    """The negative of each element."""


@primitive(
    pointwise(TO_REAL, NUMBERS),
    grad={"input": lambda K, g, input: g * K.sgn(input)},
    operators=("abs",),
    aliases=("absolute",),
    out=True,
)
def abs(input: Tensor) -> Tensor:
    """The absolute value (the modulus of a complex number) of each element."""


@primitive(
    pointwise(SAME, domain=UNIT),
    grad={"input": lambda K, g, input, out: K.sgn_backward(g, input, out)},
    out=True,
)
def sgn(input: Tensor) -> Tensor:
    """The sign of each element, 0 for NaN; for complex numbers x / |x|, and 0 at 0."""


@primitive(pointwise(FLOAT), grad={"input": lambda K, g, out: g * K.conj(out)}, out=True)
def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""


@primitive(
    pointwise(FLOAT),
    grad={"input": lambda K, g, out: g * K.conj(out + 1)},
    out=True,
    aliases=("special.expm1",),
)
def expm1(input: Tensor) -> Tensor:
    """e to the power of each element, less 1; exact for small x too."""


@primitive(
    pointwise(FLOAT, domain=POSITIVE),
    grad={"input": lambda K, g, input: g / K.conj(input)},
    out=True,
)
def log(input: Tensor) -> Tensor:
    """Natural logarithm of each element."""


@primitive(
    pointwise(FLOAT, domain=UNIT),
    grad={"input": lambda K, g, input: g / K.conj(input + 1)},
    out=True,
    aliases=("special.log1p",),
)
def log1p(input: Tensor) -> Tensor:
    """Natural logarithm of 1 + x, exact for small x too."""


@primitive(pointwise(FLOAT), grad={"input": lambda K, g, input: g * K.conj(K.cos(input))}, out=True)
def sin(input: Tensor) -> Tensor:
    """The sine of each element, in radians."""


@primitive(
    pointwise(FLOAT), grad={"input": lambda K, g, input: -g * K.conj(K.sin(input))}, out=True
)
def cos(input: Tensor) -> Tensor:
    """The cosine of each element, in radians."""


@primitive(
    pointwise(FLOAT, domain=POSITIVE),
    grad={"input": lambda K, g, out: g / (2 * K.conj(out))},
    out=True,
)
def sqrt(input: Tensor) -> Tensor:
    """The square root of each element."""


@primitive(
    pointwise(FLOAT),
    grad={"input": lambda K, g, out: g * K.conj(1 - out * out)},
    out=True,
    aliases=("nn.functional.tanh",),
)
def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent of each element."""


@primitive(pointwise(SAME, REAL_NUMBERS), grad={"input": lambda K, g: K.zeros_like(g)}, out=True)
def floor(input: Tensor) -> Tensor:
    """The largest integer not above each element."""


@composite(
    pointwise(SAME, REAL_NUMBERS),
    grad={"input": lambda K, g: K.zeros_like(g)},
    out=True,
    aliases=("fix",),
)
def trunc(input: Tensor) -> Tensor:
    """Each element with its fractional part cut off."""
    return K.where(K.lt(input, 0), K.ceil(input), K.floor(input))


@primitive(
    pointwise(SAME, DISCRETE),
    grad=NOT_DIFFERENTIABLE,
    operators=("invert",),
    out=True,
)
def bitwise_not(input: Tensor) -> Tensor:
    """Each bit turned over; for bool the logical negation."""


@primitive(pointwise(SAME), grad={"input": lambda K, g: K.conj(g)}, out=True)
def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate of each element, as a new tensor."""


@primitive(
    pointwise(SAME, REAL_NUMBERS),
    grad={"input": lambda K, g: K.zeros_like(g)},
    out=True,
    handled=("decimals",),
    aliases=("special.round",),
)
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element rounded to the nearest integer (ties to even), or to `decimals` places."""
    if decimals and input.dtype.itemsize == 2 and input.is_floating_point():
        return K.cast(K.round(K.cast(input, float32), decimals=decimals), input.dtype)
    places = decimals if decimals > 0 else -decimals
    scale = 10.0**places if places <= 308 else float("inf")
    if decimals > 0:
        return K.div(K.round(K.mul(input, scale)), scale)
    return K.mul(K.round(K.div(input, scale)), scale)


@composite(
    custom(INEXACT, samples=lambda make: [(make(3, low=1.2, high=3.0),)]),
    namespace="_",
    method=False,
)
def acosh_slope(input: Tensor) -> Tensor:
    """1 / sqrt(x^2 - 1), the root taken of both factors where it is on another branch otherwise."""
    if input.is_complex():
        return K.mul(K.rsqrt(input + 1), K.rsqrt(input - 1))
    return K.rsqrt(K.mul(input + 1, input - 1))


@composite(custom(samples=lambda make: [(make(3), make(3), make(3))]), namespace="_", method=False)
def sgn_backward(grad: Tensor, input: Tensor, sign: Tensor) -> Tensor:
    """Only turning changes x / |x|: the part of grad across x, divided by |x|; 0 for real x."""
    if not input.is_complex():
        return K.zeros_like(grad)
    size = K.abs(input)
    across = grad - K.real(grad * K.conj(sign)) * sign
    return K.where(K.eq(size, 0), 0.0, across / size)


# -- composites ------------------------------------------------------------------------------------


@composite(pointwise(SAME), inplace=False)
def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor is returned as it is."""
    return K.conj_physical(input) if input.is_complex() else input


@composite(pointwise(SAME, NUMBERS), inplace=False, operators=("pos",))
def positive(input: Tensor) -> Tensor:
    """The tensor itself (`+x`)."""
    return input


class _Squares(Pointwise):
    """Truth values are squared as int64, as PyTorch raises them to a power."""

    def compute(self, operands: Sequence[tuple[dtype, Priority]]) -> dtype:
        promoted = super().compute(operands)
        return int64 if promoted is bool_ else promoted


@composite(
    _Squares(SAME),
    grad={"input": lambda K, g, input: g * K.conj(2 * input)},
    out=True,
)
def square(input: Tensor) -> Tensor:
    """The square of each element."""
    return K.mul(input, input)


@composite(
    pointwise(FLOAT, domain=POSITIVE),
    grad={"input": lambda K, g, out: -g * K.conj(out * out)},
    out=True,
)
def reciprocal(input: Tensor) -> Tensor:
    """1 / x."""
    return K.div(K.ones_like(input), input)


@composite(
    pointwise(FLOAT, domain=POSITIVE),
    grad={"input": lambda K, g, out: -0.5 * g * K.conj(out * out * out)},
    out=True,
)
def rsqrt(input: Tensor) -> Tensor:
    """1 / K.sqrt(x)."""
    return K.reciprocal(K.sqrt(input))


@composite(
    pointwise(FLOAT),
    grad={"input": lambda K, g, out: g * K.conj(out * (1 - out))},
    out=True,
    aliases=("special.expit", "nn.functional.sigmoid"),
)
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + K.exp(-x)), without overflow for large negative x."""
    if input.is_complex():
        return K.reciprocal(K.exp(K.neg(input)) + 1)
    e = K.exp(K.neg(K.abs(input)))
    return K.div(K.where(K.ge(input, 0), K.ones_like(e), e), e + 1)


@composite(pointwise(SAME, REAL), grad={"input": lambda K, g: K.zeros_like(g)}, out=True)
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 for negative, zero and positive elements; 0 for NaN."""
    return K.sgn(input)


@composite(pointwise(SAME, REAL_NUMBERS), grad={"input": lambda K, g: K.zeros_like(g)}, out=True)
def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below each element."""
    return K.neg(K.floor(K.neg(input))) if input.is_floating_point() else input.clone()


@composite(pointwise(SAME, FLOATING), grad={"input": lambda g: g}, out=True)
def frac(input: Tensor) -> Tensor:
    """The fractional part of each element, with its sign."""
    return K.sub(input, K.trunc(input))


@composite(
    pointwise(FLOAT),
    grad={"input": lambda K, g, out: g * K.conj(out) * LN_2},
    out=True,
    aliases=("special.exp2",),
)
def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""
    return K.exp(K.mul(input, LN_2))


@composite(
    pointwise(FLOAT, domain=POSITIVE),
    grad={"input": lambda K, g, input: g / (K.conj(input) * LN_2)},
    out=True,
)
def log2(input: Tensor) -> Tensor:
    """Logarithm to the base 2."""
    return K.div(K.log(input), LN_2)


@composite(
    pointwise(FLOAT, domain=POSITIVE),
    grad={"input": lambda K, g, input: g / (K.conj(input) * LN_10)},
    out=True,
)
def log10(input: Tensor) -> Tensor:
    """Logarithm to the base 10."""
    return K.div(K.log(input), LN_10)


@composite(
    pointwise(FLOAT, domain=UNIT),
    grad={"input": lambda K, g, out: g * K.conj(out * out + 1)},
    out=True,
)
def tan(input: Tensor) -> Tensor:
    """The tangent of each element, in radians."""
    if input.is_complex():
        return _branches.turned(K.tanh, input)
    return K.div(K.sin(input), K.cos(input))


@composite(
    pointwise(FLOAT), grad={"input": lambda K, g, input: g * K.conj(K.cosh(input))}, out=True
)
def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine of each element."""
    if input.is_complex():
        return _branches.sinh(input)
    return K.mul(K.sub(K.expm1(input), K.expm1(K.neg(input))), 0.5)


@composite(
    pointwise(FLOAT), grad={"input": lambda K, g, input: g * K.conj(K.sinh(input))}, out=True
)
def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine of each element."""
    if input.is_complex():
        return _branches.cosh(input)
    return K.mul(K.exp(input) + K.exp(K.neg(input)), 0.5)


@composite(
    pointwise(FLOAT),
    grad={"input": lambda K, g, input: g / K.conj(input * input + 1)},
    out=True,
    aliases=("arctan",),
)
def atan(input: Tensor) -> Tensor:
    """The inverse tangent of each element, in radians."""
    if input.is_complex():
        return _branches.turned(K.atanh, input)
    return K.atan2(input, K.ones_like(input))


@composite(
    pointwise(FLOAT, domain=UNIT),
    grad={"input": lambda K, g, input: g * K.conj(K.rsqrt(1 - input * input))},
    out=True,
    aliases=("arcsin",),
)
def asin(input: Tensor) -> Tensor:
    """The inverse sine of each element, in radians."""
    if input.is_complex():
        return _branches.turned(K.asinh, input)
    return K.atan2(input, K.sqrt(K.mul(1 - input, 1 + input)))


@composite(
    pointwise(FLOAT, domain=UNIT),
    grad={"input": lambda K, g, input: -g * K.conj(K.rsqrt(1 - input * input))},
    out=True,
    aliases=("arccos",),
)
def acos(input: Tensor) -> Tensor:
    """The inverse cosine of each element, in radians."""
    if input.is_complex():
        return _branches.acos(input)
    return K.atan2(K.sqrt(K.mul(1 - input, 1 + input)), input)


@composite(
    pointwise(FLOAT),
    grad={"input": lambda K, g, input: g * K.conj(K.rsqrt(input * input + 1))},
    out=True,
    aliases=("arcsinh",),
)
def asinh(input: Tensor) -> Tensor:
    """The inverse hyperbolic sine of each element."""
    if input.is_complex():
        return _branches.asinh(input)
    a = K.abs(input)
    size = K.log1p(a + K.div(K.mul(a, a), 1 + K.sqrt(1 + K.mul(a, a))))
    # Far out, where the square may be infinite, asinh x is log 2x.
    far = K.gt(a, finfo(input.dtype).eps ** -0.5)
    return K.copysign(K.where(far, K.log(a) + LN_2, size), input)


@composite(
    pointwise(FLOAT, domain=(1.2, 3.0)),
    grad={"input": lambda K, g, input: g * K.conj(K.acosh_slope(input))},
    out=True,
    aliases=("arccosh",),
)
def acosh(input: Tensor) -> Tensor:
    """The inverse hyperbolic cosine of each element."""
    if input.is_complex():
        return _branches.acosh(input)
    return K.log(input + K.mul(K.sqrt(input - 1), K.sqrt(input + 1)))


@composite(
    pointwise(FLOAT, domain=UNIT),
    grad={"input": lambda K, g, input: g / K.conj(1 - input * input)},
    out=True,
    aliases=("arctanh",),
)
def atanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent of each element."""
    if input.is_complex():
        return _branches.atanh(input)
    return K.mul(K.sub(K.log1p(input), K.log1p(K.neg(input))), 0.5)


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, out=True)
def logical_not(input: Tensor) -> Tensor:
    """Whether each element is zero."""
    return K.eq(input, 0)


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, inplace=False)
def isnan(input: Tensor) -> Tensor:
    """Whether each element is NaN (either part of a complex number)."""
    return K.ne(input, input)


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, inplace=False)
def isinf(input: Tensor) -> Tensor:
    """Whether each element is infinite (either part of a complex number)."""
    if input.is_complex():
        return K.logical_or(K.isinf(K.real(input)), K.isinf(K.imag(input)))
    return K.eq(K.abs(input), float("inf")) if input.is_floating_point() else K.ne(input, input)


@composite(pointwise(BOOL, REAL), grad=NOT_DIFFERENTIABLE, inplace=False, out=True)
def isposinf(input: Tensor) -> Tensor:
    """Whether each element is positive infinity."""
    return K.logical_and(K.isinf(input), K.gt(input, 0))


@composite(pointwise(BOOL, REAL), grad=NOT_DIFFERENTIABLE, inplace=False, out=True)
def isneginf(input: Tensor) -> Tensor:
    """Whether each element is negative infinity."""
    return K.logical_and(K.isinf(input), K.lt(input, 0))


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, inplace=False)
def isfinite(input: Tensor) -> Tensor:
    """Whether each element is neither infinite nor NaN."""
    return K.logical_not(K.logical_or(K.isinf(input), K.isnan(input)))


@composite(pointwise(BOOL, REAL), grad=NOT_DIFFERENTIABLE, inplace=False, out=True)
def signbit(input: Tensor) -> Tensor:
    """Whether the sign bit of each element is set (so -0.0 and -NaN count)."""
    if input.is_floating_point():
        input = K.bits_as(input, {2: int16, 4: int32, 8: int64}[input.dtype.itemsize])
    return K.lt(input, 0)


@composite(pointwise(FLOAT, REAL), grad={"input": lambda g: g * (PI / 180)}, out=True)
def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return K.mul(input, PI / 180)


@composite(pointwise(FLOAT, REAL), grad={"input": lambda g: g * (180 / PI)}, out=True)
def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return K.mul(input, 180 / PI)


def _sinc_input(K: Any, g: Any, input: Any, out: Any) -> Any:
    x = K.where(K.eq(input, 0), 1.0, input)
    return K.where(K.eq(input, 0), 0.0, g * K.conj((K.cos(x * PI) - out) / x))


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
    x = K.where(K.eq(input, 0), 1.0, input) * PI
    return K.where(K.eq(input, 0), 1.0, K.sin(x) / x)
