"""Nested Python state to JSON and arrays.

None, bool, str, finite float, int of 64 bits and list are themselves in JSON. Everything else is
an object with one key, the tag: {"dict": [key, value, key, value ...]}, {"tuple": [...]},
{"leaf": [kind, json, [numbers of arrays]]}, and {"same": n} for the n-th leaf once more.
"""

from __future__ import annotations

import json
import math
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import numpy as np

from dispatch_core._serialization._codecs import LeafCodec, SaveContext, codec_for
from dispatch_core._serialization._safetensors import Array

Json: TypeAlias = Any
Path: TypeAlias = tuple[object, ...]

# The attribute in which Module.state_dict keeps the versions of its modules, as PyTorch's does.
METADATA_ATTRIBUTE: Final = "_metadata"


class Encoder:
    """One traversal of an object; afterwards `arrays` holds what it found, with unique names."""

    def __init__(self) -> None:
        self.arrays: list[tuple[str, Array]] = []
        self._context = SaveContext()
        self._names: set[str] = {"__metadata__"}
        self._leaves: dict[int, int] = {}
        self._alive: list[object] = []  # so that ids in _leaves stay unique
        self._open: set[int] = set()

    def encode(self, obj: object, path: Path = ()) -> Json:
        """Return the JSON of `obj`.

        Raises:
            TypeError: something in it cannot be saved; the message names its place.
            ValueError: a container contains itself.

        """
        scalar = _SCALARS.get(type(obj))
        if scalar is not None:
            return scalar(obj)
        container = _CONTAINERS.get(type(obj))
        if container is None and isinstance(obj, tuple) and hasattr(obj, "_fields"):
            container = Encoder._tuple
        if container is None:
            return self._leaf(obj, path)
        if id(obj) in self._open:
            raise ValueError(f"cannot save {show(path)}: it contains itself")
        self._open.add(id(obj))
        encoded = container(self, obj, path)
        self._open.discard(id(obj))
        return encoded

    def _list(self, items: Iterable[object], path: Path) -> list[Json]:
        return [self.encode(item, (*path, index)) for index, item in enumerate(items)]

    def _tuple(self, items: Iterable[object], path: Path) -> Json:
        return {"tuple": self._list(items, path)}

    def _set(self, items: Iterable[object], path: Path) -> Json:
        leaves_before = len(self._alive)
        encoded = self._list(items, path)
        if len(self._alive) == leaves_before:  # leaves are numbered in the order of the file
            encoded.sort(key=json.dumps)  # because the order of strings differs from run to run
        return {type(items).__name__: encoded}

    def _dict(self, items: dict[object, object], path: Path) -> Json:
        flat: list[Json] = []
        for key, value in items.items():
            flat += [self.encode(key, (*path, _KeyOf(key))), self.encode(value, (*path, key))]
        return {"dict": flat}

    def _ordered_dict(self, items: OrderedDict[object, object], path: Path) -> Json:
        encoded = self._dict(items, path)["dict"]
        metadata = vars(items).get(METADATA_ATTRIBUTE)
        if metadata is None:
            return {"OrderedDict": [encoded]}
        return {"OrderedDict": [encoded, self.encode(metadata, (*path, METADATA_ATTRIBUTE))]}

    def _bytes(self, data: bytes, path: Path) -> Json:
        return {type(data).__name__: self._add_array(np.frombuffer(data, np.uint8), path)}

    def _leaf(self, obj: object, path: Path) -> Json:
        if id(obj) in self._leaves:
            return {"same": self._leaves[id(obj)]}
        codec = codec_for(type(obj))
        if codec is None:
            raise TypeError(
                f"cannot save {show(path)}: {describe(obj)}. Only plain data can be saved: "
                "tensors, arrays, numbers, strings, bytes, None, dtypes, devices, and dicts, "
                "lists, tuples and sets of them"
            )
        encoded, arrays = self._encode_leaf(codec, obj, path)
        self._leaves[id(obj)] = len(self._alive)
        self._alive.append(obj)
        numbers = [
            self._add_array(array, path if len(arrays) == 1 else (*path, index))
            for index, array in enumerate(arrays)
        ]
        return {"leaf": [codec.kind, encoded, numbers]}

    def _encode_leaf(self, codec: LeafCodec, obj: object, path: Path) -> tuple[Json, list[Array]]:
        try:
            encoded, arrays = codec.encode(obj, self._context)
        except TypeError as error:
            raise TypeError(f"cannot save {show(path)}: {error}") from error
        return encoded, list(arrays)

    def _add_array(self, array: Array, path: Path) -> int:
        base = ".".join(str(part) for part in path) or "value"
        base = name = base.encode(errors="backslashreplace").decode()
        count = 1
        while name in self._names:
            count += 1
            name = f"{base}#{count}"
        self._names.add(name)
        self.arrays.append((name, array))
        return len(self.arrays) - 1


class _KeyOf:
    """A step of a path into a dict's key instead of its value."""

    def __init__(self, key: object) -> None:
        self.key = key

    def __str__(self) -> str:
        return "key"


def show(path: Path) -> str:
    """Return the place as an expression: obj['model'][0]."""
    text = "obj"
    for step in path:
        if isinstance(step, _KeyOf):
            text = f"the key {step.key!r:.60} of {text}"
        else:
            text += f".{step}" if step == METADATA_ATTRIBUTE else f"[{step!r:.60}]"
    return text


def describe(obj: object) -> str:
    """Why an object cannot be saved, and what to save instead."""
    name = type(obj).__name__
    if isinstance(obj, type):
        return f"it is the class {obj.__name__}; save its name instead"
    if callable(getattr(obj, "state_dict", None)):
        return f"it is an object of type {name}; save its state_dict() instead"
    if callable(obj) and hasattr(obj, "__qualname__"):
        return f"it is the function {obj.__qualname__}; code cannot be saved, save what it needs"
    for plain in (dict, list, tuple, set, int, float, str, bytes):
        if isinstance(obj, plain):
            return f"its type {name} would be lost; save {plain.__name__}(...) of it instead"
    return f"it is an object of type {name}; save its attributes (vars(...)) instead"


def _float(value: float) -> Json:
    # The bits, because JSON has no nan and infinity, and nan has a sign and a payload.
    return value if math.isfinite(value) else {"float": struct.pack(">d", value).hex()}


def _int(value: int) -> Json:
    # Decimal digits of very long numbers are refused by Python itself.
    return value if -(2**63) <= value < 2**64 else {"int": hex(value)}


def _itself(value: object) -> Json:
    return value


_SCALARS: Final[dict[type, Callable[[Any], Json]]] = {
    type(None): _itself,
    bool: _itself,
    str: _itself,
    np.str_: str,
    int: _int,
    float: _float,
    complex: lambda value: {"complex": [_float(value.real), _float(value.imag)]},
}

_CONTAINERS: Final[dict[type, Callable[[Encoder, Any, Path], Json]]] = {
    list: Encoder._list,
    tuple: Encoder._tuple,
    set: Encoder._set,
    frozenset: Encoder._set,
    dict: Encoder._dict,
    OrderedDict: Encoder._ordered_dict,
    bytes: Encoder._bytes,
    bytearray: Encoder._bytes,
}
