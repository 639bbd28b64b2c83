"""Views defined by others: names for what strides can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._families.others import movement
from dispatch_core._op import K, composite, primitive
from dispatch_core._shapes import check_dim, check_reshape
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Ints as _Ints  # noqa: F401  for annotations


@composite(
    movement(samples=lambda make: [(make(2, 3, 4), 0, -1), (make(3, 4), 0, 1), (make(), 0, -1)]),
    grad={"input": lambda K, g, dim0, dim1: K.transpose(g, dim0, dim1)},
    view=True,
    aliases=("swapaxes", "swapdims"),
    keywords={"axis0": "dim0", "axis1": "dim1"},
)
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged; a view."""
    n = input.ndim
    a, b = check_dim(dim0, n), check_dim(dim1, n)
    order = list(range(n))
    if n:
        order[a], order[b] = b, a
    return K.permute(input, tuple(order))


@composite(movement(samples=lambda make: [(make(3, 4),), (make(3),)]))
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector stays as it is; RuntimeError above two dimensions."""
    if input.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D; use transpose()"
        )
    return K.permute(input, tuple(range(input.ndim))[::-1])


@composite(movement(samples=lambda make: [(make(3, 4), 0), (make(3), -1), (make(), 0)]))
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A dimension of size one inserted before `dim`; a view."""
    at = check_dim(dim, input.ndim + 1)
    return K.basic_index(input, (slice(None),) * at + (None, ...))


@composite(
    movement(samples=lambda make: [(make(3, 1, 4, 1),), (make(3, 1), 1), (make(1, 3, 1), (0, 2))])
)
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Dimensions of size one taken out: all, or those of `dim` that have size one; a view."""
    n = input.ndim
    if dim is None:
        chosen = set(range(n))
    else:
        chosen = {check_dim(d, n) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))}
    gone = [d for d in chosen if n and input.shape[d] == 1]
    return K.basic_index(input, (*(0 if d in gone else slice(None) for d in range(n)), ...))


@composite(movement(samples=lambda make: [(make(2, 3, 4),), (make(2, 3, 4), 1), (make(), 0)]))
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim joined into one."""
    n = input.ndim
    a, b = check_dim(start_dim, n), check_dim(end_dim, n)
    if a > b:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if n == 0:
        return K.reshape(input, (1,))
    if a == b:
        return input
    joined = 1
    for size in input.shape[a : b + 1]:
        joined *= size
    return K.reshape(input, (*input.shape[:a], joined, *input.shape[b + 1 :]))


@composite(movement(samples=lambda make: [(make(6, 2), 0, (2, 3)), (make(2, 6), -1, (-1, 2))]))
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension split into several (one of their sizes may be -1)."""
    at = check_dim(dim, input.ndim)
    if input.ndim:
        check_reshape(input.shape[at : at + 1], sizes)
    return K.reshape(input, (*input.shape[:at], *sizes, *input.shape[at + 1 :]))


@composite(movement(samples=lambda make: [(make(3, 4),)]))
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return K.reshape(input, (-1,))


@composite(movement(samples=lambda make: [(make(5, 3), 0, 1, 3), (make(5), -1, -3, 2)]))
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """Elements start .. start + length - 1 along a dimension; a view."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    at = check_dim(dim, input.ndim)
    size = input.shape[at]
    start = int(start)
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if length < 0 or start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return K.basic_index(input, (slice(None),) * at + (slice(start, start + length), ...))


@composite(movement(samples=lambda make: [(make(5, 3), 0, 1), (make(5), 0, -1)]))
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at one index of a dimension; a view."""
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    at = check_dim(dim, input.ndim)
    return K.basic_index(input, (slice(None),) * at + (int(index), ...))


@composite(
    movement(samples=lambda make: [(make(5, 3), 2), (make(5, 3), (1, 4), 0)]),
    outputs=0,
    method=True,
)
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> Any:
    """Parts along a dimension: of a given size, or of the sizes of a list; views, as a tuple."""
    if not tensor.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    at = check_dim(dim, tensor.ndim)
    size = tensor.shape[at]
    sections: Any = split_size_or_sections
    if isinstance(sections, int):
        if sections < 0 or (sections == 0 and size):
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={sections}"
            )
        step = sections or 1
        sections = [min(step, size - i) for i in range(0, size, step)] or [0]
    total = 0
    for n in sections:
        total += n
    if total != size:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at "
            f"dimension {dim}), but got split_sizes={list(sections)}"
        )
    parts, start = [], 0
    for n in sections:
        parts.append(K.narrow(tensor, at, start, n))
        start += n
    return tuple(parts)


@composite(movement(samples=lambda make: [(make(5, 3), 2), (make(7), 3)]), outputs=0)
def chunk(input: Tensor, chunks: int, dim: int = 0) -> Any:
    """At most `chunks` parts of equal size (the last may be smaller) along a dimension; views."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not input.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    size = input.shape[check_dim(dim, input.ndim)]
    return K.split(input, -(-size // chunks) if size else [0] * chunks, dim)


@composite(movement(samples=lambda make: [(make(3, 2),), (make(2, 3), 1)]), outputs=0)
def unbind(input: Tensor, dim: int = 0) -> Any:
    """All slices along a dimension, as a tuple of views."""
    at = check_dim(dim, input.ndim)
    if not input.ndim:
        raise IndexError(
            "unbind() cannot be applied to a 0-dim tensor; it has no dimension to take"
        )
    return tuple(K.select(input, at, i) for i in range(input.shape[at]))


@composite(
    movement(samples=lambda make: [(make(2, 3, 4), 0, 2), (make(2, 3, 4), (0, 1), (-1, 0))]),
    aliases=("moveaxis",),
)
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions moved to new places, the others keeping their order; a view."""
    n = input.ndim
    sources = [
        check_dim(d, n) for d in (source if isinstance(source, (tuple, list)) else (source,))
    ]
    targets = [
        check_dim(d, n)
        for d in (destination if isinstance(destination, (tuple, list)) else (destination,))
    ]
    if len(sources) != len(targets) or len(set(sources)) + len(set(targets)) != 2 * len(sources):
        raise RuntimeError(
            f"movedim: expected as many distinct destinations as sources, got {source} and {destination}"
        )
    rest = iter(d for d in range(n) if d not in sources)
    placed = dict(zip(targets, sources, strict=True))
    return K.permute(input, tuple(placed[i] if i in placed else next(rest) for i in range(n)))


@composite(movement(samples=lambda make: [(make(3, 3),), (make(2, 3, 4), 1, 0, 2)]))
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, as the last dimension; a view."""
    n = input.ndim
    a, b = check_dim(dim1, n), check_dim(dim2, n)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    x = K.movedim(input, (a, b), (-2, -1))
    rows, columns = x.shape[-2], x.shape[-1]
    length = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    if length == 0:
        return K.basic_index(x, (Ellipsis, 0, slice(0, 0))) if rows else x.sum(-2)[..., :0]
    x = K.basic_index(
        x,
        (
            Ellipsis,
            slice(max(-offset, 0), max(-offset, 0) + length),
            slice(max(offset, 0), max(offset, 0) + length),
        ),
    )
    return K.square_diagonal(x)


@primitive(
    movement(samples=lambda make: [(make(3, 3),), (make(2, 4, 4),)]),
    grad={"input": lambda K, g: K.diag_embed(g)},
    view=True,
    namespace="_",
)
def square_diagonal(input: Tensor) -> Tensor:
    """The main diagonal of the last two dimensions, which are of equal size; a view."""


@composite(movement(samples=lambda make: [(make(3),), (make(2, 3), 1), (make(2, 3), -1, 0, 2)]))
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A tensor whose diagonals in two new dimensions are the last dimension of `input`."""
    n = input.shape[-1]
    size = n + (offset if offset > 0 else -offset)
    places = K.storage_index(input, size)
    row, column = K.unsqueeze(places, 1), K.unsqueeze(places, 0)
    on = K.eq(column - row, offset)
    wide = K.pad_last(input, max(offset, 0), max(-offset, 0)) if offset else input
    full = K.where(on, K.unsqueeze(wide, -2), K.new_zeros(input, ()))
    total = input.ndim + 1
    return K.movedim(full, (-2, -1), (check_dim(dim1, total), check_dim(dim2, total)))


@composite(movement(samples=lambda make: [(make(2, 3), 1, 2)]), namespace="_")
def pad_last(input: Tensor, before: int, after: int) -> Tensor:
    """The last dimension extended by zeros on both sides."""
    shape = (*input.shape[:-1], input.shape[-1] + before + after)
    return K.basic_index_backward(input, shape, (Ellipsis, slice(before, before + input.shape[-1])))
