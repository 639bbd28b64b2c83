"""DLPack both ways, against numpy's own and, for bfloat16, against the structure itself."""

from __future__ import annotations

import ctypes
import datetime
import gc
import weakref
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dispatch_core import _dlpack
from dispatch_core._dlpack import from_dlpack, to_dlpack
from dispatch_core._dtypes import ALL_DTYPES, dtype


class Exporter:
    """An array as another library would offer it; `old` before DLPack 1.0."""

    def __init__(self, array: Any, *, old: bool = False, device: tuple[int, int] = (1, 0)) -> None:
        self.array, self.old, self.device = array, old, device

    def __dlpack__(self, **arguments: Any) -> Any:
        if self.old and arguments:
            raise TypeError("unexpected keyword argument")
        return to_dlpack(self.array, **arguments)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


LAYOUTS: list[Callable[[Any], Any]] = [
    lambda a: a,
    lambda a: a.T,
    lambda a: a[::-1, ::2],
    lambda a: a[:0],
    lambda a: np.array(a[0, 1]),
    lambda a: np.lib.stride_tricks.as_strided(a, (3, 2), (0, a.itemsize)),
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("d", ALL_DTYPES, ids=repr)
@pytest.mark.parametrize("old", [True, False])
def test_shares_memory(layout: Callable[[Any], Any], d: dtype, old: bool) -> None:
    array = layout(np.arange(12).reshape(3, 4).astype(d.numpy_dtype))
    back = from_dlpack(Exporter(array, old=old))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert (back == array).all()
    if array.size:
        assert back.flags.writeable
        assert np.shares_memory(back, array)
        assert back.strides == array.strides
        back[...] = 1
        assert (array == 1).all()
    copied = from_dlpack(Exporter(array, old=old), copy=True)
    assert not np.shares_memory(copied, array)
    assert (copied == array).all()


@pytest.mark.parametrize("d", [d for d in ALL_DTYPES if d.name != "bfloat16"], ids=repr)
def test_numpy_understands_us_and_we_numpy(d: dtype) -> None:
    array = np.arange(6).reshape(2, 3).astype(d.numpy_dtype)
    for back in (np.from_dlpack(Exporter(array)), from_dlpack(array)):
        assert np.shares_memory(back, array)
        assert (back == array).all()


@pytest.mark.parametrize("max_version", [None, (0, 8), (1, 0), (1, 3), (9, 0)])
def test_what_a_capsule_of_bfloat16_says(max_version: tuple[int, int] | None) -> None:
    array = np.ones((2, 3), ml_dtypes.bfloat16)
    capsule = to_dlpack(array, max_version=max_version)
    versioned = max_version is not None and max_version >= (1, 0)
    assert ("dltensor_versioned" in repr(capsule)) == versioned
    tensor, _ = _dlpack._tensor_of(capsule)
    assert (tensor.code, tensor.bits, tensor.lanes) == (4, 16, 1)
    assert (tensor.device_type, tensor.device_id, tensor.ndim) == (1, 0, 2)
    assert list((ctypes.c_int64 * 2).from_address(tensor.shape)) == [2, 3]
    assert tensor.data + tensor.byte_offset == array.ctypes.data
    assert from_dlpack(capsule).dtype == array.dtype
    assert "used_dltensor" in repr(capsule)
    with pytest.raises(BufferError, match="used before"):
        from_dlpack(capsule)


@pytest.mark.parametrize("type_", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("old", [True, False])
def test_lifetimes(type_: Any, old: bool) -> None:
    array = np.ones((4, 5), type_)
    alive = weakref.ref(array)
    back = from_dlpack(Exporter(array, old=old))[1:, ::2]
    del array
    gc.collect()
    assert alive() is not None
    assert (back == 1).all()
    del back
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("type_", [np.float32, ml_dtypes.bfloat16])
def test_an_unused_capsule_frees_its_array(type_: Any) -> None:
    array = np.ones(3, type_)
    alive = weakref.ref(array)
    capsules = [to_dlpack(array), to_dlpack(array, max_version=(1, 0))]
    del array
    gc.collect()
    assert alive() is not None
    capsules.clear()
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("type_", [np.float32, ml_dtypes.bfloat16])
def test_read_only(type_: Any) -> None:
    array = np.ones(3, type_)
    array.flags.writeable = False
    back = from_dlpack(Exporter(array))
    assert np.shares_memory(back, array)
    assert not back.flags.writeable
    assert from_dlpack(Exporter(array), copy=True).flags.writeable
    with pytest.raises(BufferError, match="readonly"):
        to_dlpack(array)


def test_copy_is_made_once_by_whoever_can() -> None:
    array = np.ones(3, ml_dtypes.bfloat16)
    capsule = to_dlpack(array, copy=True)
    assert not np.shares_memory(from_dlpack(capsule), array)
    assert not np.shares_memory(from_dlpack(to_dlpack(array), copy=True), array)
    assert np.shares_memory(from_dlpack(Exporter(array), copy=False), array)
    assert np.shares_memory(from_dlpack(Exporter(array), dl_device=(1, 0)), array)


def test_other_devices() -> None:
    array = np.ones(3)
    with pytest.raises(BufferError, match=r"memory of DLPack device \(CUDA, 1\) from the host"):
        from_dlpack(Exporter(array, device=(2, 1)))
    with pytest.raises(BufferError, match=r"device \(99, 0\)"):
        from_dlpack(Exporter(array, device=(99, 0)))
    with pytest.raises(BufferError, match=r"cannot export host memory to .* \(CUDA, 0\)"):
        to_dlpack(array, dl_device=(2, 0))
    back = from_dlpack(Exporter(array, device=(2, 1)), dl_device=(1, 0))
    assert np.shares_memory(back, array)
    capsule = to_dlpack(array)
    _dlpack._tensor_of(capsule)[0].device_type = 10
    with pytest.raises(BufferError, match=r"\(ROCM, 0\)"):
        from_dlpack(capsule)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones(4, "i1,i2")["f1"], "strides"),
        (np.ones(3, np.dtype(np.float32).newbyteorder("S")), "byte order"),
        (np.array(["a"]), "dtypes"),
        (np.ones(3, ml_dtypes.float8_e5m2), "dtypes"),
    ],
)
def test_what_cannot_be_exported(array: Any, message: str) -> None:
    with pytest.raises(BufferError, match=message):
        to_dlpack(array)


def test_streams_are_refused() -> None:
    with pytest.raises(BufferError, match="no streams, got stream=1"):
        to_dlpack(np.ones(3), stream=1)


@pytest.mark.parametrize("change", [{"code": 3}, {"bits": 8, "code": 2}, {"lanes": 4}])
def test_unknown_elements(change: dict[str, int]) -> None:
    capsule = to_dlpack(np.ones(3, ml_dtypes.bfloat16))
    for name, value in change.items():
        setattr(_dlpack._tensor_of(capsule)[0], name, value)
    with pytest.raises(BufferError, match="cannot take over this DLPack tensor: Unsupported"):
        from_dlpack(capsule)


def test_unknown_versions_and_other_objects() -> None:
    capsule = to_dlpack(np.ones(3), max_version=(1, 0))
    address = _dlpack._pointer_of(capsule, b"dltensor_versioned")
    _dlpack._VersionedTensor.from_address(address).major = 2
    with pytest.raises(BufferError, match=r"version 2\.\d+ is not known"):
        from_dlpack(capsule)
    for other in (3, None, [1.0]):
        with pytest.raises(TypeError, match="__dlpack__ method or a DLPack capsule, got"):
            from_dlpack(other)
    with pytest.raises(BufferError, match="not one of DLPack"):
        from_dlpack(datetime.datetime_CAPI)
