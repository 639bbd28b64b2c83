"""Reading and writing elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int32, int64
from dispatch_core._families.base import REAL
from dispatch_core._families.others import custom, indexing
from dispatch_core._numbers import fitting
from dispatch_core._op import K, Number, composite, primitive
from dispatch_core._shapes import check_dim, check_index_shape
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import value_range
from dispatch_core.ops.batching import indexed, refused, selected, written


def _index_of(make: Any, *shape: int, high: int) -> Any:
    """Sample indices below `high`."""
    return make(*shape, low=0, high=high, integer=True)


def _from_source(K: Any, g: Any, dim: int, index: Any, shape: Any) -> Any:
    """The gradients of the elements that an index takes from a source; 0 for what lies beyond it."""
    found = K.gather(g, dim, index)
    if len(found.shape) != len(shape):  # one of them has none, and counts as a vector
        found = K.reshape(found, (1,) * len(shape))
    for d, size in enumerate(shape):
        lacking = size - found.shape[d]
        if lacking:
            zeros = K.new_zeros(found, (*found.shape[:d], lacking, *found.shape[d + 1 :]))
            found = K.cat([found, zeros], d)
    return found


def _check_index(input: Tensor, dim: int, index: Tensor, src: Tensor | None = None) -> None:
    """RuntimeError where `index` cannot select along a dimension, or write `src` there.

    A device that has no values asks with its arrays, of which shapes and dtypes are looked at.
    """
    check_dim(dim, input.ndim)
    if 0 in index.shape:
        return
    if index.dtype not in (int32, int64):
        raise RuntimeError(f"Expected dtype int32/int64 for index, but got {index.dtype.name}")
    at = check_index_shape(input.shape, dim, index.shape, None if src is None else src.shape)
    size = input.shape[at] if input.ndim else 1
    found = value_range(index) if isinstance(index, Tensor) else None
    if found is not None and (found[0] < 0 or found[1] >= size):
        wrong = found[0] if found[0] < 0 else found[1]
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {at} with size {size}")


@primitive(
    indexing(
        rule=_check_index,
        apart=("index",),
        samples=lambda make: [
            (make(3, 4), 1, _index_of(make, 3, 2, high=4)),
            (make(3, 4), 0, _index_of(make, 2, 4, high=3)),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, dim, index: K.scatter_add(
            K.new_zeros(g, input_shape), dim, index, g
        ),
        "index": NOT_DIFFERENTIABLE,
    },
    out=True,
    handled=("sparse_grad",),
)
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and likewise for other dimensions."""
    return K.gather(input, dim, index)


@primitive(
    indexing(
        apart=("index",),
        inplace=True,
        places=(int32, int64),
        rule=_check_index,
        samples=lambda make: [
            (make(3, 4), 1, _index_of(make, 3, 2, high=4), make(3, 2)),
            (make(3, 4), 0, _index_of(make, 5, 4, high=3), make(5, 4)),
        ],
    ),
    grad={
        "input": lambda g: g,
        "index": NOT_DIFFERENTIABLE,
        "src": lambda K, g, dim, index, src_shape: _from_source(K, g, dim, index, src_shape),
    },
    out=True,
)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src[i][j] added at [index[i][j]][j] for dim 0; equal places accumulate."""


@primitive(
    indexing(
        apart=("index",),
        inplace=True,
        rule=_check_index,
        samples=lambda make: [(make(3, 4), 1, _index_of(make, 3, 1, high=4), make(3, 1))],
    ),
    grad={
        "input": lambda K, g, dim, index: K.scatter(
            g, dim, index, K.zeros_like(K.gather(g, dim, index))
        ),
        "index": NOT_DIFFERENTIABLE,
        "src": lambda K, g, dim, index, src_shape: _from_source(K, g, dim, index, src_shape),
    },
    namespace="_",
)
def scatter_src(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src[i][j] written at [index[i][j]][j] for dim 0."""


@composite(
    indexing(
        apart=("index",),
        inplace=True,
        samples=lambda make: [
            (make(3, 4), 1, _index_of(make, 3, 1, high=4), make(3, 1)),
            (make(3, 4), 0, _index_of(make, 1, 4, high=3), 2.0),
        ],
    ),
    out=True,
    handled=("value", "reduce"),
)
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """input with src[i][j], or one number, written at [index[i][j]][j] for dim 0.

    With `reduce` "add" or "multiply" it is added or multiplied instead.
    """
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter() missing required argument 'src' or 'value'")
    if not isinstance(src, Tensor):
        src = K.fill_new_like(index, src, input.dtype)
    if reduce is None:
        return K.scatter_src(input, dim, index, src)
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply, but got {reduce}.")
    return K.scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")


@composite(indexing(), namespace="_", grad=NOT_DIFFERENTIABLE)
def fill_new_like(input: Tensor, value: Any, dtype: Any) -> Tensor:
    """`value` in the shape and on the device of `input`, in another dtype."""
    return K.full_like(input, value, dtype=dtype)


@composite(
    indexing(
        apart=("index",),
        places=(int32, int64),
        samples=lambda make: [
            (make(3, 4), 0, _index_of(make, 5, high=3)),
            (make(3, 4), 1, _index_of(make, 2, high=4)),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, dim, index: K.index_add(
            K.new_zeros(g, input_shape), dim, index, g
        ),
        "index": NOT_DIFFERENTIABLE,
    },
    out=True,
    batch=selected,
)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along a dimension at the places of a 1-d index."""
    at = check_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not input.ndim:
        if index.numel() != 1:
            raise RuntimeError(
                f"index_select(): Index to scalar can have only 1 value, got {index.numel()} value(s)"
            )
        return K.reshape(K.index_select(K.reshape(input, (1,)), 0, index), ())
    shape = [1] * input.ndim
    shape[at] = index.numel()
    wide = list(input.shape)
    wide[at] = index.numel()
    return K.gather(input, at, K.expand(K.reshape(index, tuple(shape)), tuple(wide)))


@composite(
    indexing(
        apart=("index",),
        inplace=True,
        places=(int32, int64),
        samples=lambda make: [
            (make(3, 4), 0, _index_of(make, 5, high=3), make(5, 4)),
            (make(), 0, _index_of(make, high=1), make()),
        ],
    ),
    grad={
        "input": lambda g: g,
        "index": NOT_DIFFERENTIABLE,
        "source": lambda K, g, dim, index: K.index_select(g, dim, index),
    },
    out=True,
    handled=("alpha",),
)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """input with alpha times the slices of source added at the places of a 1-d index."""
    if alpha != 1:
        op = K.index_add.op
        op.family.admit(op, {"input": input.dtype, "source": source.dtype})
        return K.index_add(input, dim, index, source * fitting(alpha, input.dtype))
    at = check_dim(dim, input.ndim)
    check_slices("index_add", input, at, index, source)
    if not input.ndim:
        x, places, part = (K.reshape(each, (1,)) for each in (input, index, source))
        return K.reshape(K.index_add(x, 0, places, part), ())
    shape = [1] * input.ndim
    shape[at] = index.numel()
    try:
        return K.scatter_add(
            input, at, K.expand(K.reshape(index, tuple(shape)), source.shape), source
        )
    except RuntimeError:
        check_places("index_add", index, input.shape[at])
        raise


def check_slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    """Raise where the slices of `source` are not as many as a 1-d index names, or not such of `input`."""
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim}")
    own, other = list(input.shape), list(source.shape)
    count = other[dim] if dim < len(other) else 1
    if index.numel() != count:
        raise (RuntimeError if other else IndexError)(
            f"{name}(): Number of indices ({index.numel()}) should be equal to source.size(dim): "
            f"({count}), for dim: {dim}"
        )
    if other[:dim] + other[dim + 1 :] != own[:dim] + own[dim + 1 :] or len(own) != len(other):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {own}, source.shape = {other}"
        )


def check_places(
    name: str, index: Tensor, size: int, low: int = 0, error: type[Exception] = IndexError
) -> None:
    """An error where an index is not within low ... size - 1; those that differ by example go unasked."""
    found = value_range(index)
    if found is not None and (found[0] < low or found[1] >= size):
        wrong = found[0] if found[0] < low else found[1]
        raise error(f"{name}(): index {wrong} is out of bounds for size {size}")


@composite(
    indexing(
        apart=("indices",),
        samples=lambda make: [
            (make(3, 4), [_index_of(make, 2, high=3)], (0,)),
            (make(3, 4), [_index_of(make, 2, 1, high=3), _index_of(make, 5, high=4)], (0, 1)),
            (make(2, 3, 4), [_index_of(make, 2, high=2), _index_of(make, 2, high=4)], (0, 2)),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, indices, dims: K.index_put_at(
            K.new_zeros(g, input_shape), indices, g, dims, True
        ),
        "indices": NOT_DIFFERENTIABLE,
    },
    namespace="_",
    batch=indexed,
)
def index_at(input: Tensor, indices: Sequence[Tensor], dims: Any) -> Tensor:
    """Advanced indexing by int64 tensors along some dimensions, with numpy's placement of the result."""
    x, at, rest = _folded(input, indices, dims)
    picked = K.reshape(K.index_select(x, 0, K.reshape(at, (-1,))), (*at.shape, *rest))
    return _placed(picked, at.ndim, dims)


@composite(
    indexing(
        apart=("indices",),
        inplace=True,
        samples=lambda make: [
            (make(3, 4), [_index_of(make, 2, high=3)], make(2, 4), (0,), True),
            (
                make(3, 4),
                [_index_of(make, 1, high=3), _index_of(make, 1, high=4)],
                make(1),
                (0, 1),
                False,
            ),
        ],
    ),
    grad={
        "input": lambda K, g, indices, values_shape, dims, accumulate: (
            g
            if accumulate
            else K.index_put_at(g, indices, K.new_zeros(g, values_shape), dims, False)
        ),
        "indices": NOT_DIFFERENTIABLE,
        "values": lambda K, g, indices, values_shape, dims: K.sum_to(
            K.index_at(g, indices, dims), values_shape
        ),
    },
    namespace="_",
    batch=written,
)
def index_put_at(
    input: Tensor, indices: Sequence[Tensor], values: Tensor, dims: Any, accumulate: bool
) -> Tensor:
    """input with `values` written (or added) at int64 indices along some dimensions."""
    x, at, rest = _folded(input, indices, dims)
    shape = (*at.shape, *rest)
    values = K.expand(values, _placed(K.new_zeros(x, shape), at.ndim, dims).shape)
    flat = K.reshape(_unplaced(values, at.ndim, dims), (at.numel(), *rest))
    index = K.expand(K.reshape(at, (-1,) + (1,) * len(rest)), flat.shape)
    written = (K.scatter_add if accumulate else K.scatter_src)(x, 0, index, flat)
    order = _order(input.ndim, dims)
    unfolded = K.reshape(written, tuple(input.shape[d] for d in order))
    back = [0] * len(order)
    for place, d in enumerate(order):
        back[d] = place
    return K.clone(K.permute(unfolded, tuple(back)))


def _order(ndim: int, dims: Sequence[int]) -> list[int]:
    return [*dims, *(d for d in range(ndim) if d not in dims)]


def _folded(
    input: Tensor, indices: Sequence[Tensor], dims: Sequence[int]
) -> tuple[Tensor, Tensor, Any]:
    """The indexed dimensions folded into the first, the indices into one, and the other sizes."""
    shape = input.shape
    at: Any = None
    for index, d in zip(indices, dims, strict=True):
        size = shape[d]
        found = value_range(index)
        if found is not None and (found[0] < -size or found[1] >= size):
            wrong = found[0] if found[0] < -size else found[1]
            raise IndexError(f"index {wrong} is out of bounds for dimension {d} with size {size}")
        index = K.where(K.lt(index, 0), index + size, index)
        at = index if at is None else at * size + index
    order = _order(len(shape), dims)
    rest = tuple(shape[d] for d in order[len(dims) :])
    count = 1
    for d in dims:
        count *= shape[d]
    return K.reshape(K.permute(input, tuple(order)), (count, *rest)), at, rest


def _gap(dims: Sequence[int]) -> int:
    """Where numpy puts the indexed dimensions: in place if they are neighbours, else in front."""
    return dims[0] if list(dims) == list(range(dims[0], dims[0] + len(dims))) else 0


def _placed(value: Tensor, count: int, dims: Sequence[int]) -> Tensor:
    to = _gap(dims)
    return K.movedim(value, tuple(range(count)), tuple(range(to, to + count))) if to else value


def _unplaced(value: Tensor, count: int, dims: Sequence[int]) -> Tensor:
    to = _gap(dims)
    return K.movedim(value, tuple(range(to, to + count)), tuple(range(count))) if to else value


@composite(
    custom(REAL, samples=lambda make: [(make(3, 4),), (make(3, 4, boolean=True),)]),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
    varying=True,
    batch=refused,
)
def nonzero_rows(input: Tensor) -> Tensor:
    """The indices of the nonzero elements, one row each (int64)."""
    kept = K.reshape(K.ne(input, 0), (-1,))
    count = int(K.sum(kept).item())
    if not count or not input.ndim:
        return K.new_zeros(input, (count, input.ndim), dtype=int64)
    # Each goes to the place that its rank says; the others to one place more, which is cut off.
    target = K.where(kept, K.cumsum(kept, 0) - 1, count)
    places = K.storage_index(input, kept.shape[0])
    found = K.scatter_src(K.new_zeros(places, (count + 1,)), 0, target, places)
    found, columns = K.narrow(found, 0, 0, count), []
    for size in input.shape[::-1]:
        columns.append(K.remainder(found, size))
        found = K.floor_divide(found, size)
    return K.stack(columns[::-1], 1)
