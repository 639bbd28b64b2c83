"""Reading what `torch.save` wrote: zip archives (since PyTorch 1.6) and the sequence of pickles before.

Zip: `<name>/data.pkl`, a pickle whose storages have persistent ids, and `<name>/data/<key>`, the
bytes of each, stored without compression. Before: five pickles - a magic number, a version, facts
about the machine, the object, the keys of the storages - and then the bytes of each.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._codecs import LoadContext
from dispatch_core._serialization._files import Bytes, Source
from dispatch_core._serialization.pytorch._machine import Machine
from dispatch_core._serialization.pytorch._names import Names, Storage

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION: Final = 1001
_LEGACY_START: Final = b"\x80\x02\x8a\x0a" + _MAGIC.to_bytes(10, "little")
_ZIP_START: Final = b"PK\x03\x04"
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")


def is_pytorch(source: Source) -> bool:
    """Whether a file begins as PyTorch's do."""
    return _start(source).startswith((_ZIP_START, _LEGACY_START))


def _start(source: Source) -> bytes:
    return source.read(0, min(len(_LEGACY_START), source.size)).tobytes()


def load_pytorch(source: Source, map_location: Any, *, verify: bool) -> Any:
    """The object in a file of PyTorch's, made of data alone.

    Raises:
        FileFormatError: the file is damaged, or contains something else than data.

    """
    context = LoadContext(source.name, map_location)
    read = _Zip if _start(source).startswith(_ZIP_START) else _Legacy
    try:
        return read(source, context, verify).load()
    except FileFormatError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        struct.error,
        EOFError,
        UnicodeDecodeError,
    ) as error:
        raise FileFormatError(f"{source.name}: damaged: {error}") from None


class _File:
    """What the two formats share: the names, and the storages that pickles refer to."""

    def __init__(self, source: Source, context: LoadContext, verify: bool) -> None:
        self.source = source
        self.names = Names(context, source.size)
        self.verify = verify
        self.storages: dict[str, Storage] = {}

    def error(self, reason: str) -> FileFormatError:
        return FileFormatError(f"{self.source.name}: {reason}")

    def machine(self, persistent: Callable[[Any], Any]) -> Machine:
        return Machine(self.source.name, self.names.find, persistent, self.names.build)

    def reference(self, identity: Any) -> tuple[Any, str, str, int]:
        """Dtype, key, home and length in elements of the storage that a pickle names."""
        match identity:
            case ("storage", kind, str(key), str(home), int(length), *_) if length >= 0:
                if kind is None or isinstance(kind, np.dtype):
                    return kind, key, home, length
        raise ValueError(f"an unknown reference {str(identity)[:80]}")


class _Zip(_File):
    """An archive of PyTorch 1.6 or later."""

    def load(self) -> Any:
        with zipfile.ZipFile(_Readable(self.source)) as archive:
            self.members = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in self.members if name.split("/")[1:] == ["data.pkl"]]
        if len(pickles) != 1:
            raise self.error(
                "a zip archive without data.pkl, so not one that `torch.save` wrote"
                if not pickles
                else "an archive with several data.pkl"
            )
        self.root = pickles[0].removesuffix("data.pkl")
        if f"{self.root}constants.pkl" in self.members:
            raise self.error(
                "a TorchScript archive, which holds code; load its state_dict() instead"
            )
        order = self.root + "byteorder"
        big = order in self.members and self.content(order).tobytes() == b"big"
        self.order = ">" if big else "<"
        stream = io.BytesIO(self.content(pickles[0], verify=True).tobytes())
        return self.machine(self.storage).run(stream)

    def storage(self, identity: Any) -> Storage:
        kind, key, home, length = self.reference(identity)
        if key not in self.storages:
            name = f"{self.root}data/{key}"
            if name not in self.members:
                raise self.error(f"damaged: the storage {key[:40]!r} is missing")
            data = _native(self.content(name), kind, self.order)
            if kind is not None and length * kind.itemsize > data.size:
                raise self.error(f"damaged: the storage {key[:40]!r} is too short")
            self.storages[key] = Storage(data, kind, home)
        return self.storages[key]

    def content(self, name: str, *, verify: bool = False) -> Bytes:
        """The bytes of a member; of a mapped file a view of it."""
        info = self.members[name]
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise self.error(f"its member {name[:80]!r} is compressed or encrypted")
        begin = info.header_offset + _LOCAL_HEADER.size
        if not 0 <= info.header_offset < begin <= self.source.size:
            raise self.error(f"damaged: its member {name[:80]!r} lies outside")
        header = self.source.read(info.header_offset, begin).tobytes()
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        begin += name_length + extra_length
        end = begin + info.file_size
        if signature != _ZIP_START or end > self.source.size:
            raise self.error(f"damaged: its member {name[:80]!r} lies outside")
        data = self.source.read(begin, end)
        if (self.verify or verify) and info.CRC and zlib.crc32(data.data) != info.CRC:
            raise self.error(f"damaged: the checksum of {name[:80]!r} does not match")
        return data


class _Legacy(_File):
    """A file of PyTorch before 1.6."""

    def load(self) -> Any:
        content = self.source.read(0, self.source.size)
        stream = io.BytesIO(content.tobytes())
        plain = self.machine(self._no_storage)
        if plain.run(stream) != _MAGIC:
            raise self.error("not a file that `torch.save` wrote")
        version, facts = plain.run(stream), plain.run(stream)
        if version != _LEGACY_VERSION or not isinstance(facts, dict):
            raise self.error(f"version {str(version)[:20]} of the format is not known")
        self.order = "<" if facts.get("little_endian", True) else ">"
        self.lengths: dict[str, tuple[Any, str, int]] = {}
        # The bytes come last, so the object is made twice: first to learn of which kinds they are.
        begin = stream.tell()
        self.machine(self._placeholder).run(stream)
        keys = plain.run(stream)
        self._read_storages(keys, content, stream.tell())
        return self.machine(self._storage).run(io.BytesIO(content[begin:].tobytes()))

    def _no_storage(self, identity: Any) -> Any:
        raise ValueError("a storage where none is expected")

    def _placeholder(self, identity: Any) -> Storage:
        kind, key, home, length = self.reference(identity)
        known = self.lengths.setdefault(key, (kind, home, length))
        sizes = [n * k.itemsize for k, _, n in self.lengths.values() if k is not None]
        if known[0] != kind or kind is None or length > known[2] or sum(sizes) > self.source.size:
            raise ValueError(f"the storage {key[:40]!r} does not fit its uses")
        return Storage(np.zeros(length * kind.itemsize, np.uint8), kind, "cpu")

    def _read_storages(self, keys: Any, content: Bytes, at: int) -> None:
        if not isinstance(keys, list) or set(keys) != self.lengths.keys():
            raise self.error("damaged: the storages are not those that the object uses")
        for key in keys:
            kind, home, _ = self.lengths[key]
            (count,) = struct.unpack("<q", content[at : at + 8].tobytes())
            begin = at + 8
            at = begin + count * kind.itemsize
            if count < 0 or at > content.size:
                raise self.error(f"damaged: the storage {key[:40]!r} is cut off")
            self.storages[key] = Storage(
                _native(content[begin:at].copy(), kind, self.order), kind, home
            )

    def _storage(self, identity: Any) -> Storage:
        whole = self.storages[self.reference(identity)[1]]
        view = identity[5] if len(identity) > 5 else None
        if view is None:
            return whole
        _, offset, length = view  # a storage that is a part of another
        item = whole.dtype.itemsize if whole.dtype is not None else 1
        if not (type(offset) is int and type(length) is int and 0 <= offset <= offset + length):
            raise ValueError("a part of a storage that is none")
        data = whole.data[offset * item : (offset + length) * item]
        return Storage(data, whole.dtype, whole.home)


def _native(data: Bytes, kind: np.dtype[Any] | None, order: str) -> Bytes:
    """The bytes in this machine's order, and where elements may be read of them."""
    item = 1 if kind is None else kind.itemsize
    here = "<" if np.little_endian else ">"
    if order != here and item > 1:
        part = item // 2 if kind is not None and kind.kind == "c" else item
        return data.reshape(-1, part)[:, ::-1].reshape(-1).copy()
    return data if data.ctypes.data % max(item, 1) == 0 else data.copy()


class _Readable(io.RawIOBase):
    """A source as the file that `zipfile` reads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._source.size)
        count = max(0, end - self._at)
        buffer[:count] = self._source.read(self._at, self._at + count).tobytes()
        self._at += count
        return count
