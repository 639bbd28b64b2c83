"""Softmax kernels: one result array, worked on in place, in blocks that stay in cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from ._common import Array, accumulate_in_float32

BLOCK_BYTES = 1 << 18
_Formula = Callable[..., None]


@accumulate_in_float32()
def softmax(input: Array, dim: int) -> Array:
    """exp(input) scaled to sum to 1 along `dim`; a slice of only -inf gives nan."""
    return _blockwise(_softmax_block, dim, input)


@accumulate_in_float32()
def log_softmax(input: Array, dim: int) -> Array:
    """input - log(sum(exp(input))) along `dim`."""
    return _blockwise(_log_softmax_block, dim, input)


@accumulate_in_float32()
def softmax_backward(grad: Array, output: Array, dim: int) -> Array:
    """(g - sum(g * output)) * output along `dim`."""
    return _blockwise(_softmax_backward_block, dim, grad, output)


@accumulate_in_float32()
def log_softmax_backward(grad: Array, output: Array, dim: int) -> Array:
    """g - exp(output) * sum(g) along `dim`."""
    return _blockwise(_log_softmax_backward_block, dim, grad, output)


def _blockwise(formula: _Formula, dim: int, *inputs: Array) -> Array:
    """Apply formula(*blocks, out_block, axis) to blocks of the arrays, whole along `dim`."""
    first = inputs[0]
    out = np.empty(first.shape, first.dtype)
    if not out.size:
        return out
    if first.ndim == 0:
        formula(*(x.reshape(1) for x in inputs), out.reshape(1), 0)
        return out
    dim %= first.ndim
    if dim == first.ndim - 1:
        axis, shape = 1, (-1, first.shape[dim])
    else:
        axis, shape = 1, (prod(first.shape[:dim]), first.shape[dim], prod(first.shape[dim + 1 :]))
    parts = [x.reshape(shape) for x in inputs]
    result = out.reshape(shape)
    for part in _blocks(result):
        formula(*(x[part] for x in parts), result[part], axis)
    return out


def _blocks(x: Array) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // (prod(x.shape[1:]) * x.itemsize))
    for begin in range(0, x.shape[0], step):
        yield slice(begin, begin + step)


def _sum(x: Array, axis: int) -> Array:
    """Sums kept as a dim; along the last one by BLAS, which is three times faster."""
    if axis == x.ndim - 1 and x.dtype.kind == "f":
        return (x @ np.ones(x.shape[axis], x.dtype))[:, None]
    return np.add.reduce(x, axis=axis, keepdims=True)


def _largest(x: Array, axis: int) -> Array:
    return np.maximum.reduce(x, axis=axis, keepdims=True)


def _softmax_block(x: Array, out: Array, axis: int) -> None:
    np.subtract(x, _largest(x, axis), out=out)
    np.exp(out, out=out)
    out *= 1 / _sum(out, axis)


def _log_softmax_block(x: Array, out: Array, axis: int) -> None:
    np.subtract(x, _largest(x, axis), out=out)
    out -= np.log(_sum(np.exp(out), axis))


def _softmax_backward_block(g: Array, output: Array, out: Array, axis: int) -> None:
    np.multiply(g, output, out=out)
    total = _sum(out, axis)
    np.subtract(g, total, out=out)
    out *= output


def _log_softmax_backward_block(g: Array, output: Array, out: Array, axis: int) -> None:
    np.exp(output, out=out)
    out *= _sum(g, axis)
    np.subtract(g, out, out=out)
