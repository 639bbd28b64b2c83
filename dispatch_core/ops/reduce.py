"""Operators that sum, multiply, compare or scan over dimensions."""

from __future__ import annotations

from typing import Any

from dispatch_core._caller import warn
from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import get_default_dtype
from dispatch_core._families.base import FLOATING, INEXACT, REAL
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._families.reduction import reduction, scan
from dispatch_core._op import K, composite, primitive
from dispatch_core._shapes import check_dim, check_dims
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import count, expand_reduced, kept_shape


@primitive(
    reduction(widen=True),
    grad={
        "input": lambda K, g, input_shape, dim, keepdim: expand_reduced(
            K, g, input_shape, dim, keepdim
        )
    },
    out=True,
    handled=("dtype",),
)
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over all, one or several dimensions; integers are summed as int64."""
    return K.cast(K.sum(K.cast(input, dtype), dim, keepdim), dtype)


@composite(
    reduction(INEXACT),
    grad={
        "input": lambda K, g, input_shape, dim, keepdim: (
            expand_reduced(K, g, input_shape, dim, keepdim) / max(count(input_shape, dim), 1)
        )
    },
    out=True,
    handled=("dtype",),
)
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The arithmetic mean over all, one or several dimensions; NaN over no elements."""
    if dtype is not None:
        return K.mean(K.cast(input, dtype), dim, keepdim)
    total = K.sum(input, dim, keepdim)
    n = count(input.shape, dim)
    return total / n if n else total * float("nan")


@composite(
    reduction(widen=True),
    grad={"input": lambda K, g, input, dim, keepdim: _prod_input(K, g, input, dim, keepdim)},
    out=True,
    handled=("dtype",),
)
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product over all elements or one dimension; integers are multiplied as int64."""
    if dtype is not None:
        return K.cast(K.prod(K.cast(input, dtype), dim, keepdim), dtype)
    dims = check_dims(dim, input.ndim)
    shape = tuple(1 if d in dims else n for d, n in enumerate(input.shape))
    if len(dims) >= input.ndim:
        input, dims = K.reshape(input, (-1,)), (0,)
    for d in dims:
        n, products = input.shape[d], K.cumprod(input, d)
        input = K.narrow(products, d, n - 1, 1) if n else K.ones_like(K.sum(products, d, True))
    if not keepdim:
        shape = tuple(n for d, n in enumerate(shape) if d not in check_dims(dim, len(shape)))
    return K.clone(K.reshape(input, shape))


def _prod_input(K: Any, g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """Products of all other elements from both sides: exact also where elements are zero."""
    shape = input.shape
    if dim is None:
        flat = K.reshape(input, (-1,))
        return K.reshape(_prod_input(K, K.reshape(g, (1,)), flat, 0, True), shape)
    if not shape:
        return K.reshape(g, shape)
    if isinstance(dim, (tuple, list)):
        dim = dim or range(len(shape))
        return _prod_over_several(K, g, input, tuple(d % len(shape) for d in dim), keepdim)
    others = _exclusive(K, input, dim) * K.flip(_exclusive(K, K.flip(input, (dim,)), dim), (dim,))
    return expand_reduced(K, g, shape, dim, keepdim) * K.conj(others)


def _prod_over_several(K: Any, g: Any, input: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
    """As one dimension: the reduced ones are moved to the end and joined."""
    shape = input.shape
    order = (*(d for d in range(len(shape)) if d not in dims), *dims)
    moved = K.permute(input, order)
    kept = tuple(moved.shape[: len(shape) - len(dims)])
    joined = K.reshape(moved, (*kept, count(shape, dims)))
    grads = K.reshape(_prod_input(K, K.reshape(g, kept), joined, -1, False), moved.shape)
    back = [0] * len(order)
    for place, d in enumerate(order):
        back[d] = place
    return K.permute(grads, tuple(back))


def _exclusive(K: Any, value: Any, dim: int) -> Any:
    """The product of all elements before each."""
    n = value.shape[dim]
    ones = K.ones_like(K.narrow(value, dim, 0, min(n, 1)))
    return K.cat([ones, K.cumprod(K.narrow(value, dim, 0, max(n - 1, 0)), dim)], dim)


def _extreme_input(K: Any, g: Any, input: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient, shared evenly by all elements that equal the extreme."""
    shape = input.shape
    if not keepdim:
        out, g = (K.reshape(v, kept_shape(shape, dim)) for v in (out, g))
    hit = K.cast_like(K.eq(input, out), g)
    return hit * (g / K.sum(hit, dim, True))  # NaN everywhere, where NaN is the extreme


@primitive(
    reduction(REAL, nonempty=True),
    grad={
        "input": lambda K, g, input, out, dim, keepdim: _extreme_input(
            K, g, input, out, dim, keepdim
        )
    },
    out=True,
)
def amax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The largest element over all, one or several dimensions; equal ones share the gradient."""


@composite(
    reduction(REAL, nonempty=True),
    grad={
        "input": lambda K, g, input, out, dim, keepdim: _extreme_input(
            K, g, input, out, dim, keepdim
        )
    },
    out=True,
)
def amin(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The smallest element over all, one or several dimensions; equal ones share the gradient."""
    turned = _turned_order(input)
    return turned(K.amax(turned(input), dim, keepdim))


def _shared_input(K: Any, g: Any, input: Any, out: Any) -> Any:
    """The gradient of one element of all, shared evenly by those that equal it, as NaNs do here."""
    hit = (input == out) | ((input != input) & (out != out))
    return K.where(hit, g / K.sum(K.cast_like(hit, g)), 0.0)


@composite(
    reduction(REAL, nonempty=True, samples=lambda make: [(make(3, 4),), (make(),)]),
    grad={"input": lambda K, g, input, out: _shared_input(K, g, input, out)},
    namespace="_",
)
def max_all(input: Tensor) -> Tensor:
    """The largest of all elements; unlike `amax` its gradient goes to NaNs, if there are any."""
    return K.amax(input, None, False)


@composite(
    reduction(REAL, nonempty=True, samples=lambda make: [(make(3, 4),), (make(),)]),
    grad={"input": lambda K, g, input, out: _shared_input(K, g, input, out)},
    namespace="_",
)
def min_all(input: Tensor) -> Tensor:
    """The smallest of all elements; unlike `amin` its gradient goes to NaNs, if there are any."""
    return K.amin(input, None, False)


def _turned_order(input: Tensor) -> Any:
    """What exchanges smaller and larger, and is its own inverse: also for the least integer and bool."""
    return K.neg if input.is_floating_point() else K.bitwise_not


@composite(reduction(REAL, index=True, nonempty=True), grad=NOT_DIFFERENTIABLE, out=True)
def argmax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The index (int64) of the first largest element; over the flattened tensor without `dim`."""
    if not input.numel():
        K.argmax.op.family.check(K.argmax.op, (input, dim))
    largest = K.eq(input, K.amax(input, dim, True))
    if input.is_floating_point():
        largest = K.bitwise_or(largest, K.ne(input, input))
    if dim is None or not input.ndim:
        places = K.storage_index(input, input.numel())
        index = K.amin(K.where(K.reshape(largest, (-1,)), places, input.numel()))
        return K.reshape(index, (1,) * input.ndim) if keepdim else index
    at = check_dim(dim, input.ndim)
    n = input.shape[at]
    places = K.reshape(K.storage_index(input, n), (n, *(1 for _ in input.shape[at + 1 :])))
    return K.amin(K.where(largest, places, n), at, keepdim)


@composite(reduction(REAL, index=True, nonempty=True), grad=NOT_DIFFERENTIABLE, out=True)
def argmin(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The index (int64) of the first smallest element; over the flattened tensor without `dim`."""
    return K.argmax(_turned_order(input)(input), dim, keepdim)


@composite(reduction(truth=True), grad=NOT_DIFFERENTIABLE, out=True)
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are nonzero, of each by itself where `dim` is empty."""
    if _is_empty(dim):
        return _truth_like(input, K.ne(input, 0))
    return _truth_like(input, K.eq(K.sum(K.eq(input, 0), dim, keepdim), 0))


def _is_empty(dim: Any) -> bool:
    return isinstance(dim, (tuple, list)) and not dim


def _truth_like(input: Tensor, value: Tensor) -> Tensor:
    """PyTorch gives truth values of uint8 tensors as uint8."""
    return K.cast(value, input.dtype) if input.dtype.name == "uint8" else value


@composite(reduction(truth=True), grad=NOT_DIFFERENTIABLE, out=True)
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is nonzero, of each by itself where `dim` is empty."""
    if _is_empty(dim):
        return _truth_like(input, K.ne(input, 0))
    return _truth_like(input, K.ne(K.sum(K.ne(input, 0), dim, keepdim), 0))


def _picked(K: Any, g: Any, shape: Any, index: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient, put back where each value was picked from."""
    if not shape:
        return K.reshape(g, ())
    if not keepdim:
        g, index = K.unsqueeze(g, dim), K.unsqueeze(index, dim)
    return K.scatter_add(K.new_zeros(g, shape), dim, index, g)


def _found(op: Any, input: Tensor, index: Tensor, dim: int, keepdim: bool) -> Any:
    """The elements at an index along a dimension, and the index, as the results of an operator."""
    if not input.ndim:
        return op.result_type(K.clone(input), K.reshape(index, ()))
    found = K.gather(input, dim, index), index
    return op.result_type(*(t if keepdim else K.squeeze(t, dim).clone() for t in found))


@composite(
    reduction(
        REAL,
        nonempty=True,
        samples=lambda make: [(make(3, 4), 0), (make(3, 4), -1, True), (make(2, 3, 4), 1)],
    ),
    grad={
        "input": lambda K, gs, input_shape, out1, dim, keepdim: _picked(
            K, gs[0], input_shape, out1, dim, keepdim
        )
    },
    outputs=2,
    fields=("values", "indices"),
    namespace="_",
)
def max_dim(input: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The largest elements along one dimension, and their indices."""
    return _found(K.max_dim.op, input, K.argmax(input, dim, True), dim, keepdim)


@composite(
    reduction(
        REAL,
        nonempty=True,
        samples=lambda make: [(make(3, 4), 0), (make(3, 4), -1, True), (make(2, 3, 4), 1)],
    ),
    grad={
        "input": lambda K, gs, input_shape, out1, dim, keepdim: _picked(
            K, gs[0], input_shape, out1, dim, keepdim
        )
    },
    outputs=2,
    fields=("values", "indices"),
    namespace="_",
)
def min_dim(input: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The smallest elements along one dimension, and their indices."""
    return _found(K.min_dim.op, input, K.argmin(input, dim, True), dim, keepdim)


@primitive(
    scan(widen=True),
    inplace=True,
    grad={"input": lambda K, g, dim: K.flip(K.cumsum(K.flip(g, (dim,)), dim), (dim,))},
    out=True,
    handled=("dtype",),
)
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sums of all elements up to each one, along a dimension."""
    return K.cast(K.cumsum(K.cast(input, dtype), dim), dtype)


@primitive(
    scan(widen=True),
    inplace=True,
    grad={"input": lambda K, g, input, out, dim: _cumprod_input(K, g, input, out, dim)},
    out=True,
    handled=("dtype",),
)
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The products of all elements up to each one, along a dimension."""
    return K.cast(K.cumprod(K.cast(input, dtype), dim), dtype)


def _cumprod_input(K: Any, g: Any, input: Any, out: Any, dim: int) -> Any:
    """Sum over j >= i of g_j out_j / x_i, with the quotients formed as products so that zeros work."""
    shape = input.shape
    if not shape or shape[dim] == 0:
        return g
    n = shape[dim]
    total = None
    before = _exclusive(K, input, dim)
    for i in range(n):
        # The products of elements i+1 .. j for all j >= i, times those before i.
        tail = K.narrow(input, dim, i, n - i)
        ones = K.ones_like(K.narrow(input, dim, 0, 1))
        after = K.cumprod(K.cat([ones, K.narrow(tail, dim, 1, n - i - 1)], dim), dim)
        at = K.narrow(g, dim, i, n - i) * K.conj(after * K.narrow(before, dim, i, 1))
        part = K.sum(at, dim, True)
        total = [part] if total is None else [*total, part]
    return K.cat(total, dim)


@composite(
    reduction(
        floats=True,
        samples=lambda make: [(make(3, 4), 0), (make(3, 4), (0, 1), True), (make(), 0)],
    ),
    grad={
        "input": lambda K, g, input, out, dim, keepdim: _logsumexp_input(
            K, g, input, out, dim, keepdim
        )
    },
    out=True,
    aliases=("special.logsumexp",),
)
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))) without overflow."""
    if not input.is_floating_point() and not input.is_complex():
        input = K.cast(input, get_default_dtype())
    if not count(input.shape, dim):
        return K.log(K.sum(input, dim, keepdim))
    largest = K.amax(K.real(input), dim, True)
    largest = K.where(K.isinf(largest), 0.0, largest)
    total = K.log(K.sum(K.exp(input - largest), dim, True)) + largest
    return total if keepdim else K.reshape(total, K.sum(total, dim, False).shape)


def _logsumexp_input(K: Any, g: Any, input: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    shape = input.shape
    if not keepdim:
        g, out = (K.reshape(v, kept_shape(shape, dim)) for v in (g, out))
    return g * K.conj(K.exp(input - out))


def _spread_samples(make: Any) -> list[Any]:
    x = make(3, 4)
    return [(x,), (x, 0), (x, (0, 1), True, True), (make(2, 3, 4), -1), (x, 0, {"correction": 2})]


@composite(reduction(INEXACT, real=True, samples=_spread_samples), out=True, method=True)
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Tensor:
    """The variance, divided by n - correction (default 1; `unbiased=False` means 0)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    n = count(input.shape, dim)
    d = input - K.mean(input, dim, True)
    squares = K.real(d * K.conj(d)) if input.is_complex() else d * d
    total = K.sum(squares, dim, keepdim)
    rest = n - correction
    if rest <= 0:
        warn(
            "var(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
            f"factor (input numel divided by output numel), {n}; got {correction}"
        )
    return total / rest if rest > 0 else total * (float("nan") if n <= 1 else float("inf"))


@composite(reduction(INEXACT, real=True, samples=_spread_samples), out=True, method=True)
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Tensor:
    """The standard deviation; see `var`. Where it is zero, so is its gradient."""
    return K.root_of_variance(K.var(input, dim, unbiased, keepdim, correction=correction))


@composite(
    pointwise(SAME, FLOATING, domain=(0.2, 3.0)),
    grad={"input": lambda K, g, out: K.where(out == 0, 0.0, g / (out * 2))},
    namespace="_",
    inplace=False,
)
def root_of_variance(input: Tensor) -> Tensor:
    """The square root, whose gradient at zero is zero."""
    return K.sqrt(input)


@composite(reduction(counts=True), out=False, grad=NOT_DIFFERENTIABLE)
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are nonzero, over all, one or several dimensions."""
    return K.sum(K.ne(input, 0), dim)
