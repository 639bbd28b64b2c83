"""Batching rules of operators for which that of their family does not do (`batch=` in declarations).

`rule(size, batched, *arguments)`: the batch of `size` examples is the first dimension of the arguments that
`batched` marks, and of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._errors import ValuesError
from dispatch_core._op import K
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor


def expand_all(size: int, batched: Sequence[bool], input: Tensor, wanted: Any) -> Tensor:
    """`expand` may add dimensions, which stand behind the batch."""
    missing = len(wanted) - (input.ndim - 1)
    shape = tuple(input.shape)
    return K.expand(K.reshape(input, (size, *[1] * missing, *shape[1:])), (size, *wanted))


def strided(
    size: int, batched: Sequence[bool], input: Tensor, shape: Any, stride: Any, offset: Any
) -> Tensor:
    """`as_strided` takes strides of memory, so every example is as far from the next as it was."""
    first = input.storage_offset() if offset is None else offset
    return K.as_strided(input, (size, *shape), (input.stride(0), *stride), first)


def products(size: int, batched: Sequence[bool], input: Tensor, other: Tensor) -> Tensor:
    """Matrix products, of which vectors are a case: they become matrices of one row or column."""
    left, right = (t.ndim - b for t, b in zip((input, other), batched, strict=True))
    if not (left and right):
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {left}D and {right}D"
        )
    if not batched[1] and right <= 2:
        return K.matmul(input, other)  # vectors of the left are the rows of one matrix
    if left == 1:
        input = K.unsqueeze(input, -2)
    if right == 1:
        other = K.unsqueeze(other, -1)
    most = max(left, right, 2)
    if batched[0]:
        input = _padded(input, most)
    if batched[1]:
        other = _padded(other, most)
    out = K.matmul(input, other)
    if left == 1:
        out = K.squeeze(out, -2)
    return K.squeeze(out, -1) if right == 1 else out


def solved(size: int, batched: Sequence[bool], A: Tensor, B: Tensor) -> Tensor:
    """Solving for matrices, whose leading dimensions broadcast: those of the examples stand before them."""
    most = max(t.ndim - b for t, b in zip((A, B), batched, strict=True))
    A, B = (_padded(t, most) if b else t for t, b in zip((A, B), batched, strict=True))
    return K.linalg_solve_matrix(A, B)


def _padded(t: Tensor, rank: int) -> Tensor:
    shape = tuple(t.shape)
    return K.reshape(t, (shape[0], *[1] * (rank + 1 - len(shape)), *shape[1:]))


def refused(size: int, batched: Sequence[bool], input: Tensor) -> Tensor:
    """The size of the result depends on values, which differ between examples."""
    raise ValuesError(
        "vmap: nonzero() and what is built on it (masks as indices, unique, ...) give results whose "
        "size depends on the values, which differs between examples; use where(), or map in a loop"
    )


def same_for_all(size: int, batched: Sequence[bool], input: Tensor, count: int) -> Tensor:
    """The result depends on nothing that differs between examples."""
    return K.expand(K.storage_index(input, count), (size, count))


def permuted(size: int, batched: Sequence[bool], input: Tensor, dims: Any) -> Tensor:
    """The batch stays where it is."""
    rank = input.ndim - 1
    return K.permute(input, (0, *[d % rank + 1 for d in dims])) if rank else input


def indexed(
    size: int,
    batched: Sequence[bool],
    input: Tensor,
    indices: Sequence[Tensor],
    dims: Sequence[int],
) -> Tensor:
    """Advanced indexing; indices that differ between examples are joined by the example's number."""
    if not batched[0]:
        input = K.expand(input, (size, *input.shape))
    count = max(i.ndim for i in indices) - batched[1]
    inner = tuple(d + 1 for d in dims)
    if batched[1]:
        indices = _alike(indices, count)
    else:
        out = K.index_at(input, indices, inner)
        return out if _together(dims) else K.movedim(out, count, 0)
    out = K.index_at(input, [_numbers(indices[0], size), *indices], (0, *inner))
    return _to_gap(out, count, dims)


def written(
    size: int,
    batched: Sequence[bool],
    input: Tensor,
    indices: Sequence[Tensor],
    values: Tensor,
    dims: Sequence[int],
    accumulate: bool,
) -> Tensor:
    """Writing at indices, each example into its own copy."""
    if not batched[0]:
        input = K.expand(input, (size, *input.shape))
    if not batched[1]:
        indices = [K.expand(i, (size, *i.shape)) for i in indices]
    count = max(i.ndim for i in indices) - 1
    indices = _alike(indices, count)
    index = tuple(indices[0].shape[1:])
    rest = [n for d, n in enumerate(input.shape[1:]) if d not in dims]
    gap = dims[0] if _together(dims) else 0
    shape = (size, *rest[:gap], *index, *rest[gap:])
    if batched[2]:
        values = _padded(values, len(shape) - 1)
    values = K.expand(values, shape)
    if gap and index:
        at = tuple(range(gap + 1, gap + 1 + len(index)))
        values = K.movedim(values, at, tuple(range(1, 1 + len(index))))
    numbers = _numbers(indices[0], size)
    inner = tuple(d + 1 for d in dims)
    return K.index_put_at(input, [numbers, *indices], values, (0, *inner), accumulate)


def selected(size: int, batched: Sequence[bool], input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Selecting along a dimension is indexing along it."""
    rank = input.ndim - batched[0]
    return indexed(size, (batched[0], batched[2]), input, [index], (dim % max(rank, 1),))


def _alike(indices: Sequence[Tensor], rank: int) -> list[Tensor]:
    """Batched indices broadcast against each other."""
    padded = [_padded(index, rank) for index in indices]
    shape = broadcast_shapes(*(tuple(index.shape) for index in padded))
    return [K.expand(index, shape) for index in padded]


def _numbers(index: Tensor, size: int) -> Tensor:
    """The number of each example, in the shape of an index."""
    numbers = K.reshape(K.storage_index(index, size), (size, *[1] * (index.ndim - 1)))
    return K.expand(numbers, tuple(index.shape))


def _together(dims: Sequence[int]) -> bool:
    """Whether the indexed dimensions are neighbours, so that the result has the index in their place."""
    return list(dims) == list(range(dims[0], dims[0] + len(dims)))


def _to_gap(out: Tensor, count: int, dims: Sequence[int]) -> Tensor:
    to = dims[0] if _together(dims) else 0
    if not to or not count:
        return out
    return K.movedim(out, tuple(range(1, 1 + count)), tuple(range(to + 1, to + 1 + count)))
