"""Triangles and diagonals of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.kinds import telling
from dispatch_core._dtypes import int64, promote_operands
from dispatch_core._families.others import creation, movement
from dispatch_core._families.reduction import reduction
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._place import place
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.facts import rank_of


def _triangle_samples(make: Any) -> list[Any]:
    return [(make(3, 4),), (make(3, 4), 1), (make(2, 4, 3), -1), (make(3, 3), 5)]


def _gap(input: Tensor) -> Tensor:
    """Column number less row number, for each place of the last two dimensions."""
    if input.ndim < 2:
        raise RuntimeError("tril: input tensor must have at least 2 dimensions")
    rows, columns = input.shape[-2:]
    places = K.storage_index(input, max(rows, columns))
    return K.sub(K.narrow(places, 0, 0, columns), K.unsqueeze(K.narrow(places, 0, 0, rows), 1))


@composite(
    movement(inplace=True, samples=_triangle_samples),
    grad={"input": lambda K, g, diagonal: K.tril(g, diagonal)},
    out=True,
)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The last two dimensions' lower triangle, zeros above the given diagonal."""
    if diagonal.__class__ is not int:
        diagonal = whole("diagonal", diagonal)
    return K.where(K.le(_gap(input), diagonal), input, K.new_zeros(input, ()))


@composite(
    movement(inplace=True, samples=_triangle_samples),
    grad={"input": lambda K, g, diagonal: K.triu(g, diagonal)},
    out=True,
)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The last two dimensions' upper triangle, zeros below the given diagonal."""
    if diagonal.__class__ is not int:
        diagonal = whole("diagonal", diagonal)
    return K.where(K.ge(_gap(input), diagonal), input, K.new_zeros(input, ()))


def _triangle_indices(
    row: int, col: int, edge: int, lower: bool, dtype: Any, device: Any
) -> Tensor:
    """The places whose column is below row + edge, or (upper) those where it is not."""
    for name, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{name} must be non-negative, got {size}")
    whole = place(device, int64)
    rows, columns = (K.arange_new(0, 1, n, whole) for n in (row, col))
    below = K.lt(K.sub(columns, K.unsqueeze(rows, 1)), edge)
    count = sum(min(max(r + edge, 0), col) for r in range(row))
    if not lower:
        below, count = K.bitwise_not(below), row * col - count
    found = K.nonzero_static(below, size=count)
    return K.cast(K.clone(K.transpose(found, 0, 1)), dtype or int64)


@composite(creation())
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The indices (2, n) of the lower triangle of a matrix, row by row."""
    return _triangle_indices(row, col, offset + 1, True, dtype, device)


@composite(creation())
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The indices (2, n) of the upper triangle of a matrix, row by row."""
    return _triangle_indices(row, col, offset, False, dtype, device)


@composite(
    movement(samples=lambda make: [(make(3),), (make(3), 1), (make(3, 4),), (make(3, 4), -1)]),
    out=True,
)
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix with the vector as its diagonal, or the diagonal of a matrix."""
    if input.ndim == 1:
        return K.diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return K.clone(K.diagonal(input, diagonal))


@composite(movement(samples=lambda make: [(make(2, 2),), (make(3), -1)]))
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements on a diagonal."""
    return K.diag_embed(K.reshape(input, (-1,)), offset)


@composite(
    reduction(widen=True, samples=lambda make: [(make(3, 4),), (make(4, 3),), (make(0, 2),)]),
    out=True,
)
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise RuntimeError("trace: expected a matrix")
    return K.sum(K.diagonal(input))


@composite(
    movement(
        samples=lambda make: [
            (make(4, low=0.5, high=2),),
            (make(3, low=0.5, high=2), 2),
            (make(3), 3, True),
        ]
    )
)
def vander(x: Tensor, N: Any = None, increasing: bool = False) -> Tensor:
    """The powers of each element of a vector, as a row."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = x.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError(f"N must be non-negative, got {n}")
    powers = [K.ones_like(x)]
    for _ in range(n - 1):
        powers.append(K.mul(powers[-1], x))
    powers = powers[:n] if increasing else powers[:n][::-1]
    return K.stack(powers, 1) if powers else K.new_zeros(x, (x.shape[0], 0))


@public("")
@telling
def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices (or vectors, as rows) along its diagonal."""
    if len({t.dtype for t in tensors}) > 1:  # a number is weaker, as long as it is none of a matrix
        common = promote_operands([rank_of(t) for t in tensors])
        tensors = tuple(K.cast(t, common) for t in tensors)
    parts = [K.reshape(t, (1, -1)) if t.ndim < 2 else t for t in tensors] or [K.empty((1, 0))]
    if any(part.ndim > 2 for part in parts):
        raise RuntimeError("torch.block_diag: Input tensors must have 2 or fewer dimensions.")
    width = _total(parts, 1)
    rows, before = [], 0
    for part in parts:
        after = width - before - part.shape[1]
        left, right = (K.new_zeros(part, (part.shape[0], n)) for n in (before, after))
        rows.append(K.cat([left, part, right], 1))
        before += part.shape[1]
    return K.cat(rows, 0)


def _total(parts: Sequence[Tensor], dim: int) -> int:
    return sum(part.shape[dim] for part in parts)
