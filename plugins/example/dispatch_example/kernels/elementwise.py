"""Element-wise arithmetic, comparison and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dispatch_example.array import kernel

Function = Callable[..., Any]


def _unless(kinds: str, function: Function) -> Function:
    """The function; elements of dtypes of these kinds are their own result."""

    def computed(input: Any) -> Any:
        return input if input.dtype.kind in kinds else function(input)

    computed.__name__ = function.__name__
    return computed


def _remainder(input: Any, other: Any) -> Any:
    if other.dtype.kind in "biu" and not other.all():
        raise RuntimeError("ZeroDivisionError: integer division or modulo by zero")
    return np.remainder(input, other)


def _expm1(input: Any) -> Any:
    if input.dtype.kind != "c":
        return np.expm1(input)
    # numpy's own is wrong where a part is infinite or zero.
    x, y = input.real, input.imag
    out = np.empty_like(input)
    out.real = np.expm1(x) * np.cos(y) - 2 * np.sin(y / 2) ** 2 + 0
    out.imag = np.where(y == 0, y, np.exp(x) * np.sin(y))
    edge = np.isinf(x) & ~np.isfinite(y)
    out.real[edge] = np.where(x[edge] > 0, np.inf, -1)
    out.imag[edge & (x < 0)] = 0
    return out


def _tanh(input: Any) -> Any:
    out = np.asarray(np.tanh(input))
    if input.dtype.kind == "c":  # numpy has the wrong sign of zero
        edge = np.isinf(input.real) & np.isfinite(input.imag)
        out.imag[edge] = np.copysign(0.0, input.imag[edge])
    return out


def _sgn(input: Any) -> Any:
    # Unlike numpy's 0 for NaN.
    return (
        np.where(input == input, np.sign(input), 0) if input.dtype.kind == "f" else np.sign(input)
    )


def _pow(input: Any, exponent: Any) -> Any:
    if exponent.dtype.kind == "i" and (exponent < 0).any():
        # What is between -1 and 1 is cut off to zero.
        sign = np.where(exponent % 2 == 0, 1, input)
        inverse = np.where(np.abs(input) == 1, sign, 0)
        powers = np.where(exponent < 0, inverse, np.power(input, np.maximum(exponent, 0)))
        return powers.astype(input.dtype)
    return np.power(input, exponent)


KERNELS = {
    name: kernel(function)
    for name, function in {
        "abs": _unless("bu", np.absolute),
        "add": np.add,
        "atan2": np.arctan2,
        "bitwise_and": np.bitwise_and,
        "bitwise_not": np.invert,
        "bitwise_or": np.bitwise_or,
        "bitwise_xor": np.bitwise_xor,
        "conj_physical": _unless("biuf", np.conjugate),
        "cos": np.cos,
        "div": np.true_divide,
        "eq": np.equal,
        "exp": np.exp,
        "expm1": _expm1,
        "floor": _unless("biu", np.floor),
        "log": np.log,
        "log1p": np.log1p,
        "lt": np.less,
        "mul": np.multiply,
        "neg": np.negative,
        "pow": _pow,
        "remainder": _remainder,
        "round": _unless("biu", np.rint),
        "sgn": _unless("b", _sgn),
        "sin": np.sin,
        "sqrt": np.sqrt,
        "sub": np.subtract,
        "tanh": _tanh,
        "where": np.where,
    }.items()
}
