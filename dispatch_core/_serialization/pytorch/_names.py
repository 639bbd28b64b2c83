"""The names that PyTorch's files use for data, and what each of them becomes here.

A file that refers to anything else is refused with that name.
"""

from __future__ import annotations

import codecs
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import ml_dtypes
import numpy as np

from dispatch_core._device import device
from dispatch_core._dtypes import from_name
from dispatch_core._errors import FileFormatError
from dispatch_core._serialization._codecs import LoadContext, codec_of_kind, plain_array_codec
from dispatch_core._serialization._files import Bytes
from dispatch_core._serialization._safetensors import Array
from dispatch_core._serialization.pytorch._machine import Callee, Constant, Part, hashable
from dispatch_core._size import Size

STORAGES: Final[dict[str, Any]] = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
    "ComplexFloatStorage": np.complex64,
    "ComplexDoubleStorage": np.complex128,
}
_ALIASES: Final = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32",
    "short": "int16", "cfloat": "complex64", "cdouble": "complex128",
}  # fmt: skip
_FLOAT8: Final = ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0fnu")
_DTYPES: Final = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16",
    "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
_NUMPY: Final = ("numpy.core.multiarray", "numpy._core.multiarray")
MAX_DIMENSIONS: Final = 64
COPIES: Final = 16
"""How much a file may make of what it contains once, in times its size."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The memory of one or several tensors: its bytes, the numpy dtype (None: none of its own), its home."""

    data: Bytes
    dtype: np.dtype[Any] | None
    home: str


@dataclass(slots=True)
class _NumpyDtype(Part):
    """A numpy dtype while a pickle makes it; its byte order comes as its state."""

    dtype: np.dtype[Any]


@dataclass(slots=True)
class _Pending(Part):
    """A numpy array of which the pickle has not yet given the content."""

    array: Array | None = None


class Names:
    """What the names of one file stand for."""

    def __init__(self, context: LoadContext, size: int) -> None:
        self._context = context
        self._left = COPIES * size + (1 << 20)
        known: dict[tuple[str, str], Callee | Constant] = {}

        def call(module: str, name: str, make: Callable[..., Any]) -> None:
            known[module, name] = Callee(f"{module}.{name}", make)

        def constant(module: str, name: str, value: Any) -> None:
            known[module, name] = Constant(f"{module}.{name}", value)

        call("torch._utils", "_rebuild_tensor", self._tensor)
        call("torch._utils", "_rebuild_tensor_v2", self._tensor)
        call("torch._utils", "_rebuild_tensor_v3", self._typed_tensor)
        call("torch._utils", "_rebuild_parameter", self._parameter)
        call("torch._utils", "_rebuild_parameter_with_state", self._parameter)
        call("torch._tensor", "_rebuild_from_type_v2", self._of_type)
        call("torch", "Size", lambda sizes=(): Size(sizes))
        call("torch", "device", _device)
        call("collections", "OrderedDict", lambda pairs=(): OrderedDict(self._pairs(pairs)))
        call("collections", "Counter", lambda counts=(): Counter(dict(self._pairs(counts))))
        for builtins in ("builtins", "__builtin__"):
            call(builtins, "set", lambda members=(): set(self._members(members)))
            call(builtins, "frozenset", lambda members=(): frozenset(self._members(members)))
            call(builtins, "bytearray", self._bytearray)
            call(builtins, "complex", _complex)
        call("_codecs", "encode", self._encoded)
        call("numpy", "dtype", _numpy_dtype)
        for module in _NUMPY:
            call(module, "_reconstruct", lambda *ignored: _Pending())
            call(module, "scalar", self._scalar)
        constant("numpy", "ndarray", np.ndarray.__name__)
        constant("torch", "Tensor", "tensor")
        constant("torch.nn.parameter", "Parameter", "parameter")
        for name, kind in STORAGES.items():
            for module in ("torch", "torch.storage", "torch.cuda"):
                constant(module, name, np.dtype(kind))
        constant("torch.storage", "UntypedStorage", None)
        constant("torch", "UntypedStorage", None)
        for name in _DTYPES:
            constant("torch", name, from_name(name))
        for alias, name in _ALIASES.items():
            constant("torch", alias, from_name(name))
        for name in _FLOAT8:
            constant("torch", f"float8_{name}", np.dtype(getattr(ml_dtypes, f"float8_{name}")))
        self._known = known
        self._made: dict[int, tuple[Any, dict[str, str], Array]] = {}
        """By id each tensor with what it was made of, for those that become parameters."""

    def find(self, module: str, name: str) -> Callee | Constant:
        """What a name stands for.

        Raises:
            FileFormatError: nothing that is data.

        """
        found = self._known.get((module, name))
        if found is None:
            raise self._error(
                f"it refers to {module[:80]}.{name[:80]}, which is not data, and nothing but data is "
                "loaded; save a state_dict() of tensors and plain Python values instead"
            )
        return found

    def build(self, target: Any, state: Any) -> Any:
        """An object after a pickle has given it a state."""
        if isinstance(target, OrderedDict):
            metadata = state.get("_metadata") if isinstance(state, dict) else None
            if metadata is not None:
                target._metadata = metadata  # type: ignore[attr-defined]
            return target
        if isinstance(target, _NumpyDtype):
            order = state[1]
            if order not in ("<", ">", "|", "="):
                raise ValueError(f"byte order {order!r}")
            target.dtype = target.dtype.newbyteorder(order)
            return target
        if isinstance(target, _Pending):
            target.array = self._numpy_array(*state)
            return target.array
        raise TypeError(f"a state for {type(target).__name__}")

    def _error(self, reason: str) -> FileFormatError:
        return FileFormatError(f"{self._context.where}: {reason}")

    # -- tensors -----------------------------------------------------------------------------------

    def _tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> Any:
        if not isinstance(storage, Storage) or storage.dtype is None:
            raise TypeError("a tensor without a storage")
        return self._view(storage, storage.dtype, offset, size, stride, requires_grad, metadata)

    def _typed_tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        hooks: Any,
        dtype: Any,
        metadata: Any = None,
    ) -> Any:
        if not isinstance(storage, Storage):
            raise TypeError("a tensor without a storage")
        kind = dtype if isinstance(dtype, np.dtype) else np.dtype(dtype.numpy_dtype)
        return self._view(storage, kind, offset, size, stride, requires_grad, metadata)

    def _view(
        self,
        storage: Storage,
        kind: np.dtype[Any],
        offset: Any,
        size: Any,
        stride: Any,
        grad: Any,
        metadata: Any,
    ) -> Any:
        array = _window(storage.data, kind, offset, size, stride)
        lazy = metadata if isinstance(metadata, dict) else {}
        if kind.name.startswith("float8"):
            array = self._each(array, lambda a: a.astype(np.float32))  # which has all its values
        if lazy.get("conj") is True:
            array = self._each(array, np.conj)
        if lazy.get("neg") is True:
            array = self._each(array, np.negative)
        if kind == np.bool_ and array.size and array.view(np.uint8).max() > 1:
            raise ValueError("a bool that is neither 0 nor 1")
        record = {"device": storage.home, "requires_grad": "true" if grad is True else "false"}
        tensor = plain_array_codec().decode(record, [array], self._context)
        self._made[id(tensor)] = (tensor, record, array)
        return tensor

    def _parameter(
        self, data: Any, requires_grad: Any = True, hooks: Any = None, state: Any = None
    ) -> Any:
        codec = codec_of_kind("parameter")
        if codec is None or id(data) not in self._made:
            raise TypeError(f"a parameter of {type(data).__name__}")
        _, record, array = self._made[id(data)]
        record = record | {"requires_grad": "true" if requires_grad is True else "false"}
        return codec.decode(record, [array], self._context)

    def _of_type(self, function: Any, kind: Any, arguments: Any, state: Any) -> Any:
        if not isinstance(function, Callee) or kind not in ("tensor", "parameter"):
            raise TypeError("a tensor of an unknown kind")
        return function.make(*arguments)

    # -- numpy -------------------------------------------------------------------------------------

    def _scalar(self, kind: Any, data: Any) -> Any:
        return np.frombuffer(_bytes(data), _dtype_of(kind), 1)[0]

    def _numpy_array(self, version: Any, shape: Any, kind: Any, fortran: Any, data: Any) -> Array:
        dtype = _dtype_of(kind)
        self._spend(len(_bytes(data)))
        array = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
        return array.reshape(_integers(shape), order="F" if fortran else "C")

    # -- copies of what stands once in the file -----------------------------------------------------

    def _spend(self, size: int) -> None:
        """Raise where a file makes ever more of what it contains."""
        self._left -= size
        if self._left < 0:
            raise ValueError(f"it makes more than {COPIES} times its size of copies")

    def _each(self, array: Array, function: Callable[[Array], Array]) -> Array:
        """A function of all elements; of those that strides of 0 repeat once."""
        once = array[tuple(slice(None, 1) if s == 0 else slice(None) for s in array.strides)]
        self._spend(8 * once.size)
        return np.broadcast_to(function(once), array.shape)

    def _pairs(self, items: Any) -> list[tuple[Any, Any]]:
        """The items of a dict whose keys may be hashed."""
        pairs = list(items.items() if isinstance(items, dict) else items)
        self._spend(8 * len(pairs))
        return [(hashable(key), value) for key, value in pairs]

    def _members(self, items: Any) -> list[Any]:
        self._spend(8 * len(items))
        return list(map(hashable, items))

    def _encoded(self, text: Any, encoding: Any = "latin1") -> bytes:
        if encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
            raise ValueError(f"encoding {str(encoding)[:40]!r}")
        self._spend(len(text))
        return codecs.encode(text, encoding)

    def _bytearray(self, data: Any = b"", encoding: Any = "latin1") -> bytearray:
        if isinstance(data, str):
            return bytearray(self._encoded(data, encoding))
        self._spend(len(_bytes(data)))
        return bytearray(data)


def _window(data: Bytes, kind: np.dtype[Any], offset: Any, size: Any, stride: Any) -> Array:
    """The elements of a tensor in its storage; ValueError where they are not all inside."""
    sizes, strides = _integers(size), _integers(stride)
    if len(sizes) != len(strides) or len(sizes) > MAX_DIMENSIONS:
        raise ValueError("a tensor whose sizes and strides do not fit")
    (start,) = _integers((offset,))
    item = kind.itemsize
    if 0 in sizes:
        return np.empty(sizes, kind)
    last = start + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    if (last + 1) * item > data.size:
        raise ValueError(
            f"a tensor reaches to element {last}, but its storage has {data.size // item}"
        )
    return np.ndarray(sizes, kind, data, start * item, [s * item for s in strides])


def _integers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(type(v) is int and 0 <= v < 2**62 for v in values):
        raise ValueError("a size, stride or offset that is no natural number")
    return tuple(values)


def _numpy_dtype(code: Any, *ignored: Any) -> _NumpyDtype:
    if not isinstance(code, str) or code[:1] not in "biufcSU" or len(code) > 8:
        raise ValueError(f"numpy dtype {str(code)[:40]!r}, which is not one of numbers or text")
    return _NumpyDtype(np.dtype(code))


def _dtype_of(kind: Any) -> np.dtype[Any]:
    if not isinstance(kind, _NumpyDtype):
        raise TypeError("a numpy value without dtype")
    return kind.dtype


def _bytes(data: Any) -> bytes:
    if not isinstance(data, bytes):
        raise TypeError(f"{type(data).__name__} where there should be bytes")
    return data


def _device(*arguments: Any) -> device:
    try:
        return device(*arguments)
    except RuntimeError as error:
        raise ValueError(str(error)) from None


def _complex(real: Any = 0.0, imag: Any = 0.0) -> complex:
    if not isinstance(real, float) or not isinstance(imag, float):
        raise TypeError("a complex number of no floats")
    return complex(real, imag)
