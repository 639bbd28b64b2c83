"""Picking and writing by index in the many forms that PyTorch has for it."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int32, int64
from dispatch_core._families.others import indexing
from dispatch_core._indexing import parse
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes, check_dim, check_index_shape
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops.create import as_element
from dispatch_core.ops.index import _index_of, check_places, check_slices

# -- flat indices --------------------------------------------------------------------------------


def _wrapped(name: str, index: Tensor, size: int) -> Tensor:
    """Flat indices counted from the front; IndexError where one is out of range."""
    check_places(name, index, size, -size)
    return K.where(K.lt(index, 0), K.add(index, size), index)


@composite(
    indexing(
        apart=("index",),
        places=(int64,),
        samples=lambda make: [(make(3, 4), _index_of(make, 2, 2, high=12))],
    ),
    out=True,
)
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at the places of the flattened tensor that `index` names, in its shape."""
    flat = _wrapped("take", K.reshape(index, (-1,)), input.numel())
    return K.reshape(K.index_select(K.reshape(input, (-1,)), 0, flat), tuple(index.shape))


@composite(
    indexing(
        apart=("index",),
        inplace=True,
        places=(int64,),
        samples=lambda make: [
            (make(3, 4), make(3, low=0, high=1, integer=True) * 2, make(3), True),
        ],
    ),
)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """The tensor with `source` written (or added) at places of the flattened tensor."""
    if source.numel() != index.numel():
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.numel()}, index.numel() = {index.numel()}"
        )
    flat = _wrapped("put", K.reshape(index, (-1,)), input.numel())
    write = K.scatter_add if accumulate else K.scatter_src
    done = write(K.reshape(input, (-1,)), 0, flat, K.reshape(source, (-1,)))
    return K.reshape(done, tuple(input.shape))


@composite(
    indexing(
        apart=("indices",),
        samples=lambda make: [
            (make(3, 4), _index_of(make, 3, 2, high=4), 1),
            (make(3, 4), _index_of(make, 1, 2, high=3), -1),
            (make(3, 4), _index_of(make, 5, high=12)),
        ],
    ),
    out=True,
)
def take_along_dim(input: Tensor, indices: Tensor, dim: Any = None) -> Tensor:
    """`gather` with the other dimensions broadcast; of the flattened tensor without `dim`."""
    if dim is None:
        return K.gather(K.reshape(input, (-1,)), 0, K.reshape(indices, (-1,)))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    at = check_dim(dim, input.ndim)
    shape = list(
        broadcast_shapes(
            [1 if d == at else n for d, n in enumerate(input.shape)],
            [1 if d == at else n for d, n in enumerate(indices.shape)],
        )
    )
    wide_input, wide_indices = (
        K.expand(x, tuple(x.shape[at] if d == at else n for d, n in enumerate(shape)))
        for x in (input, indices)
    )
    return K.gather(wide_input, at, wide_indices)


# -- slices along a dimension --------------------------------------------------------------------


def _spread(index: Tensor, dim: int, shape: Any) -> Tensor:
    """A 1-d index of slices, as the index of all their elements."""
    place = [1] * len(shape)
    place[dim] = index.numel()
    wide = list(shape)
    wide[dim] = index.numel()
    return K.expand(K.reshape(index, tuple(place)), tuple(wide))


@composite(
    indexing(
        apart=("index",),
        inplace=True,
        places=(int64,),
        misplaced=IndexError,
        samples=lambda make: [
            (make(3, 4), 0, _index_of(make, 2, high=3), 2.5),
            (make(3, 4), 1, _index_of(make, 1, high=4), make()),
        ],
    ),
    out=True,
)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """The tensor with a value (a number or 0-d tensor) in the slices that a 1-d index names."""
    if index.ndim > 1:
        raise RuntimeError(
            f"index_fill_(): Index has to be a vector/scalar, but got dim: {index.ndim}"
        )
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    given = value.is_complex() if isinstance(value, Tensor) else isinstance(value, complex)
    if given and not input.is_complex():
        raise RuntimeError(
            f"index_fill_(): a complex value does not fit {input.dtype}; give its real part"
        )
    at = check_dim(dim, input.ndim)
    if not input.ndim:
        return K.reshape(K.index_fill(K.reshape(input, (1,)), 0, index, value), ())
    size = input.shape[at]
    where = K.reshape(_wrapped("index_fill_", index, size), (-1,))
    named = K.scatter_src(K.new_zeros(where, (size,)), 0, where, K.ones_like(where))
    named = K.reshape(K.ne(named, 0), (size,) + (1,) * (input.ndim - 1 - at))
    value = as_element(value, input.dtype)
    if not isinstance(value, Tensor):
        value = K.new_full(input, (), value)
    return K.where(named, value, input)


@composite(
    indexing(
        apart=("index",),
        inplace=True,
        places=(int64,),
        samples=lambda make: [
            (make(5, 4), 0, make(2, low=1, high=2, integer=True).cumsum(0), make(2, 4))
        ],
    ),
    out=True,
)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The tensor with the slices of `source` written where a 1-d index says."""
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index is supposed to be a vector, got dim: {index.ndim}")
    at = check_dim(dim, input.ndim)
    if not input.ndim and source.ndim < 2:
        return K.reshape(
            K.index_copy(K.reshape(input, (1,)), 0, index, K.reshape(source, (-1,))), ()
        )
    if not source.ndim:
        source = K.reshape(source, (1,) * input.ndim)
    wanted = [index.numel() if d == at else n for d, n in enumerate(input.shape)]
    if list(source.shape) != wanted:
        own = source.ndim == len(wanted) and source.shape[at] == index.numel()
        raise (RuntimeError if own else IndexError)(
            f"index_copy_(): Number of indices ({index.numel()}) should be equal to source.size(dim), "
            f"expected a source of shape {wanted} for dim {at}, got {list(source.shape)}"
        )
    check_places("index_copy_", index, input.shape[at])
    return K.scatter_src(input, at, _spread(index, at, input.shape), source)


# -- tuples of indices and masks -----------------------------------------------------------------


@composite(
    indexing(
        inplace=True,
        samples=lambda make: [
            (make(3, 4), (_index_of(make, 2, high=3),), make(2, 4), True),
            (make(3, 4), (_index_of(make, 1, high=3), _index_of(make, 1, high=4)), make(1)),
        ],
    )
)
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """The tensor with `values` written (or added) at a tuple of indices.

    They are integer or bool tensors, or None for a whole dimension.
    """
    items = tuple(slice(None) if i is None else i for i in indices)
    _, tensors, dims = parse(input, items)
    if not dims:
        return K.add(input, values) if accumulate else K.copy(input, values)
    return K.index_put_at(input, tensors, values, dims, accumulate)


@composite(
    indexing(
        truths=("mask",),
        inplace=True,
        samples=lambda make: [
            (make(3, 4), make(3, 4, boolean=True), make(12)),
            (make(3, 4), make(4, boolean=True), make(3, 4)),
        ],
    )
)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The tensor with the elements of `source`, one after another, where the bool mask is set."""
    shape = broadcast_shapes(input.shape, mask.shape)
    input = K.expand(input, shape)
    flat = K.reshape(K.expand(mask, shape), (-1,))
    places = K.reshape(K.nonzero_rows(flat), (-1,))
    count = places.shape[0]
    if count > source.numel():
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes and the source at "
            "least as "
            f"many elements as the mask has ones: {source.numel()} < {count}"
        )
    part = K.narrow(K.reshape(source, (-1,)), 0, 0, count)
    return K.reshape(K.scatter_src(K.reshape(input, (-1,)), 0, places, part), shape)


# -- scatter with a reduction --------------------------------------------------------------------


def _scatter_samples(make: Any) -> list[Any]:
    ways = ["sum", "prod"]
    if make.dtype.name != "bool":
        ways.append("mean")
    if not make.dtype.is_complex:
        ways += ["amax", "amin"]
    index = _index_of(make, 3, 4, high=3)
    return [
        (make(3, 4), 0, index, make(3, 4), how, {"include_self": own})
        for how in ways
        for own in (True, False)
    ]


@composite(indexing(apart=("index",), inplace=True, samples=_scatter_samples), out=True)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """The elements of `src` combined (sum, prod, mean, amax, amin) where `index` sends them.

    With what was there if `include_self`.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}."
        )
    if index.numel() and index.dtype not in (int32, int64):
        raise RuntimeError(
            f"scatter_reduce(): expected an index of int32 or int64, got {index.dtype}"
        )
    check_index_shape(input.shape, dim, index.shape, src.shape)
    if not index.numel():
        return K.clone(input)
    if not (input.ndim and index.ndim and src.ndim):  # these count as vectors
        x, index, src = (t if t.ndim else K.reshape(t, (1,)) for t in (input, index, src))
        found = K.scatter_reduce(x, dim, index, src, reduce, include_self=include_self)
        return K.reshape(found, input.shape)
    part = K.narrow_like(src, index)
    if reduce in ("sum", "mean"):
        hit = K.ones_like(index)
        base = input if include_self else K.scatter_src(input, dim, index, K.zeros_like(part))
        total = K.scatter_add(base, dim, index, part)
        if reduce == "sum":
            return total
        start = K.full_like(input, int(include_self), dtype=int64)
        count = K.scatter_add(start, dim, index, hit)
        count = K.cast(K.maximum(count, 1), input.dtype)
        inexact = input.is_floating_point() or input.is_complex()
        return (K.div if inexact else K.floor_divide)(total, count)
    return K.scatter_combine(input, dim, index, part, reduce, include_self)


@composite(
    indexing(apart=("index",), samples=lambda make: [(make(3, 4), _index_of(make, 2, 4, high=3))]),
    namespace="_",
)
def narrow_like(input: Tensor, index: Tensor) -> Tensor:
    """The leading part of each dimension that an index covers."""
    return K.basic_index(input, tuple(slice(0, n) for n in index.shape))


def _combine_gradients(
    K: Any,
    g: Any,
    input: Any,
    dim: int,
    index: Any,
    src: Any,
    reduce: str,
    include_self: bool,
    out: Any,
) -> tuple[Any, Any]:
    zero = K.zeros_like(input)
    untouched = K.eq(K.scatter_add(zero, dim, index, K.ones_like(src)), 0)
    own = K.where(untouched, g, 0.0)
    if reduce == "prod":
        return _prod_gradients(K, g, input, dim, index, src, include_self, own)
    there = K.gather(out, dim, index)
    hits = K.cast_like(K.eq(src, there), src)
    mine = K.cast_like(K.eq(input, out), input)
    if not include_self:
        mine = K.where(untouched, mine, 0.0)
    share = g / K.maximum(K.scatter_add(mine, dim, index, hits), 1.0)
    return mine * share, hits * K.gather(share, dim, index)


def _prod_gradients(
    K: Any, g: Any, input: Any, dim: int, index: Any, src: Any, include_self: bool, own: Any
) -> tuple[Any, Any]:
    """Products of all the other factors: from nonzero ones, and right with one or more zeros."""
    start = input if include_self else K.scatter_src(input, dim, index, K.ones_like(src))
    zeros_here = K.cast_like(K.eq(start, 0), start)
    zeros_sent = K.cast_like(K.eq(src, 0), src)
    zeros = K.scatter_add(zeros_here, dim, index, zeros_sent)
    bare = K.scatter_combine(
        K.where(K.eq(start, 0), 1.0, start),
        dim,
        index,
        K.where(K.eq(src, 0), 1.0, src),
        "prod",
        True,
    )

    def others(value: Any, bare: Any, zeros: Any) -> Any:
        zero = K.eq(value, 0)
        rest = zeros - K.cast_like(zero, zeros)
        product = bare / K.where(zero, 1.0, value)
        return K.conj(K.where(K.eq(rest, 0), product, 0.0))

    first = g * others(start, bare, zeros) if include_self else own
    second = K.gather(g, dim, index) * others(
        src, K.gather(bare, dim, index), K.gather(zeros, dim, index)
    )
    return first, second


@composite(
    indexing(
        apart=("index",),
        samples=lambda make: [
            (make(3, 4), 0, _index_of(make, 5, 4, high=3), make(5, 4), "prod", own)
            for own in (True, False)
        ],
    ),
    grad={
        ("input", "src"): lambda K, g, input, dim, index, src, reduce, include_self, out: (
            _combine_gradients(K, g, input, dim, index, src, reduce, include_self, out)
        ),
        "index": NOT_DIFFERENTIABLE,
    },
    namespace="_",
)
def scatter_combine(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool
) -> Tensor:
    """Products or extremes of what is sent to the same place, in rounds of one element a place."""
    join = {"prod": K.mul, "amax": K.maximum, "amin": K.minimum}[reduce]
    d = check_dim(dim, input.ndim)
    check_places("scatter_reduce", index, input.shape[d], error=RuntimeError)
    # Sorted by place, the rank of an element is its distance from the first of its place.
    order = K.argsort(index, d)
    target, values = K.gather(index, d, order), K.gather(src, d, order)
    n = index.shape[d]
    shape = [1] * index.ndim
    shape[d] = n
    places = K.reshape(K.storage_index(index, n), tuple(shape))
    new = K.ne(K.narrow(target, d, 1, n - 1), K.narrow(target, d, 0, n - 1))
    starts = K.cat(
        [K.zeros_like(K.narrow(target, d, 0, 1)), K.mul(new, K.narrow(places, d, 1, n - 1))], d
    )
    rank = K.sub(places, K.cummax(starts, d)[0])
    # A row more than needed takes what does not belong to the round.
    spare = K.zeros_like(K.narrow(input, d, 0, 1))
    result = K.cat([input, spare], d)
    size = input.shape[d]
    for r in range(int(K.amax(rank).item()) + 1):
        now = K.where(K.eq(rank, r), target, size)
        there = K.gather(result, d, now)
        joined = values if r == 0 and not include_self else join(there, values)
        result = K.scatter_src(result, d, now, joined)
    return K.clone(K.narrow(result, d, 0, size))


@composite(
    indexing(
        apart=("index",),
        inplace=True,
        places=(int32, int64),
        samples=lambda make: [(make(3, 4), 0, _index_of(make, 5, high=3), make(5, 4), "prod")],
    ),
    out=True,
)
def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """The slices of `source` combined (prod, mean, amax, amin) where a 1-d index sends them."""
    at = check_dim(dim, input.ndim)
    check_slices("index_reduce", input, at, index, source)
    check_places("index_reduce", index, input.shape[at] if input.ndim else 1)
    if not input.ndim:
        return K.scatter_reduce(
            input, 0, index, K.reshape(source, index.shape), reduce, include_self=include_self
        )
    return K.scatter_reduce(
        input, at, _spread(index, at, source.shape), source, reduce, include_self=include_self
    )
