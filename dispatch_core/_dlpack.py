"""DLPack for numpy arrays in both directions, bfloat16 included.

numpy does the exchange: lifetimes, the renaming of used capsules, flags, strides and devices. All
it lacks is bfloat16, which here crosses as uint16 while the byte in the capsule's structure that
names the kind of element is rewritten. (https://dmlc.github.io/dlpack/latest/c_api.html)
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib.array_utils import byte_bounds

from dispatch_core._dtypes import bfloat16

Array: TypeAlias = np.ndarray[Any, Any]

CPU_DEVICE: Final = (1, 0)
MAX_VERSION: Final = (1, 0)

_BFLOAT_CODE: Final = 4
_UINT_CODE: Final = 1


class DeviceType(IntEnum):
    """The kinds of memory that DLPack can name."""

    CPU = 1
    CUDA = 2
    CUDA_HOST = 3
    OPENCL = 4
    VULKAN = 7
    METAL = 8
    VPI = 9
    ROCM = 10
    ROCM_HOST = 11
    EXT_DEV = 12
    CUDA_MANAGED = 13
    ONE_API = 14
    WEBGPU = 15
    HEXAGON = 16
    MAIA = 17


_HOST_READABLE: Final = {
    DeviceType.CPU,
    DeviceType.CUDA_HOST,
    DeviceType.ROCM_HOST,
    DeviceType.CUDA_MANAGED,
}


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    )


class _VersionedTensor(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager_ctx", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi)
)
# numpy's annotation knows only the old form of __dlpack__.
_import: Final[Any] = np.from_dlpack
_pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def from_dlpack(
    source: Any, /, *, dl_device: tuple[int, int] | None = None, copy: bool | None = None
) -> Array:
    """Return an array on the memory of `source`, an object with `__dlpack__` or a bare capsule.

    `dl_device=(1, 0)` asks the owner to bring the data to the host first. The array can be written
    to unless the owner forbids it. With `copy=True` the memory is new, with `copy=False` shared.

    Raises:
        TypeError: `source` does not speak DLPack.
        BufferError: its memory, element type or version cannot be taken over, or its capsule was
            used before, or `copy=False` cannot be had.

    """
    exporter = source if hasattr(source, "__dlpack__") else _Bare(source)
    device = dl_device or exporter.__dlpack_device__()
    if device[0] not in _HOST_READABLE:
        raise BufferError(
            f"cannot read the memory of DLPack device {_device_name(device)} from the host; "
            "copy the array to the cpu first"
        )
    try:
        capsule = exporter.__dlpack__(max_version=MAX_VERSION, dl_device=dl_device, copy=copy)
        copied = copy and exporter is source  # a bare capsule was made before
    except TypeError:  # an exporter of before DLPack 1.0 takes no such arguments
        capsule = exporter.__dlpack__()
        copied = False
    tensor, can_forbid = _tensor_of(capsule)
    is_bfloat16 = (tensor.code, tensor.bits, tensor.lanes) == (_BFLOAT_CODE, 16, 1)
    if is_bfloat16:
        tensor.code = _UINT_CODE
    try:
        array: Array = _import(_Bare(capsule))
    except (BufferError, RuntimeError, ValueError) as error:
        raise BufferError(f"cannot take over this DLPack tensor: {error}") from error
    if is_bfloat16:
        array = array.view(bfloat16.numpy_dtype)
    if copy and not copied:
        return array.copy()
    return array if can_forbid else _writable(array)


def to_dlpack(
    array: Array,
    *,
    stream: object = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Return a capsule that shares `array`, for its `__dlpack__`.

    Without `max_version` of at least (1, 0) the capsule is of the old kind, which cannot say that
    memory must not be written to.

    Raises:
        BufferError: the array is read-only and the old kind asked for, its strides are no multiples
            of its elements, its dtype is not known to DLPack, `stream` or another device is asked.

    """
    if stream is not None:
        raise BufferError(f"arrays in host memory have no streams, got stream={stream!r}")
    if dl_device is not None and tuple(dl_device) != CPU_DEVICE:
        raise BufferError(
            f"cannot export host memory to DLPack device {_device_name(dl_device)}; "
            "move the tensor there first"
        )
    is_bfloat16 = array.dtype == bfloat16.numpy_dtype
    exported: Any = array.view(np.uint16) if is_bfloat16 else array
    capsule = exported.__dlpack__(max_version=max_version, copy=copy)
    if is_bfloat16:
        _tensor_of(capsule)[0].code = _BFLOAT_CODE
    return capsule


class _Bare:
    """A capsule with the two methods that importers call; it has already been made as was asked."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule
        self._tensor, _ = _tensor_of(capsule)

    def __dlpack__(self, **ignored: object) -> object:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._tensor.device_type, self._tensor.device_id


def _tensor_of(capsule: Any) -> tuple[_Tensor, bool]:
    """Return what an unused capsule says of its array, and whether it can say "read-only"."""
    if type(capsule).__name__ != "PyCapsule":
        raise TypeError(
            f"expected an array with a __dlpack__ method or a DLPack capsule, "
            f"got {type(capsule).__name__}"
        )
    if _is_valid(capsule, b"dltensor_versioned"):
        versioned = _VersionedTensor.from_address(_pointer_of(capsule, b"dltensor_versioned"))
        if versioned.major != MAX_VERSION[0]:
            raise BufferError(
                f"DLPack version {versioned.major}.{versioned.minor} is not known here, "
                f"only {MAX_VERSION[0]}.x"
            )
        return versioned.tensor, True
    if _is_valid(capsule, b"dltensor"):
        return _Tensor.from_address(_pointer_of(capsule, b"dltensor")), False
    raise BufferError("the capsule is not one of DLPack, or it was used before; make a new one")


def _writable(array: Array) -> Array:
    """Return an array on the same memory that can be written to.

    numpy forbids it for capsules of the old kind, which could not say; everybody else allows it.
    """
    if array.flags.writeable or not array.size:
        return array
    low, high = byte_bounds(array)
    memory: Any = (ctypes.c_uint8 * (high - low)).from_address(low)
    memory.owner = array
    return np.ndarray(array.shape, array.dtype, memory, array.ctypes.data - low, array.strides)


def _device_name(device: tuple[int, int]) -> str:
    kinds = {kind.value: kind.name for kind in DeviceType}
    return f"({kinds.get(device[0], device[0])}, {device[1]})"
