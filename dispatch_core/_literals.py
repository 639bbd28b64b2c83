"""Host arrays of what `tensor()` takes: numbers, nested sequences, arrays, and tensors among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core._dtypes import (
    Category,
    dtype,
    from_numpy_dtype,
    get_default_dtype,
    int64,
    promote_types,
    scalar_dtype,
    uint64,
)
from dispatch_core._numbers import limits
from dispatch_core._tensor import Tensor

Array = np.ndarray[Any, Any]
_PLAIN = frozenset({bool, int, float, complex})
_WHOLE = frozenset({bool, int})
_DEEPEST = 64
"""The dimensions that numpy's arrays can have."""
_SEQUENCES = (list, tuple, range)


def as_array(data: Any, wanted: dtype | None) -> Array:
    """Numbers, sequences, arrays or objects with `__array__` as a host array of our dtypes.

    Those that are no arrays are converted to `wanted`, if it is given, and must fit it.
    """
    if isinstance(data, np.ndarray):
        return data
    if isinstance(data, np.generic):
        return np.asarray(data) if wanted is None else _numbers(data.item(), {type(data)}, wanted)
    if isinstance(data, _SEQUENCES):
        kinds = _kinds(data, ())
        if kinds <= _PLAIN:
            return _numbers(data, kinds, wanted)
        return _mixed(data, kinds, wanted)
    if isinstance(data, (bool, int, float, complex)):
        return _numbers(data, {type(data)}, wanted)
    if hasattr(data, "__array__"):
        return np.asarray(data)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, dict):
        return np.asarray(data)
    raise _no_number(data, wanted)


def _kinds(data: Any, path: tuple[int, ...]) -> set[type]:
    """The classes of the numbers in nested sequences; ValueError for one that contains itself."""
    found = set(map(type, data))
    nested = [kind for kind in found if issubclass(kind, (list, tuple))]
    if nested:
        if id(data) in path:
            raise ValueError(f"too many dimensions '{type(data).__name__}'")
        path = (*path, id(data))
        if len(path) == _DEEPEST:
            raise ValueError(
                f"too many dimensions '{type(data).__name__}': at most {_DEEPEST} may be nested"
            )
        found.difference_update(nested)
        for item in data:
            if isinstance(item, (list, tuple)):
                found |= _kinds(item, path)
    return found


def _numbers(data: Any, kinds: set[type], wanted: dtype | None) -> Array:
    """Python numbers, alone or in nested sequences."""
    whole = wanted is not None and wanted.category is Category.INTEGRAL
    try:
        array = np.asarray(data, None if wanted is None or whole else wanted.numpy_dtype)
        if array.dtype == object and not kinds <= _WHOLE:  # a float beside an int beyond 64 bits
            array = np.asarray(data, complex if complex in kinds else float)
        elif whole and array.dtype.kind == "f" and kinds <= _WHOLE:  # ints beyond int64
            array = np.asarray(data, object)
    except ValueError:
        raise _uneven(data) from None
    except OverflowError as error:
        raise RuntimeError(
            f"value cannot be converted to type {wanted} without overflow: {error}"
        ) from None
    if whole:
        return _whole(array, wanted)  # type: ignore[arg-type]
    return array if wanted is not None else array.astype(_inferred(array, kinds).numpy_dtype)


def _inferred(array: Array, kinds: set[type]) -> dtype:
    if not kinds or kinds & {float, complex}:
        default = get_default_dtype()
        return default.to_complex() if array.dtype.kind == "c" else default
    if kinds <= _WHOLE and array.dtype.kind not in "bi":
        raise ValueError("Overflow when unpacking long long: an int does not fit int64")
    return int64 if int in kinds else from_numpy_dtype(array.dtype)


def _whole(array: Array, wanted: dtype) -> Array:
    """Numbers in an integer dtype; RuntimeError where they do not fit it, TypeError if they are complex."""
    kind = array.dtype.kind
    if kind == "c":
        raise TypeError("'complex' object cannot be interpreted as an integer")
    low, high = limits(wanted)
    if kind in "iu" and wanted is not uint64 and not wanted.is_signed:
        low = -high  # counted from the end
    # NaN is not within them either.
    if array.size and not (low <= _exact(array.min()) and _exact(array.max()) <= high):
        raise RuntimeError(f"value cannot be converted to type {wanted.name} without overflow")
    return array.astype(wanted.numpy_dtype)


def _exact(number: Any) -> Any:
    """A number of Python's, which compares with ints beyond 53 bits as they are."""
    return number.item() if isinstance(number, np.generic) else number


# -- tensors and numpy's scalars in sequences ----------------------------------------------------------


def _mixed(data: Any, kinds: set[type], wanted: dtype | None) -> Array:
    """Nested sequences that contain more than Python's numbers."""
    for kind in kinds:
        if not (kind in _PLAIN or kind is range or _is_array(kind)):
            raise _no_element(data, kind, wanted)
    array = _host(data)
    try:
        if wanted is None:
            return np.asarray(array, _common(data).numpy_dtype)
        if wanted.category is not Category.INTEGRAL:
            return np.asarray(array, wanted.numpy_dtype)
        return _whole(np.asarray(array), wanted)
    except ValueError:
        raise _uneven(data) from None


def _is_array(kind: type) -> bool:
    numbers = (Tensor, np.generic, np.ndarray, int, float, complex)
    return issubclass(kind, numbers) or hasattr(kind, "__array__")


def _host(data: Any) -> Any:
    """The nested sequence with its tensors as host arrays."""
    if isinstance(data, Tensor):
        return data.detach().cpu().numpy()
    return [_host(item) for item in data] if isinstance(data, (list, tuple)) else data


def _common(data: Any) -> dtype:
    """The dtype to which all elements are promoted, whatever their number of dimensions."""
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, (list, tuple)):
        found: dtype | None = None
        for item in data:
            own = _common(item)
            found = own if found is None else promote_types(found, own)
        return get_default_dtype() if found is None else found
    if hasattr(data, "dtype") or hasattr(data, "__array__"):
        return from_numpy_dtype(np.asarray(data).dtype)
    return int64 if isinstance(data, range) else scalar_dtype(data)


# -- what is wrong ------------------------------------------------------------------------------------


def _uneven(data: Any) -> Exception:
    """The error for sequences of different lengths or depths; numpy refused them."""
    sizes = []
    first = data
    while isinstance(first, (list, tuple)):
        sizes.append(len(first))
        if not first:
            break
        first = first[0]
    return _odd_one(data, sizes, 0) or ValueError(
        "expected sequences of equal lengths at each depth, but the data is ragged"
    )


def _odd_one(data: Any, sizes: list[int], depth: int) -> Exception | None:
    """The first place whose length or depth is not that of the first element there."""
    nested = isinstance(data, (list, tuple))
    if depth == len(sizes):
        return TypeError(f"'{type(data).__name__}' object is no number") if nested else None
    if not nested:
        return TypeError(f"not a sequence: {data!r}, at dim {depth}")
    if len(data) != sizes[depth]:
        return ValueError(
            f"expected sequence of length {sizes[depth]} at dim {depth} (got {len(data)}): the data is "
            "ragged; pad it first, as with nn.utils.rnn.pad_sequence"
        )
    return next((e for e in (_odd_one(item, sizes, depth + 1) for item in data) if e), None)


def _no_number(data: Any, wanted: dtype | None) -> Exception:
    name = type(data).__name__
    if wanted is not None:
        return TypeError(f"'{name}' object cannot be interpreted as a number")
    return RuntimeError(f"Could not infer dtype of {name}; give numbers, sequences or arrays")


def _no_element(data: Any, kind: type, wanted: dtype | None) -> Exception:
    """The error for an element of a class that is no number's."""
    if issubclass(kind, (str, bytes)):
        first = data
        while isinstance(first, (list, tuple)) and first:
            first = first[0]
        if isinstance(first, kind):
            return ValueError(f"too many dimensions '{kind.__name__}'")
        return TypeError(f"new(): invalid data type '{kind.__name__}'")
    if wanted is not None:
        return TypeError(f"'{kind.__name__}' object cannot be interpreted as a number")
    return RuntimeError(f"Could not infer dtype of {kind.__name__}; give numbers")
