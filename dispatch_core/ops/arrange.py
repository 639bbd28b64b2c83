"""Rearrangements made from views: rotations, windows, repetition, writing into a view of a copy."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from dispatch_core._dtypes import int32, int64
from dispatch_core._families.others import custom, movement
from dispatch_core._op import K, composite, primitive
from dispatch_core._shapes import check_dim, whole
from dispatch_core._tensor import Tensor

# -- like another tensor -------------------------------------------------------------------------


def _like(make: Any) -> list[Any]:
    return [(make(2, 6), make(3, 4))]


@composite(movement(samples=lambda make: [(make(3, 1), make(3, 4))]), namespace="_", method=True)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """The tensor expanded to the shape of another; a view."""
    return K.expand(input, tuple(other.shape))


@composite(movement(samples=lambda make: [(make(3, 4), make(3, 1, 4))]), namespace="_", method=True)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The tensor viewed in the shape of another."""
    return K.view(input, tuple(other.shape))


@composite(movement(samples=_like), namespace="_", method=True)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The tensor reshaped to the shape of another."""
    return K.reshape(input, tuple(other.shape))


# -- turning -------------------------------------------------------------------------------------


@composite(movement(samples=lambda make: [(make(3, 4),), (make(2, 3, 4),)]))
def fliplr(input: Tensor) -> Tensor:
    """The order of the columns reversed."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return K.flip(input, (1,))


@composite(movement(samples=lambda make: [(make(3, 4),), (make(3),)]))
def flipud(input: Tensor) -> Tensor:
    """The order of the rows reversed."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return K.flip(input, (0,))


@composite(
    movement(
        samples=lambda make: [
            (make(3, 4),),
            (make(3, 4), 2),
            (make(2, 3, 4), -1, (1, 2)),
            (make(3, 4), 4),
        ]
    )
)
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The plane of two dimensions turned by k quarters, from the first towards the second."""
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    a, b = (check_dim(d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {a} and dim1 = {b}"
        )
    k %= 4
    if k == 2:
        return K.flip(input, (a, b))
    if k == 1:
        return K.transpose(K.flip(input, (b,)), a, b)
    return K.flip(K.transpose(input, a, b), (b,)) if k == 3 else K.clone(input)


# -- windows -------------------------------------------------------------------------------------


def _window_places(K: Any, like: Any, count: int, size: int, step: int) -> Any:
    """Which element each place of each window shows, as a vector (count * size)."""
    places = K.storage_index(like, count * size)
    window = places // size
    return window * step + (places - window * size)


def _unfold_input(K: Any, g: Any, shape: Any, dimension: int, size: int, step: int) -> Any:
    if not shape:
        return K.sum(g)
    at = dimension % len(shape)
    g = K.movedim(g, -1, at + 1)
    count = g.shape[at]
    flat = K.reshape(g, (*g.shape[:at], count * size, *g.shape[at + 2 :]))
    return K.index_add(K.new_zeros(g, shape), at, _window_places(K, g, count, size, step), flat)


@primitive(
    movement(
        samples=lambda make: [
            (make(7), 0, 3, 2),
            (make(3, 5), 1, 2, 1),
            (make(5, 3), 0, 2, 3),
            (make(), 0, 1, 1),
        ]
    ),
    grad={
        "input": lambda K, g, input_shape, dimension, size, step: _unfold_input(
            K, g, input_shape, dimension, size, step
        )
    },
    view=True,
    namespace="_",
    aliases=("Tensor.unfold",),
)
def unfold_windows(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` elements, `step` apart, as a new last dimension; a view."""


# -- repetition ----------------------------------------------------------------------------------


@composite(
    custom(
        samples=lambda make: [
            (make(3), 2),
            (make(3, 2), make(3, low=0, high=4, integer=True), 0),
            (make(2, 3), 2, 1),
            (make(4, low=0, high=3, integer=True),),
        ]
    )
)
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: Any = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or slice along `dim`) repeated; `repeats` is a number or one for each.

    With one argument, the numbers 0, 1, ... each repeated as often as it says.
    """
    if repeats is None:
        return K.repeat_interleave(K.storage_index(input, input.shape[0]), input, 0)
    if isinstance(repeats, Tensor) and repeats.dtype not in (int32, int64):
        raise NotImplementedError(
            f"repeat_interleave(): expected repeats of dtype int32 or int64, but got {repeats.dtype}"
        )
    x = K.reshape(input, (-1,)) if dim is None else input
    at = 0 if dim is None else check_dim(dim, input.ndim)
    n = x.shape[at] if x.ndim else 1
    if not isinstance(repeats, Tensor) or repeats.numel() == 1:
        times = operator.index(repeats.item() if isinstance(repeats, Tensor) else repeats)
        if times < 0:
            raise RuntimeError("Repeats must be non-negative")
        _check_output_size(output_size, n * times)
        return K.index_select(x, at, K.floor_divide(K.storage_index(x, n * times), max(times, 1)))
    if repeats.ndim != 1 or repeats.shape[0] != n:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{repeats.shape[0]} and input.size({at}) = {n}"
        )
    if n and K.amin(repeats).item() < 0:
        raise RuntimeError("repeats can not be negative")
    ends = K.cumsum(K.cast(repeats, int64), 0)
    total = K.select(ends, 0, -1).item() if n else 0
    _check_output_size(output_size, total)
    return K.index_select(x, at, K.searchsorted(ends, K.storage_index(x, total), right=True))


def _check_output_size(given: Any, found: int) -> None:
    if given is not None and given != found:
        raise RuntimeError(
            f"repeat_interleave: Invalid output_size, expected {found} but got {given}"
        )


# -- a copy with one part replaced ---------------------------------------------------------------


def _replaced(name: str, input: Tensor, src: Tensor, part: Any) -> Tensor:
    """A copy of the tensor with `src` written into a view of it."""
    made = K.clone(input)
    target = part(made)
    if target.shape != src.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, "
            f"slice size = {list(target.shape)} in {name}()"
        )
    target.copy_(src)
    return made


@composite(
    custom(samples=lambda make: [(make(3, 4), make(4), 0, 1), (make(3, 4), make(3), 1, -1)]),
    batch="body",
)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with `src` at one index of a dimension."""
    return _replaced("select_scatter", input, src, lambda x: K.select(x, dim, index))


@composite(
    custom(
        samples=lambda make: [
            (make(5, 2), make(2, 2), 0, 1, 3),
            (make(3, 4), make(3, 2), 1, 0, 4, 2),
        ]
    ),
    batch="body",
    out=True,
)
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    """A copy with `src` at a slice of a dimension."""
    at = check_dim(dim, input.ndim)
    index = (slice(None),) * at + (slice(start, end, step),)
    return _replaced("slice_scatter", input, src, lambda x: K.basic_index(x, index))


@composite(
    custom(samples=lambda make: [(make(3, 3), make(3)), (make(3, 4), make(2), 2)]), batch="body"
)
def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy with `src` on a diagonal."""
    return _replaced("diagonal_scatter", input, src, lambda x: K.diagonal(x, offset, dim1, dim2))


# -- splitting -----------------------------------------------------------------------------------


_PARTS = {"indices": "indices_or_sections", "sections": "indices_or_sections"}


def _cut_points(size: int, parts: Any) -> list[int]:
    if isinstance(parts, int):
        if parts <= 0:
            raise RuntimeError(
                f"tensor_split expected a positive number of sections, but got {parts}"
            )
        small, larger = divmod(size, parts)
        return [small * i + min(i, larger) for i in range(1, parts)]
    if isinstance(parts, str) or not hasattr(parts, "__iter__"):
        raise TypeError(f"tensor_split(): expected an int, or ints, not {type(parts).__name__}")
    return [whole("indices", i) for i in parts]


@composite(
    movement(samples=lambda make: [(make(7, 2), 3), (make(5, 4), (1, 3), 1), (make(3), (1, 9))]),
    outputs=0,
    keywords=_PARTS | {"tensor_indices_or_sections": "indices_or_sections"},
)
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> Any:
    """Parts along a dimension: so many of nearly equal size, or cut at the given places; views."""
    given = indices_or_sections
    if isinstance(given, Tensor):
        if given.dtype is not int64 or given.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a tensor of int64 with at most "
                f"one dimension, but got {given.dtype} with {given.ndim} dims"
            )
        given = given.tolist()
    if not input.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    at = check_dim(dim, input.ndim)
    size = input.shape[at]
    bounds = [0, *_cut_points(size, given), None]
    whole = (slice(None),) * at
    return tuple(
        K.basic_index(input, (*whole, slice(start, stop))) for start, stop in pairwise(bounds)
    )


def _split_evenly(name: str, input: Tensor, parts: Any, dim: int) -> Any:
    if isinstance(parts, int) and (parts <= 0 or input.shape[dim] % parts):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{input.shape[dim]} is not divisible by the split_size {parts}!"
        )
    return K.tensor_split(input, parts, dim)


def _deep_enough(name: str, input: Tensor, ndim: int) -> None:
    if input.ndim < ndim:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {ndim} dimension, but got a tensor with "
            f"{input.ndim} dimensions!"
        )


@composite(
    movement(samples=lambda make: [(make(2, 4), 2), (make(4), (1, 2))]), outputs=0, keywords=_PARTS
)
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Any:
    """Parts along the second dimension (the first of a vector); views."""
    _deep_enough("hsplit", input, 1)
    return _split_evenly("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


@composite(
    movement(samples=lambda make: [(make(4, 2), 2), (make(4, 2), (1, 2))]),
    outputs=0,
    keywords=_PARTS,
)
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Any:
    """Parts along the first dimension; views."""
    _deep_enough("vsplit", input, 2)
    return _split_evenly("vsplit", input, indices_or_sections, 0)


@composite(movement(samples=lambda make: [(make(2, 3, 4), 2)]), outputs=0, keywords=_PARTS)
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Any:
    """Parts along the third dimension; views."""
    _deep_enough("dsplit", input, 3)
    return _split_evenly("dsplit", input, indices_or_sections, 2)


# -- joining -------------------------------------------------------------------------------------


def _rows(make: Any) -> list[Any]:
    return [([make(3), make(3)],), ([make(2, 3), make(2, 3)],)]


def _at_least(x: Tensor, ndim: int) -> Tensor:
    if ndim == 3 and x.ndim == 2:
        return K.unsqueeze(x, -1)
    while x.ndim < ndim:
        x = K.unsqueeze(x, x.ndim if x.ndim == 2 else 0)
    return x


@composite(movement(samples=_rows), method=False, out=True)
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors joined along the second dimension (vectors along the first)."""
    parts = [_at_least(t, 1) for t in tensors]
    return K.cat(parts, 0 if parts and parts[0].ndim == 1 else 1)


@composite(movement(samples=_rows), method=False, out=True, aliases=("row_stack",))
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors joined along the first dimension, vectors as rows."""
    return K.cat([_at_least(t, 2) for t in tensors], 0)


@composite(movement(samples=_rows), method=False, out=True)
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors joined along the third dimension."""
    return K.cat([_at_least(t, 3) for t in tensors], 2)


@composite(
    movement(samples=lambda make: [([make(3), make(3, 2)],), ([make(), make()],)]),
    method=False,
    out=True,
)
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors joined along the second dimension, vectors as columns."""
    return K.cat([K.reshape(t, (t.numel(), 1)) if t.ndim <= 1 else t for t in tensors], 1)
