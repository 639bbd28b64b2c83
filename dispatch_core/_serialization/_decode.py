"""JSON and arrays back to nested Python state; every malformed structure is a `FileFormatError`."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._codecs import LoadContext, codec_of_kind
from dispatch_core._serialization._encode import METADATA_ATTRIBUTE, Json
from dispatch_core._serialization._safetensors import Array, bytes_of

Hashed = TypeVar("Hashed", set[Any], frozenset[Any], dict[Any, Any])


class Decoder:
    """Rebuilds one object from its JSON and the file's arrays, which `array_at(number)` returns."""

    def __init__(self, context: LoadContext, array_at: Callable[[int], Array]) -> None:
        self._context = context
        self._array_at = array_at
        self._leaves: list[Any] = []

    def decode(self, json: Json) -> Any:
        """Return the object that was encoded as `json`.

        Raises:
            FileFormatError: nothing is encoded like this.

        """
        if json is None or isinstance(json, (bool, int, float, str)):
            return json
        if isinstance(json, list):
            return [self.decode(item) for item in json]
        if isinstance(json, dict) and len(json) == 1:
            ((tag, payload),) = json.items()
            decode = _TAGS.get(tag)
            if decode is not None:
                return decode(self, payload)
        raise self._malformed(json)

    def _malformed(self, json: object) -> FileFormatError:
        return FileFormatError(
            f"{self._context.where}: malformed structure at {str(json)[:200]}; "
            "was it written by a newer version?"
        )

    def _items(self, payload: Json) -> list[Any]:
        if not isinstance(payload, list):
            raise self._malformed(payload)
        return [self.decode(item) for item in payload]

    def _tuple(self, payload: Json) -> tuple[Any, ...]:
        return tuple(self._items(payload))

    def _set(self, payload: Json) -> set[Any]:
        return self._hashed(set, self._items(payload), payload)

    def _frozenset(self, payload: Json) -> frozenset[Any]:
        return self._hashed(frozenset, self._items(payload), payload)

    def _dict(self, payload: Json) -> dict[Any, Any]:
        items = self._items(payload)
        if len(items) % 2:
            raise self._malformed(payload)
        pairs = list(zip(items[::2], items[1::2], strict=True))
        return self._hashed(dict, pairs, payload)

    def _hashed(
        self, make: Callable[[list[Any]], Hashed], items: list[Any], payload: Json
    ) -> Hashed:
        try:
            made = make(items)
        except TypeError:  # an unhashable member or key
            raise self._malformed(payload) from None
        if len(made) != len(items):
            raise self._malformed(payload)
        return made

    def _ordered_dict(self, payload: Json) -> OrderedDict[Any, Any]:
        if not isinstance(payload, list) or len(payload) not in (1, 2):
            raise self._malformed(payload)
        made = OrderedDict(self._dict(payload[0]))
        if len(payload) == 2:
            setattr(made, METADATA_ATTRIBUTE, self.decode(payload[1]))
        return made

    def _int(self, payload: Json) -> int:
        try:
            return int(payload, 16)
        except (TypeError, ValueError):
            raise self._malformed(payload) from None

    def _float(self, payload: Json) -> float:
        try:
            value: float = struct.unpack(">d", bytes.fromhex(payload))[0]
        except (TypeError, ValueError, struct.error):
            raise self._malformed(payload) from None
        return value

    def _complex(self, payload: Json) -> complex:
        parts = self._items(payload)
        if len(parts) != 2 or not all(isinstance(part, float) for part in parts):
            raise self._malformed(payload)
        return complex(*parts)

    def _bytes(self, payload: Json) -> bytes:
        return bytes_of(self._array_at(payload)).tobytes()

    def _bytearray(self, payload: Json) -> bytearray:
        return bytearray(self._bytes(payload))

    def _leaf(self, payload: Json) -> Any:
        match payload:
            case [kind, json, list(numbers)]:
                codec = codec_of_kind(kind)
                if codec is None:
                    raise FileFormatError(
                        f"{self._context.where}: it contains a {str(kind)[:80]!r}, which nothing "
                        "here can read; import the package that defines it, or update dispatch_core"
                    )
                arrays = [self._array_at(number) for number in numbers]
                self._leaves.append(codec.decode(json, arrays, self._context))
                return self._leaves[-1]
        raise self._malformed(payload)

    def _same(self, payload: Json) -> Any:
        if type(payload) is not int or not 0 <= payload < len(self._leaves):
            raise self._malformed(payload)
        return self._leaves[payload]


_TAGS: Final[dict[str, Callable[[Decoder, Json], Any]]] = {
    "tuple": Decoder._tuple,
    "set": Decoder._set,
    "frozenset": Decoder._frozenset,
    "dict": Decoder._dict,
    "OrderedDict": Decoder._ordered_dict,
    "int": Decoder._int,
    "float": Decoder._float,
    "complex": Decoder._complex,
    "bytes": Decoder._bytes,
    "bytearray": Decoder._bytearray,
    "leaf": Decoder._leaf,
    "same": Decoder._same,
}
