"""The primitive views: the same memory seen through another shape, strides or offset."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int64
from dispatch_core._families.others import custom, movement
from dispatch_core._op import Ints, K, composite, primitive
from dispatch_core._place import place
from dispatch_core._shapes import check_reshape
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Ints as _Ints  # noqa: F401  for annotations
from dispatch_core.ops._formulas import order_back
from dispatch_core.ops.batching import expand_all, permuted, same_for_all, strided


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
    grad={"input": lambda K, g, dims: K.permute(g, order_back(dims))},
    view=True,
    batch=permuted,
)
def permute(input: Tensor, dims: Ints) -> Tensor:
    """The dimensions in another order; a view."""


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
