"""The smallest and largest: `max` and `min` in all their forms, and limits for each element."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import REAL
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._families.reduction import reduction
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number


def _samples(make: Any) -> list[Any]:
    return [
        (make(3, 4),),
        (make(3, 4), 0),
        (make(3, 4), -1, True),
        (make(3, 4), make(4)),
        (make(),),
    ]


def _either(
    whole: Any, along: Any, pair: Any, input: Any, dim: Any, keepdim: Any, other: Any
) -> Any:
    if other is not None or isinstance(dim, Tensor):
        return pair(input, dim if other is None else other)
    return whole(input) if dim is None else along(input, dim, keepdim)


@composite(reduction(REAL, samples=_samples), outputs=0, out=True)
def max(input: Tensor, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
    """The largest element; with `dim` along it, as (values, indices).

    With another tensor the larger of each two elements.
    """
    if dim.__class__ is int and other is None:
        return K.max_dim(input, dim, keepdim)
    return _either(K.max_all, K.max_dim, K.maximum, input, dim, keepdim, other)


@composite(reduction(REAL, samples=_samples), outputs=0, out=True)
def min(input: Tensor, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
    """The smallest element; with `dim` along it, as (values, indices).

    With another tensor the smaller of each two elements.
    """
    if dim.__class__ is int and other is None:
        return K.min_dim(input, dim, keepdim)
    return _either(K.min_all, K.min_dim, K.minimum, input, dim, keepdim, other)


@composite(
    reduction(
        REAL,
        samples=lambda make: [
            (make(3, 4),),
            (make(3, 4), {"dim": 0}),
            (make(3, 4), {"dim": 1, "keepdim": True}),
        ],
    ),
    outputs=2,
    fields=("min", "max"),
    out=True,
)
def aminmax(input: Tensor, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element, of all or along one dimension."""
    return K.aminmax.op.result_type(K.amin(input, dim, keepdim), K.amax(input, dim, keepdim))


# -- limits --------------------------------------------------------------------------------------


def _inside(K: Any, input: Any, min: Any, max: Any) -> Any:
    above = None if min is None else K.ge(input, min)
    below = None if max is None else K.le(input, max)
    if above is None or below is None:
        return below if above is None else above
    return K.bitwise_and(above, below)


def _clamp_bound(K: Any, g: Any, input: Any, min: Any, max: Any, *, lower: bool) -> Any:
    """The gradient of a bound: that of the elements it replaces; the upper one goes first."""
    if lower:
        hit = K.lt(input, min)
        return K.where(hit if max is None else K.bitwise_and(hit, K.le(min, max)), g, 0.0)
    hit = K.gt(input, max)
    return K.where(hit if min is None else K.bitwise_or(hit, K.gt(min, max)), g, 0.0)


@composite(
    pointwise(
        SAME,
        REAL,
        samples=lambda make: [
            (make(3, 4), -0.5, 0.5),
            (make(3, 4), None, 0.5),
            (make(3, 4), 0.2),
            (make(), 0, 1),
            (make(3, 4), make(4), make(3, 1)),
            (make(3, 4), make(3, 4)),
            (make(0, 3), 0, 1),
        ],
    ),
    grad={
        "input": lambda K, g, input, min, max: K.where(_inside(K, input, min, max), g, 0.0),
        "min": lambda K, g, input, min, max: _clamp_bound(K, g, input, min, max, lower=True),
        "max": lambda K, g, input, min, max: _clamp_bound(K, g, input, min, max, lower=False),
    },
    aliases=("clip",),
    out=True,
)
def clamp(
    input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None
) -> Tensor:
    """Each element, not below `min` nor above `max` (numbers or tensors; one may be missing)."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    x = input if min is None else K.maximum(input, min)
    return x if max is None else K.minimum(x, max)


@composite(
    pointwise(SAME, REAL, samples=lambda make: [(make(3, 4), 0.5), (make(3, 4), make(4))]), out=True
)
def clamp_min(input: Tensor, min: Tensor | Number) -> Tensor:
    """Each element, but not below `min`."""
    return K.clamp(input, min, None)


@composite(
    pointwise(SAME, REAL, samples=lambda make: [(make(3, 4), 0.5), (make(3, 4), make(4))]), out=True
)
def clamp_max(input: Tensor, max: Tensor | Number) -> Tensor:
    """Each element, but not above `max`."""
    return K.clamp(input, None, max)


def _unless_nan(K: Any, g: Any, mine: Any, other: Any, hit: Any) -> Any:
    return K.where(K.bitwise_or(hit, K.ne(other, other)), g, 0.0)


@composite(
    pointwise(SAME, REAL, inplace=False),
    grad={
        "input": lambda K, g, input, other: _unless_nan(K, g, input, other, K.ge(input, other)),
        "other": lambda K, g, input, other: K.where(
            K.bitwise_or(K.ge(input, other), K.ne(other, other)), 0.0, g
        ),
    },
    out=True,
)
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements; where one is NaN, the other."""
    larger = K.maximum(input, other)
    return K.where(K.ne(input, input), other, K.where(K.ne(other, other), input, larger))


@composite(
    pointwise(SAME, REAL, inplace=False),
    grad={
        "input": lambda K, g, input, other: _unless_nan(K, g, input, other, K.le(input, other)),
        "other": lambda K, g, input, other: K.where(
            K.bitwise_or(K.le(input, other), K.ne(other, other)), 0.0, g
        ),
    },
    out=True,
)
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements; where one is NaN, the other."""
    smaller = K.minimum(input, other)
    return K.where(K.ne(input, input), other, K.where(K.ne(other, other), input, smaller))
