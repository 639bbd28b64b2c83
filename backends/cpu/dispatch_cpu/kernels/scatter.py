"""Scatter kernels: adding values at indexed places, and the gradient of embedding."""

from __future__ import annotations

from math import prod

import numpy as np

from dispatch_core.extend import check_index_shape
from dispatch_cpu.kernels._common import Array, Ints, accumulate_in_float32
from dispatch_cpu.kernels._segments import add_rows


@accumulate_in_float32()
def embedding_backward(
    grad: Array, indices: Array, num_weights: int, padding_idx: int | None, scale_grad_by_freq: bool
) -> Array:
    """Sum the gradients of each row of an embedding's weight.

    grad (*indices.shape, D), integer indices -> (num_weights, D). Rows at `padding_idx` (None or
    negative: no such row) stay zero; `scale_grad_by_freq` divides by how often a row was used.
    Raises IndexError for an index outside [0, num_weights).
    """
    width = grad.shape[-1]
    index = indices.reshape(-1).astype(np.int64, copy=False)
    if _first_outside(index, num_weights) is not None:
        raise IndexError("index out of range in self")
    rows = grad.reshape(index.size, width)
    out = np.zeros((num_weights, width), grad.dtype)
    if scale_grad_by_freq:
        uses = np.bincount(index, minlength=num_weights)
        rows = rows / uses[index, None].astype(rows.dtype)
    add_rows(out, index, rows)
    if padding_idx is not None and padding_idx >= 0:
        out[padding_idx] = 0
    return out


@accumulate_in_float32()
def scatter_add(input: Array, dim: int, index: Array, src: Array) -> Array:
    """A copy of `input` with src[i][j] added at [index[i][j]][j] (for dim 0).

    index may be smaller than src and, but for `dim`, than input. Raises RuntimeError, as PyTorch
    does here, for an index outside [0, input.shape[dim]).
    """
    dim = check_index_shape(input.shape, dim, index.shape, src.shape)
    out = input.copy(order="C")
    if not index.size:
        return out
    shape: Ints = out.shape or (1,)
    index, src = np.atleast_1d(index, src)
    outside = _first_outside(index, shape[dim])
    if outside is not None:
        raise RuntimeError(_out_of_bounds(outside, dim, shape[dim]))
    places = np.zeros(index.shape, np.int64)
    for axis, size in enumerate(shape):
        places *= size
        along = np.arange(index.shape[axis]).reshape(-1, *(1,) * (len(shape) - 1 - axis))
        places += index if axis == dim else along
    values = src[tuple(slice(n) for n in index.shape)]
    add_rows(out.reshape(-1, 1), places.reshape(-1), values.reshape(-1, 1))
    return out


@accumulate_in_float32()
def index_add(input: Array, dim: int, index: Array, source: Array, alpha: float) -> Array:
    """A copy of `input` with alpha * source[i] added to its slice index[i] along `dim`.

    index (M) or (), source shaped as input but for M along dim. Raises RuntimeError, as PyTorch
    does here, for an index outside [0, input.shape[dim]).
    """
    if input.ndim == 0:
        return index_add(input.reshape(1), 0, index, source.reshape(-1), alpha).reshape(())
    index = index.reshape(-1).astype(np.int64, copy=False)
    moved = np.moveaxis(input, dim, 0)
    outside = _first_outside(index, moved.shape[0])
    if outside is not None:
        raise RuntimeError(_out_of_bounds(outside, dim % input.ndim, moved.shape[0]))
    values = np.moveaxis(source, dim, 0) if source.ndim else source.reshape(1)
    if alpha != 1:
        values = (values * alpha).astype(values.dtype, copy=False)
    out = moved.copy(order="C")
    width = prod(out.shape[1:])
    add_rows(out.reshape(out.shape[0], width), index, values.reshape(index.size, width))
    return np.ascontiguousarray(np.moveaxis(out, 0, dim))


@accumulate_in_float32()
def index_put(
    input: Array, indices: tuple[Array | None, ...], values: Array, accumulate: bool
) -> Array:
    """A copy of `input` with input[indices] = values, or += with repeats counted if `accumulate`.

    indices: integer or boolean arrays, or None for a whole dim. Negative integers count from the
    end. Raises IndexError for one out of range.
    """
    wrapped = _wrapped_indices(indices, input.shape)
    if not accumulate:
        out = input.copy(order="C")
        out[tuple(slice(None) if index is None else index for index in wrapped)] = values
        return out
    indexed = [dim for dim, index in enumerate(wrapped) if index is not None]
    if not indexed:
        return np.add(input, values, dtype=input.dtype)
    rest = [dim for dim in range(input.ndim) if dim not in indexed]
    found = np.broadcast_arrays(*(wrapped[dim] for dim in indexed))
    sizes = [input.shape[dim] for dim in indexed]
    places = np.zeros(found[0].shape, np.int64)
    for index, size in zip(found, sizes, strict=True):
        places = places * size + index
    rest_shape = [input.shape[dim] for dim in rest]
    adjacent = indexed == list(range(indexed[0], indexed[-1] + 1))
    front = indexed[0] if adjacent else 0  # numpy's rule: where the indexed dims go in a result
    shape = (*rest_shape[:front], *places.shape, *rest_shape[front:])
    spread = np.broadcast_to(values, shape)
    spread = np.moveaxis(spread, range(front, front + places.ndim), range(places.ndim))
    order = (*indexed, *rest)
    out = input.transpose(order).copy(order="C")
    width = prod(rest_shape)
    rows = spread.reshape(places.size, width)
    add_rows(out.reshape(prod(sizes), width), places.reshape(-1), rows)
    return np.ascontiguousarray(out.transpose(np.argsort(order)))


def _wrapped_indices(indices: tuple[Array | None, ...], shape: Ints) -> list[Array | None]:
    """Integer indices only, one per dim and not negative, masks replaced by where they are true."""
    wrapped: list[Array | None] = []
    for index in indices:
        if index is None:
            wrapped.append(None)
        elif index.dtype.kind == "b":
            dims = slice(len(wrapped), len(wrapped) + index.ndim)
            if index.shape != shape[dims]:
                raise IndexError(
                    f"The shape of the mask {list(index.shape)} at index {dims.start} does not "
                    f"match the shape of the indexed tensor {list(shape)}: expected "
                    f"{list(shape[dims])}."
                )
            wrapped.extend(index.nonzero())
        else:
            dim, size = len(wrapped), shape[len(wrapped)]
            outside = _first_outside(index, size, -size)
            if outside is not None:
                raise IndexError(_out_of_bounds(outside, dim, size))
            wrapped.append(np.where(index < 0, index + size, index))
    return wrapped


def _first_outside(index: Array, size: int, lowest: int = 0) -> int | None:
    if not index.size or (index.min() >= lowest and index.max() < size):
        return None
    return int(index[(index < lowest) | (index >= size)].flat[0])


def _out_of_bounds(index: int, dim: int, size: int) -> str:
    return f"index {index} is out of bounds for dimension {dim} with size {size}"
