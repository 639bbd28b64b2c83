"""Copies: of one tensor, of several joined, of one repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import movement
from dispatch_core._layouts import preserve_format
from dispatch_core._op import Ints, K, composite, primitive
from dispatch_core._shapes import check_dim, check_dims
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Ints as _Ints  # noqa: F401  for annotations
from dispatch_core.ops._formulas import order_back


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
    return K.permute(K.packed(K.permute(input, order)), order_back(order))


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
    movement(
        rule=lambda input, dims: check_dims(dims or 0, input.ndim),
        samples=lambda make: [(make(3, 4), (0,)), (make(2, 3), (0, 1)), (make(3), -1)],
    ),
    grad={"input": lambda K, g, dims: K.flip(g, dims)},
)
def flip(input: Tensor, dims: Ints) -> Tensor:
    """The order of the elements reversed along some dimensions; a copy."""
    for at in check_dims(dims, input.ndim) if dims or dims == 0 else ():
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
