"""What operators should compute: functions of numpy and Python's math with their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Reference = Callable[..., Any]

_SAME_NAME = (
    "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sqrt", "tanh", "sinh", "cosh", "floor",
    "ceil", "trunc", "square", "exp2", "log2", "log10", "signbit", "isnan", "isinf", "isfinite",
    "logical_not", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or",
    "bitwise_xor", "maximum", "minimum", "fmax", "fmin", "where", "hypot", "copysign",
    "logaddexp2", "nextafter", "heaviside", "gcd", "lcm", "deg2rad", "rad2deg", "matmul", "outer",
    "kron", "sinc", "tril", "triu", "flip", "fliplr", "flipud", "rot90", "tile", "count_nonzero",
    "real", "imag", "ravel", "broadcast_to", "diff", "cross", "trace",
    "diagonal",
)  # fmt: skip
_OTHER_NAME = {
    "neg": "negative", "abs": "absolute", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "atan2": "arctan2",
    "bitwise_not": "invert", "conj_physical": "conjugate", "conj": "conjugate", "add": "add",
    "sub": "subtract", "mul": "multiply", "div": "true_divide", "remainder": "remainder",
    "fmod": "fmod", "floor_divide": "floor_divide", "pow": "power", "eq": "equal",
    "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "positive": "copy", "clone": "copy", "permute": "transpose", "movedim": "moveaxis",
    "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
    "unsqueeze": "expand_dims",
}  # fmt: skip


def _reduction(name: str) -> Reference:
    function = getattr(np, name)

    def reduce(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        axis = dim if dim is None or isinstance(dim, int) else (tuple(dim) or None)
        if input.ndim == 0:
            axis = None
        return function(input, axis=axis, keepdims=keepdim)

    return reduce


def _scan(name: str) -> Reference:
    function = getattr(np, name)
    return lambda input, dim: function(input, axis=dim) if input.ndim else input


def _elementwise(function: Callable[[float], float]) -> Reference:
    def each(input: Any) -> Any:
        return np.vectorize(function, otypes=[np.float64])(np.asarray(input, np.float64))

    return each


def _softmax(input: Any, dim: Any) -> Any:
    e = np.exp(input - input.max(dim, keepdims=True, initial=-np.inf))
    return e / e.sum(dim, keepdims=True)


def _inexact(input: Any) -> Any:
    return input.astype(np.float32) if input.dtype.kind in "biu" else input


def _sgn(input: Any) -> Any:
    return input.copy() if input.dtype.kind == "b" else np.sign(input)


REFERENCES: dict[str, Reference] = {
    **{name: getattr(np, name) for name in _SAME_NAME},
    **{op: getattr(np, name) for op, name in _OTHER_NAME.items()},
    **{
        name: _reduction(name)
        for name in (
            "sum",
            "mean",
            "prod",
            "all",
            "any",
            "argmax",
            "argmin",
            "nansum",
            "nanmean",
        )
    },
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "cumsum": _scan("cumsum"),
    "cumprod": _scan("cumprod"),
    "sgn": _sgn,
    "sign": _sgn,
    "transpose": lambda input, dim0, dim1: np.swapaxes(input, dim0, dim1) if input.ndim else input,
    "angle": lambda input: np.angle(_inexact(input)),
    "round": np.rint,
    "frac": lambda input: input - np.trunc(input),
    "reciprocal": lambda input: 1 / np.asarray(input),
    "logaddexp": lambda input, other: np.log(np.exp(input) + np.exp(other)),
    "rsqrt": lambda input: 1 / np.sqrt(input),
    "sigmoid": lambda input: 1 / (1 + np.exp(-np.asarray(input))),
    "relu": lambda input: np.maximum(input, 0),
    "softplus": lambda input: np.log1p(np.exp(input)),
    "erf": _elementwise(math.erf),
    "erfc": _elementwise(math.erfc),
    "lgamma": _elementwise(lambda x: math.inf if x <= 0 and x == int(x) else math.lgamma(x)),
    "softmax": _softmax,
    "log_softmax": lambda input, dim: np.log(_softmax(input, dim)),
    "logsumexp": lambda input, dim, keepdim=False: np.log(
        np.exp(_inexact(input)).sum(dim if input.ndim else None, keepdims=keepdim)
    ),
    "reshape": lambda input, shape: input.reshape(shape),
    "view": lambda input, shape: input.reshape(shape),
    "cat": lambda tensors, dim=0: np.concatenate(tensors, dim),
    "stack": lambda tensors, dim=0: np.stack(tensors, dim),
    "index_select": lambda input, dim, index: np.take(input, index, dim),
    "gather": lambda input, dim, index: np.take_along_axis(
        input[
            tuple(slice(None if d == dim % input.ndim else n) for d, n in enumerate(index.shape))
        ],
        index,
        dim,
    ),
    "masked_fill": lambda input, mask, value: np.where(mask, np.asarray(value, input.dtype), input),
    "full_like": np.full_like,
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
    "mm": np.matmul,
    "bmm": np.matmul,
    "mv": np.matmul,
    "dot": np.dot,
    "nonzero_rows": np.argwhere,
}
"""Operator name -> reference, called with host arrays and the operator's plain arguments."""
