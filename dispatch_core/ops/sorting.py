"""Order: sorting, the largest elements, medians and quantiles."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._families.base import FLOATING, REAL, REAL_NUMBERS
from dispatch_core._families.reduction import reduction, scan
from dispatch_core._op import K, composite, primitive
from dispatch_core._shapes import check_dim
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import kept_shape
from dispatch_core.ops._values import all_true
from dispatch_core.ops.reduce import _picked, _shared_input


@primitive(scan(REAL, index=True), grad=NOT_DIFFERENTIABLE)
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """The indices (int64) that sort a dimension; stable, and NaN is largest."""


def _permuted(K: Any, g: Any, index: Any, dim: int) -> Any:
    """The gradient of elements that were put in another order along a dimension."""
    return K.scatter_src(g, dim, index, g) if len(g.shape) else g


@composite(
    scan(REAL),
    grad={"input": lambda K, gs, out1, dim: _permuted(K, gs[0], out1, dim)},
    outputs=2,
    fields=("values", "indices"),
    out=True,
)
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The elements in order along a dimension, and where each was (int64); NaN is largest."""
    index = K.argsort(input, dim, descending)
    values = K.gather(input, dim, index) if input.ndim else K.clone(input)
    return K.sort.op.result_type(values, index)


@composite(scan(REAL, samples=lambda make: [(make(3, 4),), (make(4),)]), out=True)
def msort(input: Tensor) -> Tensor:
    """The elements in order along the first dimension."""
    return K.sort(input, 0)[0]


@composite(
    reduction(
        REAL_NUMBERS,
        samples=lambda make: [
            (make(3, 4), 2),
            (make(3, 4), 2, 0),
            (make(3, 4), 3, -1, False),
            (make(), 1),
        ],
    ),
    grad={
        "input": lambda K, gs, input_shape, out1, dim: _picked(
            K, gs[0], input_shape, out1, dim, True
        )
    },
    outputs=2,
    fields=("values", "indices"),
    out=True,
)
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) elements along a dimension, in order, and where they were."""
    at = check_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[at] if input.ndim else 1):
        raise RuntimeError(
            f"selected index k out of range: k={k} for dimension {dim} of shape {list(input.shape)}"
        )
    values, index = K.sort(input, at, largest)
    if input.ndim:
        values, index = (K.clone(K.narrow(part, at, 0, k)) for part in (values, index))
    return K.topk.op.result_type(values, index)


@composite(
    reduction(
        REAL,
        samples=lambda make: [(make(3, 4), 2), (make(3, 4), 1, 0, True), (make(), 1)],
    ),
    grad={
        "input": lambda K, gs, input_shape, out1, dim, keepdim: _picked(
            K, gs[0], input_shape, out1, dim, keepdim
        )
    },
    outputs=2,
    fields=("values", "indices"),
    out=True,
)
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along a dimension (k counts from 1), and where it was."""
    at = check_dim(dim, input.ndim)
    size = input.shape[at] if input.ndim else 1
    if not size:
        raise IndexError(f"kthvalue(): Expected reduction dim {at} to have non-zero size.")
    if not 1 <= k <= size:
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {dim}: got k={k} of {size}"
        )
    values, index = K.sort(input, at)
    return K.kthvalue.op.result_type(*_at_rank((values, index), at, k - 1, keepdim))


def _at_rank(parts: Any, dim: int, rank: int, keepdim: bool) -> Any:
    if not parts[0].ndim:
        return parts
    found = (K.clone(K.narrow(part, dim, rank, 1)) for part in parts)
    return tuple(found if keepdim else (K.squeeze(part, dim) for part in found))


# -- medians -------------------------------------------------------------------------------------


def _median(input: Tensor, dim: int, keepdim: bool, *, skip_nan: bool) -> Any:
    """The lower median along a dimension and its index; NaN (the first one) unless skipped."""
    at = check_dim(dim, input.ndim)
    if not input.ndim:
        return K.clone(input), K.storage_index(input, 1).reshape(())
    n = input.shape[at]
    if n == 0:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    values, index = K.sort(input, at)
    if not input.is_floating_point():
        return _at_rank((values, index), at, (n - 1) // 2, keepdim)
    nans = K.sum(K.isnan(input), at, True)
    middle = K.trunc_divide(K.sub(n - 1, nans), 2) if skip_nan else None
    rank = (
        K.maximum(middle, 0) if skip_nan else K.where(K.eq(nans, 0), (n - 1) // 2, K.sub(n, nans))
    )
    found = (K.gather(part, at, rank) for part in (values, index))
    return tuple(found if keepdim else (K.clone(K.squeeze(part, at)) for part in found))


def _picking(input: Any = REAL) -> Any:
    return reduction(
        input, samples=lambda make: [(make(3, 4), 0), (make(3, 5), -1, True), (make(), 0)]
    )


_PICKED = {
    "input": lambda K, gs, input_shape, out1, dim, keepdim: _picked(
        K, gs[0], input_shape, out1, dim, keepdim
    )
}


@composite(_picking(), grad=_PICKED, outputs=2, fields=("values", "indices"), namespace="_")
def median_dim(input: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The lower median along a dimension, and where it was."""
    return K.median_dim.op.result_type(*_median(input, dim, keepdim, skip_nan=False))


@composite(_picking(), grad=_PICKED, outputs=2, fields=("values", "indices"), namespace="_")
def nanmedian_dim(input: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The lower median of what is not NaN along a dimension, and where it was."""
    return K.nanmedian_dim.op.result_type(*_median(input, dim, keepdim, skip_nan=True))


@composite(
    reduction(REAL, samples=lambda make: [(make(3, 4),), (make(5),), (make(),)]),
    grad={"input": lambda K, g, input, out: _shared_input(K, g, input, out)},
    namespace="_",
)
def median_all(input: Tensor, skip_nan: bool = False) -> Tensor:
    """The lower median of all elements."""
    if not input.numel():
        return K.full_like(K.sum(input), float("nan"), dtype=input.dtype)
    return _median(K.reshape(input, (-1,)), 0, False, skip_nan=skip_nan)[0]


@composite(
    reduction(REAL, samples=lambda make: [(make(3, 4),), (make(3, 4), 0), (make(3, 5), -1, True)]),
    outputs=0,
    out=True,
)
def median(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The lower median of all elements; with `dim` along it, as (values, indices)."""
    return K.median_all(input) if dim is None else K.median_dim(input, dim, keepdim)


@composite(
    reduction(REAL, samples=lambda make: [(make(3, 4),), (make(3, 4), 0), (make(3, 5), -1, True)]),
    outputs=0,
    out=True,
)
def nanmedian(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """`median` of the elements that are not NaN."""
    return K.median_all(input, True) if dim is None else K.nanmedian_dim(input, dim, keepdim)


@composite(_picking(), grad=_PICKED, outputs=2, fields=("values", "indices"), out=True)
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent (of those the smallest) element along a dimension, and its last place."""
    at = check_dim(dim, input.ndim)
    if not input.ndim:
        return K.mode.op.result_type(K.clone(input), K.storage_index(input, 1).reshape(()))
    n = input.shape[at]
    if n == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    values, index = K.sort(K.movedim(input, at, -1), -1)
    places = K.storage_index(input, n)
    # The length of the run of equal elements that ends at each place.
    begins = K.ne(K.narrow(values, -1, 1, n - 1), K.narrow(values, -1, 0, n - 1))
    starts = K.cat(
        [K.zeros_like(K.narrow(index, -1, 0, 1)), K.mul(begins, K.narrow(places, 0, 1, n - 1))], -1
    )
    runs = K.sub(places, K.cummax(starts, -1)[0])
    best = K.argmax(runs, -1, True)
    found = (K.movedim(K.gather(part, -1, best), -1, at) for part in (values, index))
    return K.mode.op.result_type(
        *(part if keepdim else K.clone(K.squeeze(part, at)) for part in found)
    )


# -- quantiles -----------------------------------------------------------------------------------

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, input: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, *, skip_nan: bool
) -> Tensor:
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or "
            "nearest, but "
            f"got {interpolation}"
        )
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = K.full_like(K.sum(input), q)
    if q.dtype is not input.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if not all_true(K.bitwise_and(K.ge(q, 0), K.le(q, 1))):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    if q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if not input.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    shape = kept_shape(input.shape, dim)
    x = K.reshape(input, (-1,)) if dim is None else K.movedim(input, dim, -1)
    values = K.sort(x, -1)[0]
    n = x.shape[-1]
    nans = K.sum(K.isnan(x), -1, True)
    last = K.cast(K.sub(n - 1, nans), x.dtype)
    qs = K.reshape(q, (-1,))
    rank = K.mul(K.expand(qs, (*x.shape[:-1], qs.shape[0])), last if skip_nan else n - 1)
    rank = K.maximum(rank, 0.0) if skip_nan else K.where(K.eq(nans, 0), rank, float(n - 1))
    picked = _interpolated(values, rank, interpolation)
    if q.ndim:
        picked = K.movedim(picked, -1, 0)
        out = (qs.shape[0], *(shape if keepdim else _without(input.shape, dim)))
    else:
        out = shape if keepdim else _without(input.shape, dim)
    return K.reshape(picked, tuple(out))


def _without(shape: Any, dim: Any) -> tuple[int, ...]:
    if dim is None or not shape:
        return ()
    return tuple(n for i, n in enumerate(shape) if i != dim % len(shape))


def _interpolated(values: Tensor, rank: Tensor, interpolation: str) -> Tensor:
    if interpolation == "lower":
        rank = K.floor(rank)
    elif interpolation == "higher":
        rank = K.ceil(rank)
    elif interpolation == "nearest":
        rank = K.round(rank)
    below = K.floor(rank)
    low = K.gather(values, -1, K.cast(below, K.storage_index(rank, 0).dtype))
    if interpolation in ("lower", "higher", "nearest"):
        return low
    high = K.gather(values, -1, K.cast(K.ceil(rank), K.storage_index(rank, 0).dtype))
    return K.lerp(low, high, 0.5 if interpolation == "midpoint" else K.sub(rank, below))


def _ranked() -> Any:
    return reduction(
        FLOATING,
        halves=False,
        samples=lambda make: [
            (make(3, 4), 0.3),
            (make(3, 4), 0.5, 0),
            (make(3, 5), 0.25, -1, True),
            (make(3, 5), 0.3, 1, {"interpolation": "nearest"}),
            (make(3, 5), 0.3, 1, {"interpolation": "midpoint"}),
            (make(3, 5), make(2, low=0, high=1), 1),
        ],
    )


@composite(_ranked(), out=True)
def quantile(
    input: Tensor, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The values below which fractions `q` (a number or vector) lie; NaN where any element is."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation, skip_nan=False)


@composite(_ranked(), out=True)
def nanquantile(
    input: Tensor, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """`quantile` of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, skip_nan=True)
