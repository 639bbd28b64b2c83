"""How a list of samples becomes a batch: `default_collate`; without batches `default_convert`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np

from dispatch_core.utils.data._core import (
    Tensor,
    as_tensor,
    float64,
    from_numpy,
    host_array,
    stack,
    tensor,
)

Place: TypeAlias = Callable[[tuple[int, ...], "np.dtype[Any]"], "np.ndarray[Any, Any] | None"]
batch_memory: ContextVar[Place | None] = ContextVar("batch_memory", default=None)
"""Asked for the memory of a stacked batch while a worker puts one together."""

CollateMap: TypeAlias = dict[type | tuple[type, ...], Callable[..., Any]]

default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def default_convert(data: Any) -> Any:
    """Turns numpy arrays and scalars into tensors, within mappings and sequences, too.

    Arrays of strings and objects, and everything else, stay as they are; tuples become lists.
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, np.ndarray):
        return data if _holds_text(data) else as_tensor(data)
    if isinstance(data, np.generic) and not isinstance(data, (np.str_, np.bytes_)):
        return as_tensor(data)
    if isinstance(data, Mapping):
        return mapping_like(data, {key: default_convert(data[key]) for key in data})
    if is_namedtuple(data):
        return type(data)(*(default_convert(item) for item in data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return sequence_like(data, [default_convert(item) for item in data])
    return data


def default_collate(batch: Any) -> Any:
    """Puts the samples of a list together into one batch with a new first dimension.

    Tensors and numpy arrays are stacked, numbers become tensors (Python floats float64, integers
    int64), strings and bytes stay a list; mappings, named tuples and sequences are collated entry
    by entry, keeping their type where it can be made again (tuples become lists). Raises TypeError
    for other types and for arrays of strings or objects, RuntimeError for sequences of unequal
    lengths.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """`default_collate` with other functions for other types.

    `collate_fn_map` is keyed by types or tuples of them; the type itself is looked for first, then
    in order those that a sample is an instance of. The function gets the batch and the map by name.
    """
    sample = batch[0]
    function = _function_for(sample, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def entry(samples: Iterable[Any]) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(sample, Mapping):
        return mapping_like(sample, {key: entry([d[key] for d in batch]) for key in sample})
    if is_namedtuple(sample):
        return type(sample)(*(entry(samples) for samples in zip(*batch, strict=False)))
    if isinstance(sample, Sequence):
        sizes = [len(other) for other in batch]
        if any(size != sizes[0] for size in sizes):
            raise RuntimeError(
                f"each element in list of batch should be of equal size; got sizes {sizes}: "
                "pass a collate_fn that pads them"
            )
        entries = [entry(samples) for samples in zip(*batch, strict=True)]
        return entries if isinstance(sample, tuple) else sequence_like(sample, entries)
    raise TypeError(default_collate_err_msg_format.format(type(sample)))


def _function_for(sample: Any, functions: CollateMap) -> Callable[..., Any] | None:
    exact = functions.get(type(sample))
    if exact is not None:
        return exact
    for kind, function in functions.items():
        if isinstance(sample, kind):
            return function
    return None


def is_namedtuple(data: Any) -> bool:
    return isinstance(data, tuple) and hasattr(data, "_fields")


def _holds_text(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array holds strings, bytes or objects, of which no tensor can be made."""
    return array.dtype.kind in "SUO"


def mapping_like(original: Any, entries: dict[Any, Any]) -> Any:
    """A mapping of the type of `original`, with its attributes where possible, else a dict."""
    try:
        if isinstance(original, MutableMapping):
            clone = copy.copy(original)
            clone.update(entries)
            return clone
        return type(original)(entries)
    except TypeError:
        return entries


def sequence_like(original: Any, entries: list[Any]) -> Any:
    """A sequence of the type of `original`, with its attributes where possible, else a list."""
    try:
        if isinstance(original, MutableSequence):
            clone = copy.copy(original)
            for i, item in enumerate(entries):
                clone[i] = item
            return clone
        return type(original)(entries)
    except TypeError:  # no item assignment, or a constructor of another kind, such as range's
        return entries


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks tensors."""
    if batch[0].is_sparse:
        raise RuntimeError(
            "Batches of sparse tensors are not currently supported by the default collate_fn; "
            "please provide a custom collate_fn to handle them appropriately."
        )
    stacked = _stacked([host_array(each) for each in batch])
    return stack(list(batch), 0) if stacked is None else from_numpy(stacked)


def _stacked(arrays: Sequence[np.ndarray[Any, Any] | None]) -> np.ndarray[Any, Any] | None:
    """Arrays of one shape and dtype as one array, in the memory where the loader wants to have it.

    None where they are not such; then `stack` says why, or knows better.
    """
    first = arrays[0]
    if first is None:
        return None
    shape, dtype = first.shape, first.dtype
    for each in arrays:
        if each is None or each.shape != shape or each.dtype != dtype:
            return None
    place = batch_memory.get()
    whole = (len(arrays), *shape)
    target = None if place is None else place(whole, dtype)
    if target is None:
        target = np.empty(whole, dtype)
    for i, array in enumerate(arrays):
        target[i] = array
    return target


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks numpy arrays."""
    if _holds_text(batch[0]):
        raise TypeError(default_collate_err_msg_format.format(batch[0].dtype))
    if all(isinstance(array, np.ndarray) for array in batch) and batch[0].dtype.isnative:
        stacked = _stacked(batch)
        if stacked is not None:
            return as_tensor(stacked)
    return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """One tensor of numpy scalars."""
    return as_tensor(batch)


def collate_float_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """One float64 tensor of Python floats."""
    return tensor(batch, dtype=float64)


def collate_int_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """One tensor of Python integers or bools."""
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Strings and bytes as they are."""
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    # Before Python's numbers: numpy's float64 is a float as well.
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
