"""Functions that look elements up: searching, sets, sorting, indexing."""

from __future__ import annotations

from typing import Any, NamedTuple

from dispatch_core._dtypes import bool_, int64
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._axes import reducing
from dispatch_core.array_api._names import renamed, standard
from dispatch_core.array_api._promotion import admitted, together

renamed(
    "real-valued",
    {
        "argmax(x, /, *, axis=None, keepdims=False)": "argmax(x, axis, keepdims)",
        "argmin(x, /, *, axis=None, keepdims=False)": "argmin(x, axis, keepdims)",
        "argsort(x, /, *, axis=-1, descending=False, stable=True)": (
            "argsort(x, axis, descending, stable=stable)"
        ),
    },
)


# -- searching --------------------------------------------------------------------------------------------


@standard()
def count_nonzero(x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero."""
    counted = K.ne(admitted("count_nonzero", "any", x), 0)
    return K.sum(*reducing(counted, axis, keepdims), dtype=int64)


@standard()
def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Where the elements are that are not zero: for each dimension, their indices.

    Raises:
        ValueError: the array has no dimensions.

    """
    if not admitted("nonzero", "any", x).ndim:
        raise ValueError(
            "nonzero() takes arrays with at least one dimension; reshape it to (1,) first"
        )
    return tuple(K.nonzero(x, as_tuple=True))


@standard()
def searchsorted(
    x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Where each of `x2` would have to be inserted into `x1`, which is sorted or sorted by `sorter`."""
    x1, x2 = together("searchsorted", "real-valued", x1, x2)
    if sorter is not None:
        x1 = K.index_select(x1, 0, sorter.long())
    found = K.searchsorted(x1, K.reshape(x2, (-1,)), side=side)
    return K.reshape(found, tuple(x2.shape))


@standard()
def where(condition: Tensor, x1: Any, x2: Any, /) -> Tensor:
    """Elements of `x1` where the condition holds, of `x2` elsewhere."""
    admitted("where", "boolean", condition)
    if not isinstance(x1, Tensor) and not isinstance(x2, Tensor):
        return K.where(condition, x1, x2)
    return K.where(condition, *together("where", "any", x1, x2))


# -- sorting ----------------------------------------------------------------------------------------------


@standard()
def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along an axis."""
    return K.sort(admitted("sort", "real-valued", x), axis, descending, stable)[0]


# -- indexing ---------------------------------------------------------------------------------------------


@standard()
def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The elements at the indices along an axis, which only one-dimensional arrays may leave out."""
    admitted("take", "any", x)
    admitted("take", "integer", indices)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take() takes an axis for an array of {x.ndim} dimensions")
        axis = 0
    axis %= x.ndim
    found = K.index_select(x, axis, _from_zero(K.reshape(indices, (-1,)), x.shape[axis]))
    if indices.ndim == 1:
        return found
    return K.reshape(found, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _from_zero(indices: Tensor, size: int) -> Tensor:
    indices = indices.long()
    return K.where(K.lt(indices, 0), K.add(indices, size), indices)


@standard()
def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """For each place, the element along the axis that the index there names."""
    admitted("take_along_axis", "integer", indices)
    axis %= admitted("take_along_axis", "any", x).ndim
    return K.take_along_dim(x, _from_zero(indices, x.shape[axis]), axis)


# -- sets -------------------------------------------------------------------------------------------------


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


@standard()
def unique_all(x: Tensor, /) -> UniqueAll:
    """The distinct elements in order, where each is first, which one each element is, and how often.

    NaN is distinct from itself; the two zeros are not distinct.
    """
    flat = K.reshape(admitted("unique_all", "any", x), (-1,))
    order = _order(flat)
    ordered = K.index_select(flat, 0, order)
    count = flat.shape[0]
    first = K.ones((count,), dtype=bool_, device=flat.device)
    if count > 1:
        first = K.cat([first[:1], K.ne(ordered[1:], ordered[:-1])], 0)
    starts = K.reshape(K.nonzero(first), (-1,))
    which = K.sub(K.cumsum(first.long(), 0), 1)
    inverse = K.scatter(K.zeros_like(order), 0, order, which)
    ends = K.cat([starts[1:], K.full((min(count, 1),), count, dtype=int64, device=flat.device)], 0)
    return UniqueAll(
        K.index_select(ordered, 0, starts),
        K.index_select(order, 0, starts),
        K.reshape(inverse, tuple(x.shape)),
        K.sub(ends, starts),
    )


def _order(flat: Tensor) -> Tensor:
    """The stable order of the elements; complex ones by real part, then by imaginary part."""
    if not flat.dtype.is_complex:
        return K.argsort(flat, 0, stable=True)
    order = K.argsort(K.imag(flat), 0, stable=True)
    by_real = K.argsort(K.index_select(K.real(flat), 0, order), 0, stable=True)
    return K.index_select(order, 0, by_real)


@standard()
def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The distinct elements in order, and how often each stands there."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


@standard()
def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The distinct elements in order, and which of them each element is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


@standard()
def unique_values(x: Tensor, /) -> Tensor:
    """The distinct elements in order."""
    return unique_all(x).values


@standard()
def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is one of `x2`."""
    x1, x2 = together("isin", "integer", x1, x2)
    return K.isin(x1, x2, invert=invert)
