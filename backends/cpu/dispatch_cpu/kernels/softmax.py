"""Softmax kernels: one result array, worked on in place, in blocks that stay in cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import check_dim
from dispatch_cpu.kernels._common import Array, accumulate_in_float32

BLOCK_BYTES = 1 << 18
FEW = 16
SMALL = 1 << 11  # elements below which finding blocks costs more than they save
REACH = 80  # sums of `SMALL` powers of e between -REACH and REACH are normal numbers of float32
_Formula = Callable[..., None]


@accumulate_in_float32()
def softmax(input: Array, dim: int) -> Array:
    """exp(input) scaled to sum to 1 along `dim`; a slice of only -inf gives nan."""
    if 0 < input.size <= SMALL and input.ndim:
        if _is_moderate(input):
            out = np.exp(input, order="C")
        else:
            out = _less_maxima(input, dim)
            np.exp(out, out)
        out /= _small_sum(out, dim)
        return out  # type: ignore[no-any-return]
    return _blockwise(_softmax_block, dim, input)


@accumulate_in_float32()
def log_softmax(input: Array, dim: int) -> Array:
    """Input - log(sum(exp(input))) along `dim`."""
    if 0 < input.size <= SMALL and input.ndim:
        out = _less_maxima(input, dim)
        out -= np.log(_small_sum(np.exp(out), dim))
        return out  # type: ignore[no-any-return]
    return _blockwise(_log_softmax_block, dim, input)


@accumulate_in_float32()
def softmax_backward(grad: Array, output: Array, dim: int) -> Array:
    """(g - sum(g * output)) * output along `dim`."""
    return _blockwise(_softmax_backward_block, dim, grad, output)


@accumulate_in_float32()
def log_softmax_backward(grad: Array, output: Array, dim: int) -> Array:
    """G - exp(output) * sum(g) along `dim`."""
    return _blockwise(_log_softmax_backward_block, dim, grad, output)


def _is_moderate(x: Array) -> bool:
    """Whether powers neither overflow nor vanish, so that they need no shift: it costs more than they do."""
    most = x.item(x.argmax())
    return most < REACH and x.item(x.argmin()) > -REACH  # type: ignore[no-any-return]


def _less_maxima(x: Array, dim: int) -> Array:
    """The elements less the largest along `dim`, in order; of few columns that is found and repeated first.

    Numpy finds the places of maxima in half the time of the maxima, and subtracts arrays of one
    shape in a third of the time that broadcasting takes.
    """
    if x.ndim == 2 and dim in (1, -1) and x.shape[1] <= FEW:
        rows, n = x.shape
        places = x.argmax(1)
        places += np.arange(0, rows * n, n)
        out = x.take(places).repeat(n).reshape(rows, n)
        return np.subtract(x, out, out)  # type: ignore[no-any-return]
    most = np.maximum.reduce(x, dim, None, None, True)
    return np.subtract(x, most, order="C")  # type: ignore[no-any-return]


def _small_sum(x: Array, dim: int) -> Array:
    """Sums along `dim` that broadcast with `x`; along the last of two by a product with ones, in half the time.

    Of few columns the product has the sums in each, as numpy broadcasts four times as slowly as it divides.
    """
    if x.ndim == 2 and dim in (1, -1):
        n = x.shape[1]
        ones = _ones.get((n, x.dtype))
        if ones is None:
            ones = _ones[n, x.dtype] = np.ones((n, n if n <= FEW else 1), x.dtype)
        return x.dot(ones)
    return np.add.reduce(x, dim, None, None, True)


_ones: dict[tuple[int, Any], Array] = {}
"""Matrices of ones, of at most `SMALL` elements each."""


def _blockwise(formula: _Formula, dim: int, *inputs: Array) -> Array:
    """Apply formula(*blocks, out_block) to blocks of the arrays with `dim` moved to axis 1.

    Blocks are (rows, n) where `dim` is the last, else (before, n, after).
    """
    first = inputs[0]
    if not first.ndim and dim not in (0, -1):
        raise IndexError(f"dimension {dim} of a number")
    out = np.empty(first.shape, first.dtype)
    if not out.size:
        return out
    before, length, after = _split(first.shape, dim)
    shape = (before, length) if after == 1 else (before, length, after)
    parts = [x.reshape(shape) for x in inputs]
    result = out.reshape(shape)
    for part in _blocks(result):
        formula(*(x[part] for x in parts), result[part])
    return out


def _blocks(x: Array) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // (prod(x.shape[1:]) * x.itemsize))
    for begin in range(0, x.shape[0], step):
        yield slice(begin, begin + step)


def _split(shape: tuple[int, ...], dim: int) -> tuple[int, int, int]:
    if not shape:
        return 1, 1, 1
    dim = check_dim(dim, len(shape))
    return prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])


def _sum(x: Array) -> Array:
    """Sums over axis 1, kept; in two dims by BLAS, which is three times faster."""
    if x.ndim == 2:
        return (x @ np.ones(x.shape[1], x.dtype))[:, None]
    return np.add.reduce(x, axis=1, keepdims=True)


def _largest(x: Array) -> Array:
    return np.maximum.reduce(x, axis=1, keepdims=True)


def _softmax_block(x: Array, out: Array) -> None:
    np.subtract(x, _largest(x), out=out)
    np.exp(out, out=out)
    out *= 1 / _sum(out)


def _log_softmax_block(x: Array, out: Array) -> None:
    np.subtract(x, _largest(x), out=out)
    out -= np.log(_sum(np.exp(out)))


def _softmax_backward_block(g: Array, output: Array, out: Array) -> None:
    np.multiply(g, output, out=out)
    total = _sum(out)
    np.subtract(g, total, out=out)
    out *= output


def _log_softmax_backward_block(g: Array, output: Array, out: Array) -> None:
    np.exp(output, out=out)
    out *= _sum(g)
    np.subtract(g, out, out=out)
