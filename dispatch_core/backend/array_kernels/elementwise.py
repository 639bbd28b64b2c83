"""Element-wise kernels; most are the module's own ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.backend.array_kernels.layout import copied
from dispatch_core.backend.array_kernels.reduce import is_half

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return _ufuncs(xp) | {
        "sgn": _sgn(xp),
        "abs": _abs(xp),
        "remainder": _remainder(xp),
        "floor_divide": _floor_divide(xp),
        "trunc_divide": _trunc_divide(xp),
        "fmod": _fmod(xp),
        "pow": _pow(xp),
        "sigmoid": _sigmoid(xp),
        "where": xp.where,
        "reciprocal": lambda input: 1 / input,
        "rsqrt": lambda input: 1 / xp.sqrt(input),
        "floor": _whole(xp, xp.floor),
        "ceil": _whole(xp, xp.ceil),
        "trunc": _whole(xp, xp.trunc),
        "round": _whole(xp, xp.rint),
        "conj_physical": _conjugate(xp),
        "clamp": _clamp(xp),
        "addcmul": _addcmul(xp),
    }


def _ufuncs(xp: Any) -> dict[str, Kernel]:
    names = {
        "neg": "negative", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p",
        "sin": "sin", "cos": "cos", "sqrt": "sqrt", "tanh": "tanh", "bitwise_not": "invert",
        "add": "add", "sub": "subtract", "mul": "multiply", "div": "true_divide",
        "atan2": "arctan2", "maximum": "maximum", "minimum": "minimum",
        "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
        "ge": "greater_equal", "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or",
        "bitwise_xor": "bitwise_xor", "square": "square", "exp2": "exp2", "log2": "log2",
        "log10": "log10", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "asin": "arcsin",
        "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
        "atanh": "arctanh", "logical_not": "logical_not", "logical_and": "logical_and",
        "logical_or": "logical_or", "logical_xor": "logical_xor", "isnan": "isnan",
        "isinf": "isinf", "isfinite": "isfinite", "fmax": "fmax", "fmin": "fmin",
        "logaddexp": "logaddexp", "logaddexp2": "logaddexp2", "hypot": "hypot",
        "copysign": "copysign", "nextafter": "nextafter", "deg2rad": "deg2rad",
        "rad2deg": "rad2deg", "bitwise_left_shift": "left_shift",
        "bitwise_right_shift": "right_shift", "gcd": "gcd", "lcm": "lcm", "signbit": "signbit",
        "frexp": "frexp",
    }  # fmt: skip
    return {op: getattr(xp, name) for op, name in names.items()}


def _discrete(array: Any) -> bool:
    return array.dtype.kind in "biu"


def _sgn(xp: Any) -> Kernel:
    def sgn(input: Any) -> Any:
        kind = input.dtype.kind
        if kind == "b":
            return copied(input)
        found = xp.sign(input, out=...)
        if kind not in "iuc":  # unlike the module's own function 0 for NaN, as in PyTorch
            found[found != found] = 0
        return found

    return sgn


def _abs(xp: Any) -> Kernel:
    def abs(input: Any) -> Any:
        return copied(input) if input.dtype.kind in "bu" else xp.absolute(input)

    return abs


def _conjugate(xp: Any) -> Kernel:
    def conjugate(input: Any) -> Any:
        return copied(input) if input.dtype.kind == "b" else xp.conjugate(input)

    return conjugate


def _whole(xp: Any, function: Kernel) -> Kernel:
    def whole(input: Any) -> Any:
        return copied(input) if _discrete(input) else function(input)

    return whole


def _nonzero_divisor(xp: Any, other: Any) -> None:
    if _discrete(other) and not other.all():
        raise RuntimeError("ZeroDivisionError: integer division or modulo by zero")


def _remainder(xp: Any) -> Kernel:
    def remainder(input: Any, other: Any) -> Any:
        _nonzero_divisor(xp, other)
        return xp.remainder(input, other)

    return remainder


def _fmod(xp: Any) -> Kernel:
    def fmod(input: Any, other: Any) -> Any:
        _nonzero_divisor(xp, other)
        return xp.fmod(input, other)

    return fmod


def _floor_divide(xp: Any) -> Kernel:
    def floor_divide(input: Any, other: Any) -> Any:
        _nonzero_divisor(xp, other)
        if _discrete(input):
            return xp.floor_divide(input, other)
        # C's and PyTorch's way with infinite quotients, where numpy gives NaN.
        quotient = xp.floor_divide(input, other)
        by_zero = other == 0
        return xp.where(by_zero, input / other, quotient) if by_zero.any() else quotient

    return floor_divide


def _trunc_divide(xp: Any) -> Kernel:
    def trunc_divide(input: Any, other: Any) -> Any:
        _nonzero_divisor(xp, other)
        if not _discrete(input):
            return xp.trunc(input / other)
        quotient = xp.floor_divide(input, other)
        short = (quotient < 0) & (quotient * other != input)
        return quotient + short.astype(quotient.dtype)

    return trunc_divide


def _pow(xp: Any) -> Kernel:
    def pow(input: Any, exponent: Any) -> Any:
        if _discrete(exponent) and exponent.dtype.kind == "i" and (exponent < 0).any():
            inverse = _inverse_power(xp, input, exponent)
            return xp.where(exponent < 0, inverse, xp.power(input, xp.maximum(exponent, 0)))
        if exponent.ndim == 0 and exponent == 2:
            return xp.square(input)
        return xp.power(input, exponent)

    return pow


def _inverse_power(xp: Any, input: Any, exponent: Any) -> Any:
    """Integers to the power of negative ones: 1, -1 and what is cut off to zero."""
    of_minus_one = (input == -1) * (1 - 2 * (exponent & 1))
    return (input == 1) + of_minus_one.astype(exponent.dtype)


def _clamp(xp: Any) -> Kernel:
    maximum, minimum = xp.maximum, xp.minimum

    def clamp(input: Any, min: Any, max: Any) -> Any:
        # Two ufuncs: for small arrays three times as fast as the module's clip.
        if max is None:
            if min is None:
                raise RuntimeError("clamp: At least one of 'min' or 'max' must not be None")
            return maximum(input, min)
        return minimum(input if min is None else maximum(input, min), max)

    return clamp


def _addcmul(xp: Any) -> Kernel:
    def addcmul(input: Any, tensor1: Any, tensor2: Any, value: Any) -> Any:
        product = tensor1 * tensor2
        if value != 1:
            product = product * xp.asarray(value).astype(product.dtype)
        return product + input

    return addcmul


def _sigmoid(xp: Any) -> Kernel:
    def sigmoid(input: Any) -> Any:
        # An overflowing exp gives the right limit; tanh(x / 2) would lose the digits of small results.
        half = is_half(input)
        out = xp.exp(-(input.astype("float32") if half else input))
        out += 1
        out = xp.reciprocal(out)
        return out.astype(input.dtype) if half else out

    return sigmoid
