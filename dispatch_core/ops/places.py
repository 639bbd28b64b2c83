"""Places of elements: flat ones as coordinates, and a fixed number of nonzero ones."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import Category, int64
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


@composite(
    custom(
        samples=lambda make: [
            (make(3, 4, boolean=True), {"size": 3}),
            (make(3, 4), {"size": 20, "fill_value": -5}),
            (make(), {"size": 2}),
        ]
    ),
    grad=NOT_DIFFERENTIABLE,
)
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The indices of the first `size` nonzero elements, one row each; missing rows are filled."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    rows = K.nonzero(input)
    if rows.shape[0] == size:
        return rows
    found = K.narrow(rows, 0, 0, min(size, rows.shape[0]))
    rest = K.new_full(rows, (size - found.shape[0], rows.shape[1]), fill_value)
    return K.cat([found, rest], 0)


@composite(
    custom(
        samples=lambda make: [
            (make(5, low=0, high=24, integer=True), (4, 6)),
            (make(2, 2, low=0, high=7, integer=True), 7),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    outputs=0,
    method=False,
)
def unravel_index(indices: Tensor, shape: Any) -> Any:
    """The coordinates of flat indices in a tensor of some shape: one tensor a dimension.

    Indices beyond the tensor go around, as in PyTorch.
    """
    if indices.dtype.category is not Category.INTEGRAL:
        raise TypeError(
            f"expected 'indices' to be integer dtype, but got {indices.dtype}; convert it first, "
            "as in indices.long()"
        )
    if isinstance(shape, Tensor):
        shape = shape.tolist()
    if not isinstance(shape, (int, tuple, list)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(not hasattr(n, "__index__") for n in sizes):
        raise TypeError(f"expected 'shape' sequence to only contain ints, but got {sizes}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    steps, step = [], 1
    for n in reversed(sizes):
        steps.append(step)
        step *= n
    indices = K.cast(indices, int64)
    return tuple(
        K.remainder(K.floor_divide(indices, s), n)
        for s, n in zip(reversed(steps), sizes, strict=True)
    )
