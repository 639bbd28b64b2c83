"""Functions that rearrange elements."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import Category
from dispatch_core._op import K
from dispatch_core._shapes import broadcast_shapes as _broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._axes import axes_of
from dispatch_core.array_api._names import renamed, standard
from dispatch_core.array_api._promotion import admitted, common, converted

renamed(
    "any",
    {
        "broadcast_to(x, /, shape)": "broadcast_to(x, tuple(shape))",
        "moveaxis(x, source, destination, /)": "movedim(x, source, destination)",
        "permute_dims(x, /, axes)": "permute(x, tuple(axes))",
        "roll(x, /, shift, *, axis=None)": "roll(x, shift, axis)",
        "tile(x, repetitions, /)": "tile(x, tuple(repetitions))",
        "unstack(x, /, *, axis=0)": "unbind(x, axis)",
    },
)


@standard()
def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """The arrays, all of the shape they have together."""
    shape = broadcast_shapes(*(admitted("broadcast_arrays", "any", x).shape for x in arrays))
    return tuple(K.broadcast_to(x, shape) for x in arrays)


@standard()
def broadcast_shapes(*shapes: Any) -> tuple[Any, ...]:
    """The shape that arrays of these shapes have together; None stands for an unknown size.

    Raises:
        ValueError: the shapes do not go together.

    """
    if any(None in shape for shape in shapes):
        return _with_unknown(shapes)
    try:
        return tuple(_broadcast_shapes(*(tuple(shape) for shape in shapes)))
    except RuntimeError as error:
        raise ValueError(str(error)) from None


def _with_unknown(shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """An unknown size meets 1 or itself and stays; beside a known size other than 1 that one holds."""
    ndim = max(map(len, shapes))
    found = []
    for column in zip(*((1,) * (ndim - len(s)) + tuple(s) for s in shapes), strict=True):
        known = {n for n in column if n is not None and n != 1}
        if len(known) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} cannot be broadcast together")
        found.append(known.pop() if known else None if None in column else 1)
    return tuple(found)


@standard()
def concat(arrays: Any, /, *, axis: int | None = 0) -> Tensor:
    """The arrays one after the other along an axis; without axis, their elements in one dimension."""
    arrays = _alike("concat", arrays)
    if axis is None:
        return K.cat([K.reshape(x, (-1,)) for x in arrays], 0)
    if not arrays[0].ndim:
        raise ValueError(
            "concat(): arrays without dimensions have no axis; give axis=None or use stack"
        )
    return K.cat(arrays, axis)


@standard()
def stack(arrays: Any, /, *, axis: int = 0) -> Tensor:
    """The arrays side by side along a new axis."""
    return K.stack(_alike("stack", arrays), axis)


def _alike(name: str, arrays: Any) -> list[Tensor]:
    arrays = [admitted(name, "any", x) for x in arrays]
    if not arrays:
        raise ValueError(f"{name}() takes at least one array")
    wanted = common(tuple(arrays))
    return [converted(x, wanted, x) for x in arrays]


@standard()
def expand_dims(x: Tensor, /, axis: Any) -> Tensor:
    """The array with dimensions of size 1 inserted at places of the result.

    Raises:
        IndexError: a place is outside.

    """
    admitted("expand_dims", "any", x)
    places = axis if isinstance(axis, (tuple, list)) else (axis,)
    found = axes_of(places, x.ndim + len(places))
    if len(set(found)) < len(found):
        raise ValueError(f"expand_dims(): axis names a place twice: {axis}")
    for place in sorted(found):
        x = K.unsqueeze(x, place)
    return x


@standard()
def squeeze(x: Tensor, /, axis: Any) -> Tensor:
    """The array without the named dimensions, which must be of size 1.

    Raises:
        ValueError: one has another size.

    """
    axes = axes_of(axis, admitted("squeeze", "any", x).ndim)
    for each in axes:
        if x.shape[each] != 1:
            raise ValueError(
                f"squeeze(): axis {each} has size {x.shape[each]}, only axes of size 1 can go"
            )
    return K.reshape(x, tuple(n for d, n in enumerate(x.shape) if d not in axes))


@standard()
def flip(x: Tensor, /, *, axis: Any = None) -> Tensor:
    """The elements in reverse order along some axes, or all."""
    return K.flip(x, axes_of(axis, admitted("flip", "any", x).ndim))


@standard()
def repeat(x: Tensor, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Each element several times in a row; without axis, in one dimension."""
    admitted("repeat", "any", x)
    if axis is None:
        x, axis = K.reshape(x, (-1,)), 0
    if isinstance(repeats, Tensor):
        repeats = K.expand(K.reshape(repeats, (-1,)), (x.shape[axis],))
        if repeats.dtype.category is Category.INTEGRAL:
            repeats = repeats.long()
    return K.repeat_interleave(x, repeats, axis)


@standard()
def reshape(x: Tensor, /, shape: Any, *, copy: bool | None = None) -> Tensor:
    """The elements in another shape, of which one size may be -1.

    Raises:
        ValueError: `copy=False`, but the memory cannot be shown in that shape.

    """
    admitted("reshape", "any", x)
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if copy:
        return K.reshape(K.clone(x), shape)
    if copy is False:
        try:
            return K.view(x, shape)
        except RuntimeError as error:
            raise ValueError(f"reshape(): {error}; leave out copy=False") from None
    return K.reshape(x, shape)
