"""Leaf codecs: how objects that are no plain Python data become arrays and JSON, and come back.

Whoever owns a type registers its codec here; the tensor's module does so for tensors. A codec's
`encode(obj, context)` returns a JSON value and numpy arrays, its `decode(json, arrays, context)`
makes the object again. Arrays that shared memory when encoded share it when decoded, and an array
that was encoded twice comes back as one and the same array object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

import numpy as np

from dispatch_core._device import device
from dispatch_core._dtypes import dtype, from_name
from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._safetensors import Array
from dispatch_core._serialization._storages import can_store
from dispatch_core._size import Size


@dataclass(slots=True)
class SaveContext:
    """What the codecs of one `save` share; `memo` is theirs, say for one host copy a storage."""

    memo: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class LoadContext:
    """What the codecs of one `load` share; `memo` is theirs, say for one storage an array."""

    where: str
    map_location: Any = None
    memo: dict[Any, Any] = field(default_factory=dict)

    def malformed(self, kind: str, json: object) -> FileFormatError:
        """Return the error for JSON that no `encode` of this kind wrote."""
        return FileFormatError(f"{self.where}: malformed {kind}: {str(json)[:200]}")


Encode = Callable[[Any, SaveContext], tuple[Any, Sequence[Array]]]
Decode = Callable[[Any, list[Array], LoadContext], Any]


@dataclass(frozen=True, slots=True)
class LeafCodec:
    """The two directions of one kind of leaf; `kind` is its name in files and must never change."""

    kind: str
    encode: Encode
    decode: Decode


_by_type: Final[dict[type, LeafCodec]] = {}
_by_kind: Final[dict[str, LeafCodec]] = {}
_homes: Final[dict[str, str]] = {}
_plain_array: list[LeafCodec] = []


def register_leaf_codec(
    type_: type, kind: str, encode: Encode, decode: Decode, *, for_plain_arrays: bool = False
) -> None:
    """Make `save` and `load` know `type_` and its subclasses.

    With `for_plain_arrays`, the codec also decodes the arrays of files that other libraries wrote:
    one array each, with None as JSON.

    Raises:
        ValueError: another type has this kind.

    """
    codec = LeafCodec(kind, encode, decode)
    owner = next((t for t, known in _by_type.items() if known.kind == kind), type_)
    if owner is not type_:
        raise ValueError(f"the kind {kind!r} belongs to {owner.__name__}; choose another")
    _by_type[type_] = codec
    _by_kind[kind] = codec
    if for_plain_arrays:
        _plain_array[:] = [codec]


def register_home(kind: str, module: str) -> None:
    """Say which of the framework's own modules registers the codec of a kind when it is imported."""
    _homes[kind] = module


def codec_for(type_: type) -> LeafCodec | None:
    """Return the codec of `type_` or its nearest base."""
    return next((_by_type[base] for base in type_.__mro__ if base in _by_type), None)


def codec_of_kind(kind: object) -> LeafCodec | None:
    """Return the codec that wrote leaves of `kind`."""
    if not isinstance(kind, str):
        return None
    if kind not in _by_kind and kind in _homes:
        import_module(_homes[kind])
    return _by_kind.get(kind)


def plain_array_codec() -> LeafCodec:
    """Return the codec for arrays of files that other libraries wrote."""
    return _plain_array[0]


# --- the leaves this package knows itself ---------------------------------------------------


def _encode_array(array: Array, context: SaveContext) -> tuple[None, list[Array]]:
    if not can_store(array):
        raise TypeError(f"arrays of dtype {array.dtype} cannot be stored; convert them to numbers")
    return None, [array]


def _decode_array(json: object, arrays: list[Array], context: LoadContext) -> Array:
    if json is not None or len(arrays) != 1:
        raise context.malformed("array", json)
    return arrays[0]


def _encode_scalar(scalar: np.generic, context: SaveContext) -> tuple[None, list[Array]]:
    return _encode_array(np.asarray(scalar), context)


def _decode_scalar(json: object, arrays: list[Array], context: LoadContext) -> Any:
    if json is not None or len(arrays) != 1 or arrays[0].ndim:
        raise context.malformed("scalar", json)
    return arrays[0][()]


def _decode_dtype(json: object, arrays: list[Array], context: LoadContext) -> dtype:
    if not isinstance(json, str) or arrays:
        raise context.malformed("dtype", json)
    try:
        return from_name(json)
    except ValueError:
        raise context.malformed("dtype", json) from None


def _decode_device(json: object, arrays: list[Array], context: LoadContext) -> device:
    if not isinstance(json, str) or arrays:
        raise context.malformed("device", json)
    try:
        return device(json)
    except RuntimeError:
        raise context.malformed("device", json) from None


def _decode_size(json: object, arrays: list[Array], context: LoadContext) -> Size:
    if not isinstance(json, list) or arrays or not all(type(item) is int for item in json):
        raise context.malformed("Size", json)
    return Size(json)


register_leaf_codec(np.ndarray, "array", _encode_array, _decode_array, for_plain_arrays=True)
register_leaf_codec(np.generic, "scalar", _encode_scalar, _decode_scalar)
register_leaf_codec(dtype, "dtype", lambda obj, _: (obj.name, []), _decode_dtype)
register_leaf_codec(device, "device", lambda obj, _: (str(obj), []), _decode_device)
register_leaf_codec(Size, "Size", lambda obj, _: (list(obj), []), _decode_size)
