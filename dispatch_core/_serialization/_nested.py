"""`save` and `load` of nested Python state as one safetensors file; no code from a file ever runs.

The metadata of the file holds three strings: the version, the structure (JSON: how the object is
built from the arrays) and its checksum. The structure also records dtype, shape and checksum of
every stored array, so that no damage to a file goes unnoticed.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from typing import Any, Final

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._codecs import LoadContext, plain_array_codec
from dispatch_core._serialization._decode import Decoder
from dispatch_core._serialization._encode import Encoder
from dispatch_core._serialization._files import Bytes, PathLike, Readable, Writable, open_source
from dispatch_core._serialization._header import TAG_OF_DTYPE
from dispatch_core._serialization._safetensors import (
    Array,
    SafetensorsFile,
    bytes_of,
    write_safetensors,
)
from dispatch_core._serialization._storages import Spec, View, make_view, parse_spec, plan
from dispatch_core._serialization.pytorch import is_pytorch, load_pytorch, save_pytorch

_PREFIX: Final = "dispatch_core."
_VERSION_KEY: Final = _PREFIX + "version"
_STRUCTURE_KEY: Final = _PREFIX + "structure"
_CHECKSUM_KEY: Final = _PREFIX + "crc32"
_KEYS: Final = {_VERSION_KEY, _STRUCTURE_KEY, _CHECKSUM_KEY}
_VERSION: Final = "1"

# Storages are aligned to this at least when views with other dtypes are made of their bytes.
_VIEW_ALIGNMENT: Final = 16


def save(obj: object, f: PathLike | Writable, format: str = "safetensors") -> None:
    """Save tensors, arrays, numbers, strings and nested dicts, lists, tuples and sets of them.

    Memory that tensors share is stored once and shared again after `load`. A file at a path is only
    replaced when everything has been written, so that a crash leaves the old file whole. The result
    is a safetensors file, which other libraries can open, or with `format="pytorch"` one for
    PyTorch.

    Raises:
        TypeError: something in `obj` cannot be saved, such as a function or a whole Module; the
            message says where it is and what to save instead.
        ValueError: `obj` contains itself or is nested too deeply, or the format is none of these.
        RuntimeError: the directory does not exist.
        OSError: the file cannot be written.

    """
    if format == "pytorch":
        save_pytorch(obj, f)
        return
    if format != "safetensors":
        raise ValueError(f"format must be 'safetensors' or 'pytorch', got {format!r}")
    encoder = Encoder()
    try:
        root = encoder.encode(obj)
        stored, specs = plan(encoder.arrays)
        structure = {
            "root": root,
            "arrays": [spec.to_json() if isinstance(spec, View) else spec for spec in specs],
            "stored": {name: _fingerprint(array) for name, array in stored.items()},
        }
        text = json.dumps(structure, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise ValueError("cannot save obj: it is nested too deeply") from None
    metadata = {_VERSION_KEY: _VERSION, _STRUCTURE_KEY: text, _CHECKSUM_KEY: _checksum(text)}
    write_safetensors(f, stored, metadata)


def load(f: PathLike | Readable, map_location: Any = None, *, mmap: bool | None = None) -> Any:
    """Load what `save` or PyTorch saved, or the arrays of any other safetensors file as a dict.

    `map_location` says to which device tensors go instead of the one they were saved from. With
    `mmap=True` (paths only) tensors are views of the file, read when they are touched and copied
    when they are written to; their checksums are then not verified.

    Raises:
        FileFormatError: the file is damaged, truncated or of another format.
        ValueError: `mmap` is asked of a file object.
        OSError: the file cannot be opened.

    """
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    source = open_source(f, map_file=bool(mmap))
    if is_pytorch(source):
        with contextlib.closing(source):
            return load_pytorch(source, map_location, verify=not mmap)
    with SafetensorsFile(source) as file:
        context = LoadContext(file.name, map_location)
        if not any(key.startswith(_PREFIX) for key in file.metadata):
            decode = plain_array_codec().decode
            return {name: decode(None, [file[name]], context) for name in file}
        structure = _structure(file)
        arrays = _Arrays(file, structure["arrays"], structure["stored"], verify=not mmap)
        try:
            return Decoder(context, arrays.at).decode(structure["root"])
        except RecursionError:
            raise _error(file.name, "the structure is nested too deeply") from None


class _Arrays:
    """The arrays of the file by number, each stored one read and verified at its first use."""

    def __init__(
        self, file: SafetensorsFile, specs: Any, fingerprints: Mapping[str, Any], *, verify: bool
    ) -> None:
        self._file = file
        self._fingerprints = fingerprints
        self._verify = verify
        self._stored: dict[str, Array] = {}
        self._bytes: dict[str, Bytes] = {}
        self._made: dict[Spec, Array] = {}
        self._specs = [parse_spec(spec, file, file.name) for spec in specs]

    def at(self, number: object) -> Array:
        if type(number) is not int or not 0 <= number < len(self._specs):
            raise _error(
                self._file.name, f"malformed structure: there is no array {str(number)[:80]}"
            )
        spec = self._specs[number]
        if spec not in self._made:
            self._made[spec] = (
                make_view(spec, self._storage(spec.stored), self._file.name)
                if isinstance(spec, View)
                else self._read(spec)
            )
        return self._made[spec]

    def _read(self, name: str) -> Array:
        if name not in self._stored:
            array = self._file[name]
            tag, shape, checksum = self._fingerprints[name]
            if [TAG_OF_DTYPE[array.dtype], list(array.shape)] != [tag, shape] or (
                self._verify and _checksum(bytes_of(array)) != checksum
            ):
                raise _error(
                    self._file.name, f"tensor {name!r} is damaged: its checksum does not match"
                )
            self._stored[name] = array
        return self._stored[name]

    def _storage(self, name: str) -> Bytes:
        if name not in self._bytes:
            raw = bytes_of(self._read(name))
            self._bytes[name] = raw if raw.ctypes.data % _VIEW_ALIGNMENT == 0 else raw.copy()
        return self._bytes[name]


def _structure(file: SafetensorsFile) -> dict[str, Any]:
    missing = _KEYS - file.metadata.keys()
    if missing:
        raise _error(file.name, f"damaged: the metadata lacks {', '.join(sorted(missing))}")
    if file.metadata[_VERSION_KEY] != _VERSION:
        raise _error(
            file.name,
            f"version {file.metadata[_VERSION_KEY][:20]!r} of the format is not known here, only "
            f"{_VERSION!r}; update dispatch_core",
        )
    text = file.metadata[_STRUCTURE_KEY]
    if _checksum(text) != file.metadata[_CHECKSUM_KEY]:
        raise _error(file.name, "damaged: the checksum of the structure does not match")
    try:
        structure = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise _error(file.name, f"the structure is not valid JSON: {reason}") from None
    match structure:
        case {"root": _, "arrays": list(), "stored": dict(stored), **rest} if (
            not rest
            and stored.keys() == file.keys()
            and all(isinstance(value, list) and len(value) == 3 for value in stored.values())
        ):
            checked: dict[str, Any] = structure
            return checked
    raise _error(file.name, "the structure does not fit the arrays in the file")


def _fingerprint(array: Array) -> list[object]:
    return [TAG_OF_DTYPE[array.dtype], list(array.shape), _checksum(bytes_of(array))]


def _checksum(data: str | Bytes) -> str:
    return f"{zlib.crc32(data.encode() if isinstance(data, str) else data.data):08x}"


def _error(file: str, reason: str) -> FileFormatError:
    return FileFormatError(f"{file}: {reason}")
