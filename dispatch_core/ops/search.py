"""Finding elements: distinct and nonzero ones, places in a sorted sequence, counts."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import float32, int32, int64
from dispatch_core._families.base import DISCRETE, FLOATING, REAL
from dispatch_core._families.others import custom, indexing
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number

# -- where something is nonzero ------------------------------------------------------------------


@composite(
    custom(
        samples=lambda make: [
            (make(3, 4, boolean=True),),
            (make(5),),
            (make(),),
            (make(2, 3), {"as_tuple": True}),
        ]
    ),
    grad=NOT_DIFFERENTIABLE,
    outputs=0,
    varying=True,
    out=True,
)
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices (int64) of the nonzero elements, one row each, or one vector a dimension."""
    x = K.ne(input, 0) if input.is_complex() else input
    if not as_tuple:
        return K.nonzero_rows(x)
    rows = K.nonzero_rows(x if x.ndim else K.reshape(x, (1,)))
    return K.unbind(rows, 1)


@composite(
    custom(samples=lambda make: [(make(3, 4, boolean=True),), (make(),)]), grad=NOT_DIFFERENTIABLE
)
def argwhere(input: Tensor) -> Tensor:
    """The indices of the nonzero elements, one row each."""
    return K.nonzero(input)


@composite(
    indexing(
        truths=("mask",),
        samples=lambda make: [
            (make(3, 4), make(3, 4, boolean=True)),
            (make(3, 1), make(4, boolean=True)),
            (make(), make(boolean=True)),
        ],
    ),
    out=True,
)
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the bool mask is set, in one dimension; both broadcast."""
    shape = broadcast_shapes(input.shape, mask.shape)
    x, m = (K.reshape(K.expand(v, shape), (-1,)) for v in (input, mask))
    return K.index_select(x, 0, K.reshape(K.nonzero_rows(m), (-1,)))


# -- distinct elements ---------------------------------------------------------------------------


def _runs(begins: Tensor, return_inverse: bool, return_counts: bool) -> tuple[Tensor, Any, Any]:
    """Of "here begins a new element": the places, the number of each element, and the lengths."""
    n = begins.shape[0]
    places = K.reshape(K.nonzero_rows(begins), (-1,))
    count = places.shape[0]
    inverse = K.sub(K.cumsum(begins, 0), 1) if return_inverse else None
    counts = None
    if return_counts:
        ends = K.cat(
            [
                K.narrow(places, 0, min(1, count), max(count - 1, 0)),
                K.full_like(K.narrow(places, 0, 0, min(1, count)), n),
            ],
            0,
        )
        counts = K.sub(ends, places)
    return places, inverse, counts


def _begins(x: Tensor) -> Tensor:
    """Whether each row differs from the one before; the first always does."""
    n = x.shape[0]
    if n == 0:
        return K.ne(K.storage_index(x, 0), 0)
    differs = K.ne(K.narrow(x, 0, 1, n - 1), K.narrow(x, 0, 0, n - 1))
    if x.ndim > 1:
        differs = K.any(K.reshape(differs, (n - 1, -1)), 1)
    return K.cat([K.eq(K.storage_index(x, 1), 0), differs], 0)


def _results(values: Tensor, inverse: Any, counts: Any) -> Any:
    found = (values, *(part for part in (inverse, counts) if part is not None))
    return found if len(found) > 1 else values


def _row_order(rows: Tensor) -> Tensor:
    """The order that sorts rows as words: by the first column, then the second, ..."""
    order = K.storage_index(rows, rows.shape[0])
    for column in range(rows.shape[1] - 1, -1, -1):
        keys = K.index_select(K.select(rows, 1, column), 0, order)
        order = K.index_select(order, 0, K.argsort(keys, 0))
    return order


@composite(
    custom(
        REAL,
        samples=lambda make: [
            (make(3, 4),),
            (make(8, low=0, high=4, integer=True), True, True, True),
            (make(4, 2, low=0, high=2, integer=True), True, True, True, 0),
            (make(2, 5, low=0, high=2, integer=True), True, False, True, 1),
            (make(0),),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    forward=False,
    outputs=0,
)
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: Any = None,
) -> Any:
    """The distinct elements (or slices along `dim`) in order.

    On request also where each element is among them, and how often each occurs.
    """
    for name, flag in (
        ("sorted", sorted),
        ("return_inverse", return_inverse),
        ("return_counts", return_counts),
    ):
        if isinstance(flag, Tensor):
            raise TypeError(f"unique(): argument '{name}' must be bool, not Tensor")
    x = K.reshape(input, (-1,)) if dim is None else K.movedim(input, dim, 0)
    n = x.shape[0]
    if dim is not None and n and not x.numel():
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
        )
    width = x.numel() // max(n, 1)
    order = K.argsort(x, 0) if dim is None else _row_order(K.reshape(x, (n, width)))
    x = K.index_select(x, 0, order)
    places, inverse, counts = _runs(_begins(x), return_inverse, return_counts)
    if inverse is not None:
        inverse = K.scatter_src(inverse, 0, order, inverse)
        inverse = K.reshape(inverse, tuple(input.shape)) if dim is None else inverse
    values = K.index_select(x, 0, places)
    return _results(values if dim is None else K.movedim(values, 0, dim), inverse, counts)


@composite(
    custom(
        REAL,
        samples=lambda make: [
            (make(8, low=0, high=2, integer=True), True, True),
            (make(6, 2, low=0, high=2, integer=True), True, True, 0),
            (make(0),),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    forward=False,
    outputs=0,
)
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The elements (or slices along `dim`) without those that equal the one before."""
    x = K.reshape(input, (-1,)) if dim is None else K.movedim(input, dim, 0)
    places, inverse, counts = _runs(_begins(x), return_inverse, return_counts)
    if inverse is not None and dim is None:
        inverse = K.reshape(inverse, tuple(input.shape))
    values = K.index_select(x, 0, places)
    return _results(values if dim is None else K.movedim(values, 0, dim), inverse, counts)


@composite(
    custom(
        REAL,
        samples=lambda make: [
            (make(3, 4, low=0, high=5, integer=True), make(3, low=0, high=5, integer=True)),
            (make(4), 2.0),
            (make(4), make(0)),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    method=False,
    keywords={"element": "elements", "test_element": "test_elements"},
    out=True,
)
def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Whether each element is among the test elements (or, inverted, is not)."""
    if not isinstance(test_elements, Tensor):
        return (K.ne if invert else K.eq)(elements, test_elements)
    tests = K.reshape(test_elements, (-1,))
    x = K.unsqueeze(elements, -1) if isinstance(elements, Tensor) else elements
    found = K.any(K.eq(x, tests), -1)
    return K.bitwise_not(found) if invert else found


# -- places in a sorted sequence -----------------------------------------------------------------


@composite(
    custom(
        REAL,
        samples=lambda make: [
            (make(4).sort()[0], make(2, 3), True),
            (make(2, 4).sort()[0], make(2, 3), False),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
)
def search_sorted(sequence: Tensor, values: Tensor, right: bool) -> Tensor:
    """How many elements of a sorted row are less than (right: not greater than) each value."""
    x = K.unsqueeze(values, -1)
    row = sequence if sequence.ndim == 1 else K.unsqueeze(sequence, -2)
    above = K.gt(row, x) if right else K.ge(row, x)
    return K.sum(K.bitwise_not(above), -1)


@composite(
    custom(
        REAL,
        samples=lambda make: [
            (make(5).sort()[0], make(2, 3)),
            (make(2, 5).sort()[0], make(2, 3), {"right": True}),
            (make(5).sort()[0], 0.5, {"side": "right"}),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    method=False,
    out=True,
)
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """Where each value would be inserted into a row sorted along the last dimension (int64).

    One sequence serves all values, or there is one for each row of them. `right` (or side="right"):
    behind equal elements.
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise RuntimeError(
            "searchsorted(): side can only be 'left' or 'right' and must agree with "
            f"right={right}, "
            f"but got side={side}"
        )
    if sorter is not None:
        if sorter.shape != sorted_sequence.shape:
            raise RuntimeError(
                "searchsorted(): boundary and sorter must have the same size, but got boundary "
                f"tensor {list(sorted_sequence.shape)} and got sorter tensor {list(sorter.shape)}"
            )
        sorted_sequence = K.gather(sorted_sequence, -1, sorter)
    if not isinstance(input, Tensor):
        # Weakly typed, as everywhere: a float among integers is compared as one.
        first = K.reshape(K.narrow(K.reshape(sorted_sequence, (-1,)), 0, 0, 0), (-1,))
        input = K.new_full(first, (), input, dtype=K.add(first, input).dtype)
    if sorted_sequence.ndim == 0 or (
        sorted_sequence.ndim > 1 and sorted_sequence.shape[:-1] != input.shape[:-1]
    ):
        raise RuntimeError(
            "searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of "
            "boundaries tensor and input value tensor must match, but got "
            f"{list(sorted_sequence.shape)}"
            f" and {list(input.shape)}"
        )
    found = K.search_sorted(sorted_sequence, input, right or side == "right")
    return K.cast(found, int32) if out_int32 else found


@composite(
    custom(
        REAL,
        samples=lambda make: [
            (make(2, 3), make(5).sort()[0]),
            (make(3), make(4).sort()[0], {"right": True}),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    out=True,
    method=False,
)
def bucketize(
    input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """The number of the bucket between sorted boundaries that each value falls into (int64)."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return K.searchsorted(boundaries, input, out_int32=out_int32, right=right)


# -- counts --------------------------------------------------------------------------------------


@composite(
    custom(
        DISCRETE,
        apart=("weights",),
        samples=lambda make: [
            (make(6, low=0, high=5, integer=True),),
            (make(6, low=0, high=5, integer=True), make(6), 8),
            (make(0, low=0, high=5, integer=True), None, 3),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    forward=False,
)
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often (or with what total weight) each number from 0 on occurs in a vector."""
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    n = input.shape[0]
    if n and K.amin(input).item() < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    size = max(minlength, K.amax(input).item() + 1 if n else 0)
    if weights is None:
        weights = K.ones_like(input, dtype=int64)
    elif weights.dtype.name not in ("float32", "float64"):
        weights = weights.double()
    zeros = K.new_zeros(weights, (size,))
    return K.scatter_add(zeros, 0, K.cast(input, int64), weights)


@composite(
    custom(FLOATING, samples=lambda make: [(make(20), 5), (make(20), 4, -1, 1)]),
    grad=NOT_DIFFERENTIABLE,
    out=True,
)
def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0) -> Tensor:
    """How many elements fall into each of `bins` equal parts of [min, max]; by default of all."""
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    if input.dtype.itemsize == 2:
        return K.cast(K.histc(K.cast(input, float32), bins, min, max), input.dtype)
    x = K.reshape(input, (-1,))
    if min == max and x.shape[0]:
        min, max = K.amin(x).item(), K.amax(x).item()
    if min == max:
        min, max = min - 1, max + 1
    if not (-float("inf") < min < max < float("inf")):
        raise RuntimeError(f"range of [{min}, {max}] is not finite, or max is less than min")
    inside = K.bitwise_and(K.ge(x, min), K.le(x, max))
    x = K.masked_select(x, inside)
    place = K.cast(K.floor(K.mul(K.sub(x, min), bins / (max - min))), int64)
    place = K.minimum(place, bins - 1)
    return K.scatter_add(K.new_zeros(x, (bins,)), 0, place, K.ones_like(x))
