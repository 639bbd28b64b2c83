"""Which bytes to store so that arrays that share memory share it again after loading."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import byte_bounds

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._files import Bytes
from dispatch_core._serialization._header import DTYPE_OF_TAG, MAX_DIMENSIONS, TAG_OF_DTYPE
from dispatch_core._serialization._safetensors import Array

# The format has no complex128: such an array is stored as a view of pairs of float64.
_COMPLEX128: Final = "C128"
_DTYPE_OF_TAG: Final = {**DTYPE_OF_TAG, _COMPLEX128: np.dtype(np.complex128)}
_TAG_OF_DTYPE: Final = {**TAG_OF_DTYPE, np.dtype(np.complex128): _COMPLEX128}


@dataclass(frozen=True, slots=True)
class View:
    """An array as a window on a stored one; `strides` and `offset` count bytes."""

    stored: str
    tag: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def to_json(self) -> list[object]:
        return [self.stored, self.tag, list(self.shape), list(self.strides), self.offset]


Spec = str | View
"""How one array comes back: the stored array of that name as it is, or a window on one."""


def can_store(array: Array) -> bool:
    """Return whether the dtype of `array`, in either byte order, has a place in a file."""
    return array.dtype.newbyteorder("=") in _TAG_OF_DTYPE


def plan(arrays: Sequence[tuple[str, Array]]) -> tuple[dict[str, Array], list[Spec]]:
    """Return the arrays to store by name, and for each of `arrays` how to get it back from them.

    Arrays whose memory does not overlap are stored as they are under their own (unique) name.
    Those that overlap, and those that repeat elements by strides of 0, become views of a stored
    array: the member that covers the others if there is one, else the bytes from first to last.
    """
    native = [
        (name, a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("="))) for name, a in arrays
    ]
    stored: dict[str, Array] = {}
    specs: dict[int, Spec] = {}
    for group in _overlapping(native):
        name, first = native[group[0]]
        low, high = _bounds(native, group)
        if len(group) == 1 and first.nbytes <= high - low:
            stored[name] = _without_complex128(first)
            whole = stored[name] is first
            specs[group[0]] = name if whole else _view(name, _contiguous(first))
            continue
        name, storage = _covering(native, group, low, high)
        stored[name] = _without_complex128(storage)
        for index in group:
            array = native[index][1]
            whole = array is stored[name]
            specs[index] = name if whole else _view(name, array, array.ctypes.data - low)
    names = {name: position for position, (name, _) in enumerate(arrays)}
    ordered = dict(sorted(stored.items(), key=lambda item: names[item[0]]))
    return ordered, [specs[index] for index in range(len(arrays))]


def _view(stored: str, array: Array, offset: int = 0) -> View:
    return View(stored, _TAG_OF_DTYPE[array.dtype], array.shape, array.strides, offset)


def _contiguous(array: Array) -> Array:
    # Not ascontiguousarray, which gives 0-d arrays a dimension.
    return array if array.flags.c_contiguous else array.copy()


def _without_complex128(array: Array) -> Array:
    if array.dtype != np.complex128:
        return array
    pairs: Array = _contiguous(array).reshape((*array.shape, 1)).view(np.float64)
    return pairs


def _overlapping(arrays: Sequence[tuple[str, Array]]) -> list[list[int]]:
    """Return groups of positions: arrays whose byte ranges overlap, directly or through others."""
    groups: list[list[int]] = []
    reached = -1
    ranges = [(*byte_bounds(array), index) for index, (_, array) in enumerate(arrays)]
    empty = [[index] for _, _, index in ranges if not arrays[index][1].size]
    for low, high, index in sorted(r for r in ranges if arrays[r[2]][1].size):
        if groups and low < reached:
            groups[-1].append(index)
        else:
            groups.append([index])
        reached = max(reached, high)
    return empty + [sorted(group) for group in groups]


def spans(arrays: Sequence[Array]) -> tuple[list[Array], list[tuple[Array, int, int]]]:
    """Pieces of memory that hold all arrays; and each array, in which of them and where, in bytes.

    Arrays of one dtype that overlap share a piece; others have one of their own, in order.
    """
    named = [(str(i), array) for i, array in enumerate(arrays)]
    pieces: list[Array] = []
    places: dict[int, tuple[Array, int, int]] = {}
    for group in _overlapping(named):
        low, high = _bounds(named, group)
        same = len({arrays[index].dtype for index in group}) == 1
        if same and (len(group) > 1 or arrays[group[0]].nbytes > high - low):
            for index in group:
                places[index] = (arrays[index], len(pieces), arrays[index].ctypes.data - low)
            pieces.append(_covering(named, group, low, high)[1])
            continue
        for index in group:
            pieces.append(_contiguous(arrays[index]))
            places[index] = (pieces[-1], len(pieces) - 1, 0)
    return pieces, [places[index] for index in range(len(arrays))]


def _bounds(arrays: Sequence[tuple[str, Array]], group: Sequence[int]) -> tuple[int, int]:
    bounds = [byte_bounds(arrays[index][1]) for index in group]
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def _covering(
    arrays: Sequence[tuple[str, Array]], group: Sequence[int], low: int, high: int
) -> tuple[str, Array]:
    for index in group:
        name, array = arrays[index]
        if array.flags.c_contiguous and array.nbytes == high - low:
            return name, array
    name, first = arrays[group[0]]
    # Overlapping arrays live in one allocation, so all bytes from first to last are readable.
    span: Array = np.ctypeslib.as_array((ctypes.c_uint8 * (high - low)).from_address(low))
    dtypes = {arrays[index][1].dtype for index in group}
    if len(dtypes) == 1 and span.size % first.dtype.itemsize == 0:
        span = np.ndarray((span.size // first.dtype.itemsize,), first.dtype, span)
    return name, span


def parse_spec(json: Any, stored: Mapping[str, Array], where: str) -> Spec:
    """Return the spec that `View.to_json` or a plain name wrote.

    Raises:
        FileFormatError: it is no spec, or reaches outside of the stored array.

    """
    if isinstance(json, str) and json in stored:
        return json
    match json:
        case [str(name), str(tag), list(shape), list(strides), int(offset)] if (
            name in stored
            and tag in _DTYPE_OF_TAG
            and len(shape) == len(strides) <= MAX_DIMENSIONS
            and all(type(v) is int and 0 <= v < 2**63 for v in shape)
            and all(type(v) is int and -(2**63) <= v < 2**63 for v in strides)
        ):
            return View(name, tag, tuple(shape), tuple(strides), offset)
    raise FileFormatError(f"{where}: the description of an array is malformed: {str(json)[:200]}")


def make_view(view: View, storage: Bytes, where: str) -> Array:
    """Return the window `view` on the bytes of its stored array.

    Raises:
        FileFormatError: it reaches outside of them.

    """
    dtype = _DTYPE_OF_TAG[view.tag]
    reach = [(size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)]
    low = view.offset + sum(r for r in reach if r < 0)
    high = view.offset + sum(r for r in reach if r > 0) + dtype.itemsize
    empty = 0 in view.shape
    if not empty and (low < 0 or high > storage.size):
        raise FileFormatError(
            f"{where}: a view of array {view.stored!r} spans bytes {low} to {high}, "
            f"but it has only {storage.size}"
        )
    try:
        if empty:
            return np.empty(view.shape, dtype)
        return np.ndarray(view.shape, dtype, storage, view.offset, view.strides)
    except (ValueError, MemoryError) as error:
        raise FileFormatError(
            f"{where}: a view of {view.stored!r} is impossible: {error}"
        ) from None
