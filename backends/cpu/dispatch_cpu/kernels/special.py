"""Special functions that numpy lacks, for floating arrays of any shape, nan and inf included.

Only float32's erf, the one that networks use most, is computed in its own precision; the others
go through float64, block by block, and are rounded once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dispatch_cpu.kernels import _erf, _gamma
from dispatch_cpu.kernels._common import Array, accumulate_in_float32, in_memory_order

BLOCK = 1 << 13


@accumulate_in_float32()
def erf(input: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t**2) from 0 to input (Cody 1969)."""
    if input.dtype == np.float32:
        return _blockwise(_erf.erf_single, input, np.float32)
    return _blockwise(_erf.erf, input)


@accumulate_in_float32()
def erfc(input: Array) -> Array:
    """1 - erf(input), with full relative accuracy for large input (Cody 1969)."""
    return _blockwise(_erf.erfc, input)


@accumulate_in_float32()
def erfinv(input: Array) -> Array:
    """The number whose erf is `input`: infinite at -1 and 1, nan outside (Giles 2012)."""
    return _blockwise(_erf.erfinv, input)


@accumulate_in_float32()
def lgamma(input: Array) -> Array:
    """Log |gamma(input)|."""
    return _blockwise(_gamma.lgamma, input)


@accumulate_in_float32()
def digamma(input: Array) -> Array:
    """The derivative of lgamma: -inf at 0, inf at -0.0, nan at the negative integers."""
    return _blockwise(_gamma.digamma, input)


def _blockwise(
    formula: Callable[[Array], Array], x: Array, dtype: type[np.floating] = np.float64
) -> Array:
    """Apply a formula that wants one-dimensional blocks of `dtype`."""
    flat, out, filled = in_memory_order(x)
    for begin in range(0, flat.size, BLOCK):
        part = flat[begin : begin + BLOCK].astype(dtype, copy=False)
        filled[begin : begin + BLOCK] = formula(part)
    return out
