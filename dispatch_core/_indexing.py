"""Indexing with brackets: what may stand in them, and which operator each kind becomes."""

from __future__ import annotations

from typing import Any

from dispatch_core._caller import warn
from dispatch_core._construct import host_index, tensor_like
from dispatch_core._dtypes import bool_
from dispatch_core._keys import tensor_key
from dispatch_core._namespaces import public
from dispatch_core._op import K, operator_named
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._state import current_state
from dispatch_core._tensor import Tensor, check_tensor, is_readable

_SLICE_ALL = slice(None)
_basic = operator_named("basic_index").table


def getitem(tensor: Tensor, index: Any) -> Tensor:
    """`tensor[index]`: ints, slices, None, Ellipsis, bool and integer tensors or sequences.

    A view unless a tensor or sequence is among the indices. Raises IndexError as PyTorch does.
    """
    if index.__class__ is int:
        return _basic[current_state()][tensor._k].call(tensor, (index, ...))
    if index.__class__ is slice:
        if index.step is not None:
            _check_slice(index)
        return _basic[current_state()][tensor._k].call(tensor, index)
    basic, indices, dims = parse(tensor, index)
    if basic is not None:
        tensor = K.basic_index(tensor, basic)
    return K.index_at(tensor, indices, dims) if dims else tensor


def setitem(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`: writes into the memory of `tensor`; `value` broadcasts."""
    if isinstance(index, Tensor) and _fills(tensor, index, value):
        mask = K.reshape(index, tuple(index.shape) + (1,) * (tensor.ndim - index.ndim))
        tensor.masked_fill_(
            mask, value if isinstance(value, Tensor) else tensor_like(tensor, value)
        )
        return
    basic, indices, dims = parse(tensor, index)
    target = tensor if basic is None else K.basic_index(tensor, basic)
    if not isinstance(value, Tensor):
        value = tensor_like(target, value)
    elif dims:
        _check_source(tensor, value)
    if not dims:
        _write(target, value)
        return
    if value.device != target.device and value.ndim == 0:
        value = value.to(target.device)
    target.index_put_at_(indices, _without_leading_ones(value, target, indices, dims), dims, False)


def _fills(tensor: Tensor, mask: Tensor, value: Any) -> bool:
    """Whether one value goes where a mask says: no place has to be known for that."""
    if mask.dtype is not bool_ or not mask.ndim or mask.device != tensor.device:
        return False
    if tuple(mask.shape) != tuple(tensor.shape[: mask.ndim]):
        return False
    if isinstance(value, Tensor):
        return not value.ndim and value.dtype is tensor.dtype and value.device == tensor.device
    return isinstance(value, (bool, int, float, complex))


def _check_source(target: Tensor, values: Any) -> None:
    check_tensor(values, "index_put(): argument 'values' (position 3)")
    if values.dtype is not target.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {target.dtype} for the "
            f"destination and {values.dtype} for the source."
        )


def _write(target: Tensor, value: Tensor) -> None:
    extra = value.ndim - target.ndim
    if extra > 0 and all(n == 1 for n in value.shape[:extra]):
        value = K.reshape(value, tuple(value.shape[extra:]))
    target.copy_(value)


def _without_leading_ones(values: Tensor, target: Tensor, indices: Any, dims: Any) -> Tensor:
    ndim = target.ndim - len(dims) + max(i.ndim for i in indices)
    extra = values.ndim - ndim
    if extra > 0 and all(n == 1 for n in values.shape[:extra]):
        return K.reshape(values, tuple(values.shape[extra:]))
    return values


@public("", "Tensor")
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or add) `values` at a tuple of index tensors, in place; returns the tensor.

    With `accumulate`, values written at the same place add up. Raises IndexError for indices outside.
    """
    basic, tensors, dims = parse(input, tuple(indices))
    target = input if basic is None else K.basic_index(input, basic)
    _check_source(input, values)
    if not dims:
        (target.add_ if accumulate else target.copy_)(values)
    else:
        target.index_put_at_(tensors, values, dims, accumulate)
    return input


@public("", "Tensor")
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `values` written (or added) at a tuple of index tensors; see `index_put_`."""
    return index_put_(K.clone(input), indices, values, accumulate)


def parse(tensor: Tensor, index: Any) -> tuple[Any, list[Tensor], tuple[int, ...]]:
    """An index as a tuple of basic indices (or None), then int64 tensors and the dimensions they index."""
    if _stands_for_tuple(index):
        warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] "
            "instead of x[seq]"
        )
        index = tuple(index)
    items = index if isinstance(index, tuple) else (index,)
    items = tuple(_item(tensor, i) for i in items)
    consumed = sum(_width(i) for i in items)
    if consumed > tensor.ndim:
        raise IndexError(
            f"too many indices for tensor of dimension {tensor.ndim}: {consumed} were given"
        )
    if sum(i is Ellipsis for i in items) > 1:
        items = _with_one_ellipsis(items, tensor.ndim - consumed)
    basic: list[Any] = []
    tensors: list[Tensor] = []
    dims: list[int] = []
    at = out = 0  # the dimension of the tensor, and of what the basic indices leave of it
    for item in items:
        width, parts = _taken_apart(item, tensor, at, tensor.ndim - consumed)
        at += width
        for part, indices in parts:
            basic.append(part)
            if indices is not None:
                tensors.append(indices)
                dims.append(out)
            out += not isinstance(part, int)
    trivial = all(b == _SLICE_ALL for b in basic if not isinstance(b, int)) and not any(
        b is None or isinstance(b, int) for b in basic
    )
    if tensor_key(tensor._k).device != "cpu":
        tensors = [_beside(tensor, index) for index in tensors]
    if dims and len(tensors) > 1:
        tensors = _broadcast(tensors)
    # An Ellipsis keeps an index of ints alone from giving a number instead of a view.
    keep = None if trivial and dims else (*basic, ...)
    return keep, tensors, tuple(dims)


def _beside(tensor: Tensor, index: Tensor) -> Tensor:
    """An index on the device of the tensor; one on the host may index tensors anywhere."""
    return K.to_device(index, tensor.device) if tensor_key(index._k).device == "cpu" else index


def _with_one_ellipsis(items: tuple[Any, ...], skipped: int) -> tuple[Any, ...]:
    """The same index without further ellipses, which stand for no dimension.

    PyTorch has each of them skip what the first skips, so that behind the second no dimension is left.
    """
    _, second, *_ = (at for at, item in enumerate(items) if item is Ellipsis)
    rest = [item for item in items[second:] if item is not Ellipsis]
    if skipped and not all(isinstance(item, slice) and item == _SLICE_ALL for item in rest):
        raise IndexError(
            "an index behind a second ellipsis ('...') finds no dimension left: the first stands for all "
            f"{skipped} that are not indexed; write one ellipsis"
        )
    return (*items[:second], *rest)


_MOST_AS_TUPLE = 31


def _stands_for_tuple(index: Any) -> bool:
    """Whether a list is meant as a tuple of indices: it is short, and holds what no row of numbers does."""
    return (
        isinstance(index, list)
        and len(index) <= _MOST_AS_TUPLE
        and any(
            i is None or i is Ellipsis or isinstance(i, (Tensor, slice, list, tuple, range))
            for i in index
        )
    )


def _taken_apart(
    item: Any, tensor: Tensor, at: int, skipped: int
) -> tuple[int, list[tuple[Any, Tensor | None]]]:
    """How many dimensions one item indexes, and its basic indices, each with the tensor it stands for."""
    if item is Ellipsis:
        return skipped, [(_SLICE_ALL, None)] * skipped
    if item is None:
        return 0, [(None, None)]
    if isinstance(item, slice):
        return 1, [(item, None)]
    if not isinstance(item, Tensor):
        return 1, [(_checked_int(item, tensor, at), None)]
    if item.dtype.name != "bool":
        return 1, [(_SLICE_ALL, item)]
    where = _mask_indices(tensor, item, at)
    if item.ndim == 0:
        return 0, [(None, where[0])]
    return item.ndim, [(_SLICE_ALL, part) for part in where]


def _item(tensor: Tensor, item: Any) -> Any:
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        _check_slice(item)
        return slice(*(_bound(b) for b in (item.start, item.stop, item.step)))
    if isinstance(item, bool):
        return host_index(item)
    if isinstance(item, Tensor):
        if item.dtype.name not in _INDEX_DTYPES:
            raise IndexError(
                f"tensors used as indices must be long, int, byte or bool tensors, got {item.dtype}"
            )
        if item.dtype.name == "uint8":
            warn(
                "indexing with dtype dc.uint8 is now deprecated, please use a dtype dc.bool instead."
            )
            return K.ne(item, 0)
        if item.dtype is bool_:
            return item
        if item.ndim == 0 and is_readable(item):
            return item.item()
        return item.long()
    if hasattr(item, "__index__") and not getattr(item, "ndim", 0):
        number = item.__index__()
        if not -_FAR <= number < _FAR:
            raise ValueError(f"index {number} does not fit 64 bits")
        return number
    if isinstance(item, str):
        raise TypeError("an index must be made of numbers, tensors, slices, None or '...', not str")
    if isinstance(item, (list, tuple, range)) or hasattr(item, "__array__"):
        return _item(tensor, host_index(item))
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {type(item).__name__})"
    )


_FAR = 1 << 63
_INDEX_DTYPES = ("int64", "int32", "uint8", "bool")


def _bound(value: Any) -> Any:
    if value is None:
        return value
    if not hasattr(value, "__index__"):
        raise TypeError(
            "slice indices must be integers or None or have an __index__ method, got "
            f"{type(value).__name__}"
        )
    return value.__index__()


def _check_slice(item: slice) -> None:
    step = _bound(item.step)
    if step is not None and step <= 0:
        raise ValueError("step must be greater than zero")


def _width(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, Tensor) and item.dtype.name == "bool" else 1


def _checked_int(item: int, tensor: Tensor, at: int) -> int:
    size = tensor.shape[at]
    if not -size <= item < size:
        raise IndexError(f"index {item} is out of bounds for dimension {at} with size {size}")
    return item


def _mask_indices(tensor: Tensor, mask: Tensor, at: int) -> Any:
    shape = tuple(tensor.shape[at : at + mask.ndim])
    for d, (m, n) in enumerate(zip(mask.shape, shape, strict=False)):
        if m != n:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {d} does not match the shape of "
                f"the indexed tensor {list(tensor.shape)} at index {at + d}"
            )
    rows = K.nonzero_rows(K.reshape(mask, (1,)) if mask.ndim == 0 else mask)
    return K.unbind(rows, 1)


def _broadcast(tensors: list[Tensor]) -> list[Tensor]:
    try:
        shape = broadcast_shapes(*(t.shape for t in tensors))
    except RuntimeError:
        shapes = ", ".join(str(list(t.shape)) for t in tensors)
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes " + shapes
        ) from None
    return [t if tuple(t.shape) == shape else K.expand(t, shape) for t in tensors]
