"""Functions of each element."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import Category
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._names import renamed, standard
from dispatch_core.array_api._promotion import admitted, common, converted, together

renamed("numeric", {f"{name}(x, /)": f"{name}(x)" for name in ("abs", "positive", "square")})
renamed("numeric", {"negative(x, /)": "neg(x)"})
renamed("numeric", {f"{name}(x, /)": f"{name}(x)" for name in ("isfinite", "isinf", "isnan")})
renamed(
    "floating-point",
    {
        f"{name}(x, /)": f"{name}(x)"
        for name in (
            *("acos", "acosh", "asin", "asinh", "atan", "atanh"),
            *("cos", "cosh", "sin", "sinh", "tan", "tanh"),
            *("exp", "expm1", "log", "log1p", "log2", "log10"),
            *("reciprocal", "sqrt"),
        )
    },
)
renamed("real-valued", {f"{name}(x, /)": f"{name}(x)" for name in ("ceil", "floor", "trunc")})
renamed("real-valued floating-point", {"signbit(x, /)": "signbit(x)"})
renamed("integer or boolean", {"bitwise_invert(x, /)": "bitwise_not(x)"})
renamed("any", {"logical_not(x, /)": "logical_not(x)"})

renamed(
    "numeric",
    {
        "add(x1, x2, /)": "add(x1, x2)",
        "subtract(x1, x2, /)": "sub(x1, x2)",
        "multiply(x1, x2, /)": "mul(x1, x2)",
        "divide(x1, x2, /)": "div(x1, x2)",
        "pow(x1, x2, /)": "pow(x1, x2)",
    },
)
renamed(
    "real-valued",
    {
        "maximum(x1, x2, /)": "maximum(x1, x2)",
        "minimum(x1, x2, /)": "minimum(x1, x2)",
        "remainder(x1, x2, /)": "remainder(x1, x2)",
        "less(x1, x2, /)": "lt(x1, x2)",
        "less_equal(x1, x2, /)": "le(x1, x2)",
        "greater(x1, x2, /)": "gt(x1, x2)",
        "greater_equal(x1, x2, /)": "ge(x1, x2)",
    },
)
renamed("any", {"equal(x1, x2, /)": "eq(x1, x2)", "not_equal(x1, x2, /)": "ne(x1, x2)"})
renamed(
    "real-valued floating-point",
    {
        f"{name}(x1, x2, /)": f"{name}(x1, x2)"
        for name in ("atan2", "copysign", "hypot", "logaddexp", "nextafter")
    },
)
renamed(
    "integer or boolean",
    {f"bitwise_{name}(x1, x2, /)": f"bitwise_{name}(x1, x2)" for name in ("and", "or", "xor")},
)
renamed(
    "integer",
    {f"bitwise_{n}_shift(x1, x2, /)": f"bitwise_{n}_shift(x1, x2)" for n in ("left", "right")},
)
renamed(
    "any",  # the standard asks for no more than bool; scikit-learn gives floats
    {f"logical_{name}(x1, x2, /)": f"logical_{name}(x1, x2)" for name in ("and", "or", "xor")},
)


@standard("round")
def round_(x: Tensor, /) -> Tensor:
    """The nearest integer, of two equally near the even one; of complex numbers, part by part."""
    admitted("round", "numeric", x)
    if x.dtype.is_complex:
        return K.complex(K.round(K.real(x)), K.round(K.imag(x)))
    return K.round(x)


@standard()
def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1, or x / |x|; NaN for NaN, for which PyTorch has 0."""
    found = K.sgn(admitted("sign", "numeric", x))
    return K.where(K.isnan(x), x, found) if x.is_floating_point() else found


@standard()
def floor_divide(x1: Any, x2: Any, /) -> Tensor:
    """The quotient rounded down; where an operand is infinite, `floor(x1 / x2)`.

    PyTorch follows Python there and gives NaN or -1.
    """
    x1, x2 = together("floor_divide", "real-valued", x1, x2)
    quotient = K.floor_divide(x1, x2)
    if x1.dtype.category is not Category.FLOATING:
        return quotient
    exact = K.div(x1, x2)
    infinite = K.logical_or(K.isinf(x1), K.isinf(x2))
    return K.where(infinite, K.where(K.isinf(x2), exact, K.floor(exact)), quotient)


@standard()
def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """Each element, or the bound that it lies beyond; NaN where one of the three is NaN."""
    admitted("clip", "real-valued", x)
    for bound, choose in ((min, K.maximum), (max, K.minimum)):
        if bound is None:
            continue
        wanted = common((x, bound))
        x = choose(converted(x, wanted, x), converted(bound, wanted, x))
    return K.clone(x) if min is None and max is None else x


@standard()
def conj(x: Tensor, /) -> Tensor:
    """The complex conjugate; real numbers stay."""
    return K.conj(admitted("conj", "numeric", x))


@standard()
def real(x: Tensor, /) -> Tensor:
    """The real parts; real numbers stay."""
    return K.real(admitted("real", "numeric", x))


@standard()
def imag(x: Tensor, /) -> Tensor:
    """The imaginary parts; zero for real numbers."""
    admitted("imag", "numeric", x)
    return K.imag(x) if x.dtype.is_complex else K.zeros_like(x)


CONSTANTS = {"e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "pi": math.pi}
