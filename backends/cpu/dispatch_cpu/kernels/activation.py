"""Activations for which numpy has something faster than their definition."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Any

import numpy as np

from dispatch_core.extend import Bound
from dispatch_cpu.kernels._common import Array, accumulate_in_float32, in_memory_order
from dispatch_cpu.kernels.special import erf

BLOCK = 1 << 14
clip: Any = (
    np._core.umath.clip
)  # the ufunc; `np.clip` and the method take three times as long to call


def relu(input: Array, out: Array | None = None) -> Array:
    """max(0, x)."""
    return np.maximum(input, input.dtype.type(0), out=out)


def relu_of(dtype: Any) -> Bound:
    """`relu` for one floating dtype: clipping is three to four times as fast as `maximum`."""
    return Bound("relu", clip, np.zeros((), dtype), np.array(np.inf, dtype))


def gate(grad: Array, mask: Array) -> Array:
    """`grad` where the mask is set, 0 elsewhere: a product, unless it finds that 0 * inf is not 0."""
    out = grad * mask
    flat = out.reshape(-1)
    if isfinite(flat.dot(flat)):
        return out  # type: ignore[no-any-return]
    return np.where(mask, grad, grad.dtype.type(0))


@accumulate_in_float32()
def gelu(input: Array, approximate: str) -> Array:
    """X times the normal distribution function of x, in blocks that stay in cache."""
    flat, out, filled = in_memory_order(input)
    formula = {"none": _exact, "tanh": _by_tanh}.get(approximate)
    if formula is None:
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    for begin in range(0, flat.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        formula(flat[part], filled[part])
    return out


def _exact(x: Array, out: Array) -> None:
    np.multiply(x, x.dtype.type(sqrt(0.5)), out=out)
    share = erf(out)
    share += 1
    share *= 0.5
    np.multiply(x, share, out=out)


def _by_tanh(x: Array, out: Array) -> None:
    np.multiply(x, x, out=out)
    out *= 0.044715
    out += 1
    out *= x
    out *= sqrt(2 / np.pi)
    np.tanh(out, out=out)
    out += 1
    out *= 0.5
    out *= x
