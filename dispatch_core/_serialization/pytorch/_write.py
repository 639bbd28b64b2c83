"""Writing zip archives that `torch.load` reads, also with its `weights_only=True`."""

from __future__ import annotations

import functools
import io
import os
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import numpy as np

from dispatch_core._device import device
from dispatch_core._dtypes import dtype
from dispatch_core._serialization._codecs import SaveContext, codec_for
from dispatch_core._serialization._encode import METADATA_ATTRIBUTE, Path, describe, show
from dispatch_core._serialization._files import PathLike, Writable, replacing, write_all
from dispatch_core._serialization._safetensors import Array, bytes_of
from dispatch_core._serialization._storages import spans
from dispatch_core._serialization.pytorch._names import STORAGES
from dispatch_core._size import Size

_ALIGNMENT: Final = 64
"""Of the storages in the file, so that they can be mapped."""
_DEVICES: Final = ("cpu", "cuda", "xpu", "mps", "meta")
"""Those that PyTorch knows; what lies on others is written as if on the cpu."""
_STORAGE_OF: Final = {np.dtype(kind): name for name, kind in STORAGES.items()}
_TENSORS: Final = ("tensor", "parameter", "buffer")


def save_pytorch(obj: object, f: PathLike | Writable) -> None:
    """Write an object of tensors and plain Python values as PyTorch does.

    Raises:
        TypeError: something in it is no data; the message names its place.
        ValueError: it contains itself, or is nested too deeply.

    """
    leaves = _Leaves()
    try:
        leaves.collect(obj, ())
        writer = _Pickle(leaves)
        pickle = writer.write(obj)
    except RecursionError:
        raise ValueError("cannot save obj: it is nested too deeply") from None
    with _archive(f) as archive:
        _add(archive, "archive/data.pkl", pickle)
        _add(archive, "archive/byteorder", b"little" if np.little_endian else b"big")
        for key, storage in enumerate(leaves.storages):
            _add(archive, f"archive/data/{key}", bytes_of(storage).data)
        _add(archive, "archive/version", b"3\n")


@contextmanager
def _archive(f: PathLike | Writable) -> Iterator[zipfile.ZipFile]:
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as file, zipfile.ZipFile(file, "w") as archive:
            yield archive
    elif isinstance(f, Writable):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            yield archive
        write_all(f, buffer.getvalue())
    else:
        raise TypeError(
            f"expected a path or a binary file object with a 'write' method, got {type(f).__name__}"
        )


def _add(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    """A member without compression, whose bytes begin at a multiple of the alignment."""
    file: IO[bytes] = archive.fp  # type: ignore[assignment]
    info = zipfile.ZipInfo(name)
    begin = file.tell() + 30 + len(name) + 4
    padding = -begin % _ALIGNMENT
    info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    archive.writestr(info, content)


class _Leaves:
    """The tensors of an object as host arrays, and the storages that they are views of."""

    def __init__(self) -> None:
        self._context = SaveContext()
        self._open: set[int] = set()
        self._arrays: dict[int, tuple[Any, Any, Array]] = {}
        """By id: the tensor, its record and its elements."""

    def collect(self, obj: Any, path: Path) -> None:
        """Take the arrays of all tensors in an object; raises for what is no data."""
        if isinstance(obj, (list, tuple, set, frozenset)) and type(obj) is not Size:
            self._inside(obj, enumerate(obj), path)
        elif type(obj) in (dict, OrderedDict):
            self._inside(obj, obj.items(), path)
        elif type(obj) not in _WRITERS and not isinstance(obj, (np.ndarray, np.generic)):
            self._tensor(obj, path)

    def _inside(self, obj: Any, items: Iterable[tuple[Any, Any]], path: Path) -> None:
        if id(obj) in self._open:
            raise ValueError(f"cannot save {show(path)}: it contains itself")
        self._open.add(id(obj))
        for key, value in items:
            self.collect(value, (*path, key))
        self._open.discard(id(obj))

    def _tensor(self, obj: Any, path: Path) -> None:
        codec = codec_for(type(obj))
        if codec is None or codec.kind not in _TENSORS:
            raise TypeError(f"cannot save {show(path)}: {describe(obj)}")
        if id(obj) not in self._arrays:
            record, (array,) = codec.encode(obj, self._context)
            if any(s < 0 or s % array.itemsize for s in array.strides):
                array = array.copy()
            self._arrays[id(obj)] = (obj, (codec.kind, record), array)

    @functools.cached_property
    def _spans(self) -> tuple[list[Array], dict[int, tuple[Array, int, int]]]:
        keys = list(self._arrays)
        storages, places = spans([self._arrays[key][2] for key in keys])
        return storages, dict(zip(keys, places, strict=True))

    @property
    def storages(self) -> list[Array]:
        """The memory to write, each once; asked for when everything has been collected."""
        return self._spans[0]

    def placed(self, obj: Any) -> tuple[Any, Array, int, int]:
        """A tensor's record, its elements, the number of its storage and the offset in elements."""
        array, number, offset = self._spans[1][id(obj)]
        return self._arrays[id(obj)][1], array, number, offset // array.itemsize


class _Pickle:
    """Writes one pickle of protocol 2, with the names that PyTorch reads."""

    def __init__(self, leaves: _Leaves) -> None:
        self._leaves = leaves
        self._out = bytearray(b"\x80\x02")
        self._memo: dict[int, int] = {}

    def write(self, obj: object) -> bytes:
        self._value(obj)
        self._out += b"."
        return bytes(self._out)

    def _value(self, obj: Any) -> None:
        writer = _WRITERS.get(type(obj))
        if writer is not None:
            writer(self, obj)
        elif isinstance(obj, tuple):
            self._tuple(obj)
        elif isinstance(obj, np.ndarray):
            self._array(obj)
        elif isinstance(obj, np.generic):
            self._call("numpy.core.multiarray", "scalar", _NumpyKind(obj.dtype), obj.tobytes())
        else:
            self._tensor(obj)

    def _name(self, module: str, name: str) -> None:
        self._out += f"c{module}\n{name}\n".encode()

    def _call(self, module: str, name: str, *arguments: Any) -> None:
        self._name(module, name)
        self._tuple(arguments)
        self._out += b"R"

    # -- plain values ------------------------------------------------------------------------------

    def _none(self, obj: None) -> None:
        self._out += b"N"

    def _bool(self, obj: bool) -> None:
        self._out += b"\x88" if obj else b"\x89"

    def _int(self, obj: int) -> None:
        if -(2**31) <= obj < 2**31:
            self._out += b"J" + struct.pack("<i", obj)
            return
        data = obj.to_bytes(obj.bit_length() // 8 + 1, "little", signed=True)
        long = len(data) > 255
        self._out += b"\x8b" + struct.pack("<i", len(data)) if long else bytes((0x8A, len(data)))
        self._out += data

    def _float(self, obj: float) -> None:
        self._out += b"G" + struct.pack(">d", obj)

    def _complex(self, obj: complex) -> None:
        self._call("__builtin__", "complex", obj.real, obj.imag)

    def _text(self, obj: str) -> None:
        data = str(obj).encode("utf-8", "surrogatepass")
        self._out += b"X" + struct.pack("<I", len(data)) + data

    def _bytes(self, obj: bytes) -> None:
        self._call("_codecs", "encode", obj.decode("latin1"), "latin1")

    def _bytearray(self, obj: bytearray) -> None:
        self._call("__builtin__", "bytearray", bytes(obj).decode("latin1"), "latin-1")

    def _list(self, obj: list[Any]) -> None:
        self._out += b"]("
        for item in obj:
            self._value(item)
        self._out += b"e"

    def _tuple(self, obj: tuple[Any, ...]) -> None:
        self._out += b"("
        for item in obj:
            self._value(item)
        self._out += b"t"

    def _members(self, obj: Any) -> None:
        self._call("__builtin__", type(obj).__name__, list(obj))

    def _dict(self, obj: dict[Any, Any]) -> None:
        self._out += b"}"
        self._items(obj)

    def _ordered_dict(self, obj: OrderedDict[Any, Any]) -> None:
        self._call("collections", "OrderedDict")
        self._items(obj)
        metadata = vars(obj).get(METADATA_ATTRIBUTE)
        if metadata is not None:
            self._dict({METADATA_ATTRIBUTE: metadata})
            self._out += b"b"

    def _items(self, obj: dict[Any, Any]) -> None:
        self._out += b"("
        for key, value in obj.items():
            self._value(key)
            self._value(value)
        self._out += b"u"

    # -- the framework's ---------------------------------------------------------------------------

    def _dtype(self, obj: dtype) -> None:
        self._name("torch", obj.name)

    def _device(self, obj: device) -> None:
        self._call(
            "torch", "device", *((obj.type,) if obj.index is None else (obj.type, obj.index))
        )

    def _size(self, obj: Size) -> None:
        self._call("torch", "Size", tuple(obj))

    def _tensor(self, obj: Any) -> None:
        if id(obj) in self._memo:
            self._out += b"j" + struct.pack("<I", self._memo[id(obj)])
            return
        (kind, record), array, number, offset = self._leaves.placed(obj)
        grad = record.get("requires_grad") == "true"
        home = record.get("device", "cpu")
        home = home if home.partition(":")[0] in _DEVICES else "cpu"
        view = _View(array, number, offset, home, grad and kind != "parameter")
        if kind == "parameter":
            self._call("torch._utils", "_rebuild_parameter", view, grad, OrderedDict())
        else:
            self._view(view)
        self._memo[id(obj)] = len(self._memo)
        self._out += b"r" + struct.pack("<I", self._memo[id(obj)])

    def _view(self, view: _View) -> None:
        array = view.array
        typed = array.dtype in _STORAGE_OF
        strides = tuple(s // array.itemsize for s in array.strides)
        arguments: tuple[Any, ...] = (view.offset, array.shape, strides, view.grad, OrderedDict())
        self._name("torch._utils", "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3")
        self._out += b"("
        self._storage(view, typed)
        for each in arguments:
            self._value(each)
        if not typed:
            self._name("torch", array.dtype.name)
        self._out += b"tR"

    def _storage(self, view: _View, typed: bool) -> None:
        whole = self._leaves.storages[view.number]
        self._out += b"("
        self._text("storage")
        if typed:
            self._name("torch", _STORAGE_OF[view.array.dtype])
        else:
            self._name("torch.storage", "UntypedStorage")
        self._text(str(view.number))
        self._text(view.home)
        self._int(whole.nbytes // view.array.itemsize if typed else whole.nbytes)
        self._out += b"tQ"

    # -- numpy's -----------------------------------------------------------------------------------

    def _array(self, obj: Array) -> None:
        self._name("numpy.core.multiarray", "_reconstruct")
        self._out += b"("
        self._name("numpy", "ndarray")
        self._value((0,))
        self._value(b"b")
        self._out += b"tR"
        order = bytes_of(obj).tobytes()
        self._value((1, obj.shape, _NumpyKind(obj.dtype), False, order))
        self._out += b"b"

    def _numpy_kind(self, obj: _NumpyKind) -> None:
        kind = obj.dtype
        if kind.kind not in "biufcSU":
            raise TypeError(
                f"cannot save an array of dtype {kind}: it is not one of numbers or text"
            )
        self._call("numpy", "dtype", kind.str[1:], False, True)
        order = kind.str[0]
        self._value((3, order, None, None, None, -1, -1, 0))
        self._out += b"b"


class _NumpyKind:
    """A numpy dtype on its way into a pickle."""

    def __init__(self, kind: np.dtype[Any]) -> None:
        self.dtype = kind


class _View:
    """A tensor on its way into a pickle."""

    def __init__(self, array: Array, number: int, offset: int, home: str, grad: bool) -> None:
        self.array = array
        self.number = number
        self.offset = offset
        self.home = home
        self.grad = grad


_WRITERS: Final[dict[type, Callable[[_Pickle, Any], None]]] = {
    type(None): _Pickle._none,
    bool: _Pickle._bool,
    int: _Pickle._int,
    float: _Pickle._float,
    complex: _Pickle._complex,
    str: _Pickle._text,
    np.str_: _Pickle._text,
    bytes: _Pickle._bytes,
    bytearray: _Pickle._bytearray,
    list: _Pickle._list,
    tuple: _Pickle._tuple,
    set: _Pickle._members,
    frozenset: _Pickle._members,
    dict: _Pickle._dict,
    OrderedDict: _Pickle._ordered_dict,
    dtype: _Pickle._dtype,
    device: _Pickle._device,
    Size: _Pickle._size,
    _NumpyKind: _Pickle._numpy_kind,
    _View: _Pickle._view,
}
