"""Reading (lazily, memory-mapped) and writing of arrays in the safetensors format."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._files import (
    Bytes,
    PathLike,
    Readable,
    Source,
    Writable,
    open_source,
    replacing,
    write_all,
)
from dispatch_core._serialization._header import (
    DTYPE_OF_TAG,
    MAX_HEADER_BYTES,
    METADATA_KEY,
    TAG_OF_DTYPE,
    Entry,
    read_header,
)

Array: TypeAlias = npt.NDArray[Any]

# Where the data begins and, as entries are sorted by width, how far every array is aligned at least
# to its own width: a cache line, so that the first and largest arrays suit vector instructions.
_HEADER_MULTIPLE = 64


class SafetensorsFile(Mapping[str, Array]):
    """The arrays of one file by name, each read when it is asked for.

    `file` is a path or a binary file object. With `mmap` a path is mapped and arrays are views of
    the map: writing into them is allowed and never reaches the file. `metadata` holds the strings
    stored beside the arrays, `entries` their dtype, shape and place.

    Raises:
        OSError: the path cannot be opened.
        FileFormatError: a rule of the format is broken; the whole header is checked at once.

    """

    def __init__(self, file: PathLike | Readable | Source, *, mmap: bool = True) -> None:
        self._source = open_source(file, map_file=mmap)
        try:
            header = read_header(self._source)
        except BaseException:
            self._source.close()
            raise
        self.name: str = self._source.name
        self.metadata: dict[str, str] = header.metadata
        self.entries: dict[str, Entry] = header.entries
        self._data_start = header.data_start
        self._closed = False

    def __getitem__(self, name: str) -> Array:
        """Return the array called `name`.

        Raises:
            KeyError: there is none.
            FileFormatError: its elements are not what its dtype allows, or numpy has no such dtype.
            ValueError: the file is closed.

        """
        entry = self.entries[name]
        dtype = DTYPE_OF_TAG.get(entry.tag)
        if dtype is None:
            raise FileFormatError(
                f"{self.name}: tensor {name!r}: elements of type {entry.tag} are narrower than a "
                "byte, which is not supported"
            )
        raw = self.raw(name)
        if entry.tag == "BOOL" and raw.size and raw.max() > 1:
            raise FileFormatError(f"{self.name}: tensor {name!r}: a bool is neither 0 nor 1")
        if not raw.size:
            return np.empty(entry.shape, dtype)
        if raw.ctypes.data % dtype.alignment:
            raw = raw.copy()
        array: Array = np.ndarray(entry.shape, dtype, buffer=raw)
        return array if sys.byteorder == "little" else array.byteswap()

    def raw(self, name: str) -> Bytes:
        """Return the bytes of the array called `name`."""
        if self._closed:
            raise ValueError(f"{self.name}: the file is closed; read its arrays before")
        entry = self.entries[name]
        return self._source.read(self._data_start + entry.begin, self._data_start + entry.end)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def close(self) -> None:
        """Let go of the file; arrays that were read stay valid."""
        self._closed = True
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SafetensorsFile {self.name!r}: {len(self)} arrays>"


def write_safetensors(
    file: PathLike | Writable,
    arrays: Mapping[str, Array],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write `arrays` of any memory layout and byte order; a path is replaced only if all went well.

    Raises:
        TypeError: an array's dtype is unknown to the format, or a key or value is not a string.
        ValueError: a name is reserved or not Unicode, or the header would be too large.
        RuntimeError: the directory does not exist.
        OSError: the file cannot be written.

    """
    prepared = {name: _native(name, array) for name, array in arrays.items()}
    # Widest first, so that every array is aligned to its width without padding between.
    order = sorted(prepared, key=lambda name: -prepared[name].dtype.itemsize)
    header = _header_bytes(prepared, order, metadata or {})
    if isinstance(file, (str, os.PathLike)):
        with replacing(file) as opened:
            _write(opened, header, [prepared[name] for name in order])
    elif isinstance(file, Writable) and not isinstance(file, io.TextIOBase):
        _write(file, header, [prepared[name] for name in order])
    else:
        raise TypeError(
            f"expected a path or a binary file object with a 'write' method, "
            f"got {type(file).__name__}"
        )


def bytes_of(array: Array) -> Bytes:
    """Return the elements in C order as bytes; a view where the array is contiguous."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return (
        np.ndarray((array.nbytes,), np.uint8, buffer=flat) if flat.size else np.empty(0, np.uint8)
    )


def _native(name: str, array: object) -> Array:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"array {name!r}: expected a numpy array, got {type(array).__name__}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in TAG_OF_DTYPE:
        raise TypeError(
            f"array {name!r}: the safetensors format has no dtype {array.dtype}; it has "
            + ", ".join(str(dtype) for dtype in TAG_OF_DTYPE)
        )
    return array


def _header_bytes(
    arrays: Mapping[str, Array], order: list[str], metadata: Mapping[str, str]
) -> bytes:
    for text in (*arrays, *metadata, *metadata.values()):
        _check_text(text)
    if METADATA_KEY in arrays:
        raise ValueError(f"{METADATA_KEY!r} is reserved and cannot be an array's name")
    offsets: dict[str, list[int]] = {}
    end = 0
    for name in order:
        offsets[name] = [end, end + arrays[name].nbytes]
        end += arrays[name].nbytes
    fields: dict[str, object] = {METADATA_KEY: dict(metadata)} if metadata else {}
    for name, array in arrays.items():
        fields[name] = {
            "dtype": TAG_OF_DTYPE[array.dtype],
            "shape": array.shape,
            "data_offsets": offsets[name],
        }
    header = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-(len(header) + 8) % _HEADER_MULTIPLE)
    if len(header) > MAX_HEADER_BYTES:
        raise ValueError(
            f"the header would have {len(header)} bytes, more than the {MAX_HEADER_BYTES} that "
            "readers accept; put large lists and strings into arrays"
        )
    return len(header).to_bytes(8, "little") + header


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"names and metadata must be strings, got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text[:80]!r} is not valid Unicode: it contains a surrogate") from None


def _write(file: Writable, header: bytes, arrays: list[Array]) -> None:
    write_all(file, header)
    for array in arrays:
        write_all(file, bytes_of(array if sys.byteorder == "little" else array.byteswap()))
