"""Views and rearrangements."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int64
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import custom, movement
from dispatch_core._layouts import preserve_format
from dispatch_core._op import Ints, K, composite, primitive
from dispatch_core._place import place
from dispatch_core._shapes import check_dim, check_reshape
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Ints as _Ints  # noqa: F401  for annotations
from dispatch_core.ops.batching import expand_all, permuted, same_for_all, strided

# -- primitive views ------------------------------------------------------------------------------------


@primitive(
    movement(
        samples=lambda make: [(make(3, 4), (4, 3)), (make(2, 6), (-1, 3)), (make(), (1, 1))],
        rule=lambda input, shape: check_reshape(input.shape, shape),
    ),
    grad={"input": lambda K, g, input_shape: K.reshape(g, input_shape)},
    view="sometimes",
)
def reshape(input: Tensor, shape: Ints) -> Tensor:
    """The same elements in another shape (one size may be -1); a view where the layout allows it."""


@primitive(
    movement(
        samples=lambda make: [(make(3, 4), (12,)), (make(2, 6), (-1, 2, 3))],
        rule=lambda input, shape: check_reshape(input.shape, shape),
    ),
    grad={"input": lambda K, g, input_shape: K.reshape(g, input_shape)},
    view=True,
    handled=("dtype",),
)
def view(input: Tensor, shape: Ints, *, dtype: Any = None) -> Tensor:
    """The same memory in another shape, or read as another dtype, as in x.view(dtype).

    RuntimeError where the layout does not allow it.
    """
    return K.bits_as(input, dtype)


@primitive(custom(), grad=NOT_DIFFERENTIABLE, namespace="_", fallback=False, batch="leading")
def bits_as(input: Tensor, dtype: Any) -> Tensor:
    """The same memory read as another dtype; the last dimension shrinks or grows with its size."""


@primitive(
    movement(
        samples=lambda make: [(make(2, 3, 4), (2, 0, 1)), (make(3, 4), (-1, 0)), (make(), ())]
    ),
    grad={"input": lambda K, g, dims: K.permute(g, _inverse(dims))},
    view=True,
    batch=permuted,
)
def permute(input: Tensor, dims: Ints) -> Tensor:
    """The dimensions in another order; a view."""


def _inverse(dims: Sequence[int]) -> tuple[int, ...]:
    n = len(dims)
    placed = [0] * n
    for at, d in enumerate(dims):
        placed[d % n] = at
    return tuple(placed)


@primitive(
    movement(samples=lambda make: [(make(3, 1), (3, 4)), (make(4), (2, -1)), (make(), (2, 2))]),
    grad={"input": lambda K, g, input_shape: K.sum_to(g, input_shape)},
    view=True,
    batch=expand_all,
)
def expand(input: Tensor, size: Ints) -> Tensor:
    """Dimensions of size one repeated without copying (-1 keeps a size); a view."""


@primitive(
    movement(
        samples=lambda make: [
            (make(3, 4), (1, ...)),
            (make(5), slice(1, 4)),
            (make(3, 4), (slice(None), None, slice(0, 4, 2), ...)),
            (make(2, 3, 4), (slice(None), slice(None), -1, ...)),
        ],
        rule=lambda input, index: _check_ints(input, index),
    ),
    grad={"input": lambda K, g, input_shape, index: K.basic_index_backward(g, input_shape, index)},
    view=True,
    namespace="_",
    method=False,
)
def basic_index(input: Tensor, index: Any) -> Tensor:
    """Indexing by a slice, or a tuple of ints, slices, None and one Ellipsis; a view."""


def _check_ints(input: Tensor, index: Any) -> None:
    """Raise IndexError for the first int that its dimension does not have."""
    items = index if isinstance(index, tuple) else (index,)
    consumed = len([i for i in items if i is not None and i is not Ellipsis])
    if consumed > input.ndim:
        if not input.ndim:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a "
                "number"
            )
        raise IndexError(
            f"too many indices for tensor of dimension {input.ndim}: {consumed} were given"
        )
    at = 0
    for item in items:
        if item is Ellipsis:
            at += input.ndim - consumed
        elif item is not None:
            size = input.shape[at]
            if isinstance(item, int) and not -size <= item < size:
                raise IndexError(
                    f"index {item} is out of bounds for dimension {at} with size {size}"
                )
            at += 1


@composite(
    movement(
        samples=lambda make: [
            (make(3), (2, 3), (1,)),
            (make(3, 2), (3, 4), (slice(None), slice(0, 4, 2))),
        ]
    ),
    grad={"grad": lambda K, g, index: K.basic_index(g, index)},
    namespace="_",
)
def basic_index_backward(grad: Tensor, input_shape: Any, index: Any) -> Tensor:
    """Zeros of `input_shape` with `grad` at `index`."""
    zeros = K.new_zeros(grad, (prod(input_shape),))
    places = K.reshape(K.storage_index(grad, zeros.shape[0]), input_shape)
    places = K.reshape(K.basic_index(places, index), (-1,))
    return K.reshape(K.scatter_src(zeros, 0, places, K.reshape(grad, (-1,))), input_shape)


@primitive(
    movement(samples=lambda make: [(make(3, 4), (2, 2), (1, 2), 1), (make(6), (3, 2), (1, 2), 0)]),
    grad={
        "input": lambda K, g, input_shape, input_layout, size, stride, storage_offset: (
            _as_strided_input(K, g, input_shape, input_layout, (size, stride, storage_offset))
        )
    },
    view=True,
    batch=strided,
)
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """A view by size, strides and offset in elements of the storage; must stay within it."""


def _as_strided_input(
    K: Any, g: Any, shape: Any, layout: tuple[Sequence[int], int], asked: tuple[Any, Any, Any]
) -> Any:
    """Each place of the storage gets the sum of the gradients of all elements that show it.

    Elements of the input that share a place share its gradient.
    """
    (own, start), (size, stride, offset) = layout, asked
    offset = start if offset is None else offset
    if 0 in shape or 0 in size:
        return K.new_zeros(g, shape)
    first = min(start, offset)
    start, offset = start - first, offset - first
    extent = 1 + max(start + _reach(shape, own), offset + _reach(size, stride))
    places = K.storage_index(g, extent)
    shown = K.reshape(K.as_strided(places, size, stride, offset), (-1,))
    mine = K.reshape(K.as_strided(places, shape, own, start), (-1,))
    empty = K.new_zeros(g, (extent,))
    found = K.gather(K.scatter_add(empty, 0, shown, K.reshape(g, (-1,))), 0, mine)
    if any(s == 0 and n > 1 for s, n in zip(own, shape, strict=True)):
        ones = K.ones_like(found)
        found = K.div(found, K.gather(K.scatter_add(empty, 0, mine, ones), 0, mine))
    return K.reshape(found, shape)


def _reach(size: Sequence[int], stride: Sequence[int]) -> int:
    """How far the last element lies behind the first."""
    return sum((n - 1) * s for n, s in zip(size, stride, strict=True))


@composite(custom(), grad=NOT_DIFFERENTIABLE, namespace="_", method=False, batch=same_for_all)
def storage_index(input: Tensor, count: int) -> Tensor:
    """0 .. count-1 as int64 on the device of `input`."""
    return K.arange_new(0, 1, count, place(input.device, int64))


# -- composite views ---------------------------------------------------------------------------------------


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
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Parts along a dimension: of a given size, or of the sizes of a list; views, as a tuple."""
    if not tensor.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    at = check_dim(dim, tensor.ndim)
    size = tensor.shape[at]
    sections = split_size_or_sections
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
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
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


# -- copies ------------------------------------------------------------------------------------------------


@composite(
    movement(samples=lambda make: [(make(3, 4),), (make(),), (make(0, 2),)]),
    grad={"input": lambda g: g},
    handled=("memory_format",),
)
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with memory of its own."""
    if memory_format is None:
        return K.cast(input, input.dtype)
    return K.clone(input) if memory_format is preserve_format else _formatted(input, memory_format)


def _formatted(input: Tensor, memory_format: Any) -> Tensor:
    """A copy whose elements lie in memory in the order of a format."""
    order = memory_format.order(input.ndim)
    if order is None:
        return K.packed(input)
    return K.permute(K.packed(K.permute(input, order)), _inverse(order))


@composite(
    movement(samples=lambda make: [(make(3, 4),)]),
    namespace="_",
    method=True,
    handled=("memory_format",),
)
def contiguous(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """The tensor itself if its memory is in order, or in that of a format, else a copy that is."""
    if memory_format is not None:
        order = memory_format.order(input.ndim)
        fits = (input if order is None else K.permute(input, order)).is_contiguous()
        return input if fits else _formatted(input, memory_format)
    return input if input.is_contiguous() else K.packed(input)


@composite(movement(samples=lambda make: [(make(3, 4),), (make(),), (make(0, 2),)]), namespace="_")
def packed(input: Tensor) -> Tensor:
    """A copy whose elements lie in memory in the order of the dimensions."""
    return K.basic_index_backward(input, tuple(input.shape), (Ellipsis,))


@composite(
    movement(samples=lambda make: [(make(3, 4), (0,)), (make(2, 3), (0, 1)), (make(3), -1)]),
    grad={"input": lambda K, g, dims: K.flip(g, dims)},
)
def flip(input: Tensor, dims: Ints) -> Tensor:
    """The order of the elements reversed along some dimensions; a copy."""
    for d in dims if isinstance(dims, (tuple, list)) else (dims,):
        at = check_dim(d, input.ndim)
        if input.ndim:
            last = input.shape[at] - 1
            input = K.index_select(input, at, last - K.storage_index(input, last + 1))
    return K.clone(input)


@primitive(
    movement(
        promotes=True,
        rule=lambda tensors, dim: _check_cat(tensors, dim),
        samples=lambda make: [
            ([make(2, 3), make(1, 3)],),
            ([make(2, 3), make(2, 1)], 1),
            ([make(2)],),
        ],
    ),
    grad={"tensors": lambda K, g, tensors_shape, dim: _cat_tensors(K, g, tensors_shape, dim)},
    aliases=("concat", "concatenate"),
    method=False,
    out=True,
)
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors joined along an existing dimension; other dimensions must be equal."""


def _check_cat(tensors: Sequence[Tensor], dim: int) -> None:
    shapes = [tuple(t.shape) for t in tensors]
    for i, shape in enumerate(shapes):
        if not shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    shapes = [shape for shape in shapes if shape != (0,)] or shapes  # empty vectors join anything
    first = shapes[0]
    at = check_dim(dim, len(first))
    for i, shape in enumerate(shapes):
        if len(shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
            )
        for d, (one, other) in enumerate(zip(first, shape, strict=True)):
            if d != at and one != other:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {at}. Expected size {one} in "
                    f"dimension {d} but got size {other} for tensor number {i} in the list."
                )


def _cat_tensors(K: Any, g: Any, shapes: Any, dim: int) -> Any:
    found, start = [], 0
    for shape in shapes:
        if tuple(shape) == (0,) and len(g.shape) > 1:
            found.append(K.zeros_like(K.narrow(K.reshape(g, (-1,)), 0, 0, 0)))
            continue
        found.append(K.narrow(g, dim, start, shape[dim]))
        start += shape[dim]
    return found


@composite(
    movement(samples=lambda make: [([make(2, 3), make(2, 3)],), ([make(2), make(2)], -1)]),
    method=False,
    out=True,
)
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors joined along a new dimension; all shapes must be equal."""
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].shape
    for i, each in enumerate(tensors):
        if each.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(each.shape)} at entry {i}"
            )
    at = check_dim(dim, len(first) + 1)
    return K.cat([K.unsqueeze(each, at) for each in tensors], at)


@composite(
    movement(samples=lambda make: [(make(2, 3), (2, 2)), (make(3), (2, 1, 2))]),
    method=True,
    namespace="_",
)
def repeat(input: Tensor, repeats: Ints) -> Tensor:
    """The tensor repeated along each dimension; a copy."""
    if len(repeats) < input.ndim:  # type: ignore[arg-type]
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    x = K.reshape(input, (1,) * (len(repeats) - input.ndim) + tuple(input.shape))  # type: ignore[arg-type]
    shape = tuple(n * s for n, s in zip(repeats, x.shape, strict=True))  # type: ignore[arg-type]
    if min(shape, default=0) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    spread: list[int] = []
    shown: list[Any] = []
    for n, size in zip(repeats, x.shape, strict=True):  # type: ignore[arg-type]
        spread += [max(n, 0), size]
        shown += [None, slice(None)]
    wide = K.expand(K.basic_index(x, (*shown, ...)), tuple(spread))
    return K.clone(K.reshape(wide, shape))


@composite(movement(samples=lambda make: [(make(2, 3), (2,)), (make(3), (2, 2))]))
def tile(input: Tensor, dims: Ints) -> Tensor:
    """`repeat`, with missing leading repetitions taken as one."""
    return K.repeat(input, (1,) * (input.ndim - len(dims)) + tuple(dims))  # type: ignore[arg-type]


@composite(movement(samples=lambda make: [(make(4, 3), 1), (make(4, 3), (1, -1), (0, 1))]))
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """The elements moved along dimensions, those pushed out coming in at the other end."""
    if dims is None:
        if isinstance(shifts, (tuple, list)) and len(shifts) != 1:
            return K.roll(input, shifts, ())
        return K.reshape(K.roll(K.reshape(input, (-1,)), shifts, 0), input.shape)
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = dims if isinstance(dims, (tuple, list)) else (dims,)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return K.roll(input, shifts[0])
    if len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    for shift, d in zip(shifts, dims, strict=True):
        at = check_dim(d, input.ndim)
        n = input.shape[at]
        cut = (n - shift) % n if n else 0
        input = K.cat([K.narrow(input, at, cut, n - cut), K.narrow(input, at, 0, cut)], at)
    return input


@composite(
    movement(samples=lambda make: [(make(2, 3), (2, 2, 3)), (make(3, 1), (3, 4))]), method=True
)
def broadcast_to(input: Tensor, size: Ints) -> Tensor:
    """The tensor expanded to a shape; a view."""
    return K.expand(input, size)


@composite(
    movement(
        accepts=INEXACT,
        samples=lambda make: [(make(2, 3), (3,)), (make(2, 3), (2, 1)), (make(2, 3), ())],
    ),
    namespace="_",
)
def sum_to(input: Tensor, shape: Any) -> Tensor:
    """Summed over the dimensions along which `shape` would be broadcast to the tensor's shape."""
    extra = input.ndim - len(shape)
    dims = tuple(range(extra)) + tuple(
        i for i, n in enumerate(shape, extra) if n == 1 and input.shape[i] != 1
    )
    if dims:
        input = K.sum(input, dims, True)
    return K.reshape(input, tuple(shape)) if extra else input
