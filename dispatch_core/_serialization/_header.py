"""The header of a safetensors file: its dtype names, and reading it with every rule checked.

Format: 8 bytes little-endian length N, N bytes of JSON object, then the tensors' bytes, which the
entries' offsets must cover from first to last without gap or overlap.
(https://github.com/huggingface/safetensors#format)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import ml_dtypes
import numpy as np

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._files import Source

MAX_HEADER_BYTES: Final = 100_000_000
MAX_DIMENSIONS: Final = 64  # numpy's own limit
METADATA_KEY: Final = "__metadata__"

_NUMPY_TYPES: Final[dict[str, Any]] = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "I16": np.int16,
    "U16": np.uint16,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I32": np.int32,
    "U32": np.uint32,
    "F32": np.float32,
    "I64": np.int64,
    "U64": np.uint64,
    "F64": np.float64,
    "C64": np.complex64,
}
DTYPE_OF_TAG: Final[dict[str, np.dtype[Any]]] = {t: np.dtype(n) for t, n in _NUMPY_TYPES.items()}
TAG_OF_DTYPE: Final[dict[np.dtype[Any], str]] = {d: tag for tag, d in DTYPE_OF_TAG.items()}

# Packed types, which numpy cannot hold: such entries are checked, but cannot be read.
_PACKED_BITS: Final[dict[str, int]] = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor as the header describes it; `begin` and `end` count from the first data byte."""

    tag: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """A checked header; the data of all entries begins at byte `data_start` of the file."""

    entries: dict[str, Entry]
    metadata: dict[str, str]
    data_start: int


class _DuplicateKeyError(ValueError):
    pass


def read_header(source: Source) -> Header:
    """Return the header of `source`.

    Raises:
        FileFormatError: any rule of the format is broken; the message names file and tensor.

    """
    if source.size < 8:
        _fail(source, f"too short for a safetensors file: {source.size} bytes{_hint(source)}")
    length = int.from_bytes(source.read(0, 8).tobytes(), "little")
    available = source.size - 8
    if length > available:
        _fail(
            source,
            f"not a safetensors file, or truncated: its header should have {length} bytes, "
            f"the file has {available} more{_hint(source)}",
        )
    if length > MAX_HEADER_BYTES:
        _fail(source, f"header of {length} bytes exceeds the limit of {MAX_HEADER_BYTES}")
    fields = _parse_json(source, source.read(8, 8 + length).tobytes())
    metadata = _metadata(source, fields.pop(METADATA_KEY, {}))
    entries = {name: _entry(source, name, field) for name, field in fields.items()}
    _check_cover(source, entries, available - length)
    return Header(entries, metadata, 8 + length)


def _parse_json(source: Source, text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        _fail(source, f"not a safetensors file: its header does not begin with '{{'{_hint(source)}")
    try:
        fields = json.loads(
            text.decode(), object_pairs_hook=_unique_pairs, parse_constant=_no_constant
        )
    except _DuplicateKeyError as error:
        _fail(source, str(error))
    except (ValueError, RecursionError) as error:
        _fail(source, f"the header is not valid JSON: {error or 'nested too deeply'}")
    if not isinstance(fields, dict):  # pragma: no cover - a JSON text that begins with '{' is one
        _fail(source, "the header is not a JSON object")
    return fields


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _DuplicateKeyError(f"the header has the key {twice!r} twice")
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _metadata(source: Source, field: object) -> dict[str, str]:
    if not isinstance(field, dict) or not all(isinstance(v, str) for v in field.values()):
        _fail(source, f"{METADATA_KEY!r} must be an object whose values are all strings")
    return field


def _entry(source: Source, name: str, field: object) -> Entry:
    where = f"tensor {name!r}: "
    if not name.isprintable() and any("\ud800" <= c <= "\udfff" for c in name):
        _fail(source, where + "the name is not valid Unicode")
    if not isinstance(field, dict) or field.keys() != {"dtype", "shape", "data_offsets"}:
        _fail(source, where + "expected an object with exactly dtype, shape and data_offsets")
    tag, shape, offsets = field["dtype"], field["shape"], field["data_offsets"]
    bits = _bits(tag)
    if bits is None:
        known = ", ".join(DTYPE_OF_TAG)
        _fail(source, where + f"unknown dtype {_short(tag)}; known are {known}")
    if not _all_counts(shape):
        _fail(source, where + f"shape must be a list of non-negative integers, got {_short(shape)}")
    if len(shape) > MAX_DIMENSIONS:
        _fail(source, where + f"{len(shape)} dimensions; at most {MAX_DIMENSIONS} are supported")
    if not _all_counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _fail(source, where + f"data_offsets must be [begin, end], got {_short(offsets)}")
    # Zeros aside, so that even the strides of an empty array can be expressed.
    if math.prod(size or 1 for size in shape) * bits >= 2**63:
        _fail(source, where + f"shape {_short(shape)} is too large")
    needed = math.prod(shape) * bits
    if needed % 8:
        _fail(source, where + f"{tag} elements of shape {_short(shape)} do not fill whole bytes")
    if offsets[1] - offsets[0] != needed // 8:
        _fail(
            source,
            where + f"shape {_short(shape)} of {tag} needs {needed // 8} bytes, "
            f"its data_offsets {_short(offsets)} hold {offsets[1] - offsets[0]}",
        )
    return Entry(tag, tuple(shape), offsets[0], offsets[1])


def _bits(tag: object) -> int | None:
    if not isinstance(tag, str):
        return None
    dtype = DTYPE_OF_TAG.get(tag)
    return _PACKED_BITS.get(tag) if dtype is None else dtype.itemsize * 8


def _all_counts(value: object) -> bool:
    """Return whether `value` is a list of numbers that can be sizes (JSON's true is no number)."""
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 2**63 for v in value)


def _check_cover(source: Source, entries: Mapping[str, Entry], data_bytes: int) -> None:
    reached = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != reached:
            what = "overlaps the one before" if entry.begin < reached else "leaves a hole"
            _fail(
                source,
                f"tensor {name!r}: {what}: its data begins at {entry.begin}, expected {reached}",
            )
        reached = entry.end
        if reached > data_bytes:
            _fail(
                source,
                f"tensor {name!r}: its data ends at byte {reached}, beyond the {data_bytes} bytes "
                "of data in the file; the file is truncated",
            )
    if reached != data_bytes:
        _fail(source, f"{data_bytes - reached} bytes after the last tensor belong to none")


def _hint(source: Source) -> str:
    """Return a sentence about files that are mistaken for this format most often."""
    start = source.read(0, min(4, source.size)).tobytes()
    if start == b"PK\x03\x04" or start[:2] in (b"\x80\x02", b"\x80\x04"):
        return (
            ". It looks like a file of torch.save: write its state_dict with "
            "safetensors.torch.save_file instead, which dc.load reads"
        )
    if start == b"vers":
        return ". It looks like a Git LFS pointer: fetch the real file with git lfs pull"
    return ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _fail(source: Source, reason: str) -> NoReturn:
    raise FileFormatError(f"{source.name}: {reason}") from None
