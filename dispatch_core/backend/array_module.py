"""The backend shared by array modules with numpy's interface: numpy itself, and cupy.

A subclass says which module, how arrays come from and go to the host, and adds its own fast kernels;
everything in `array_kernels` is written over the module `xp` alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core._dtypes import dtype, from_numpy_dtype
from dispatch_core._errors import READ_ONLY, PluginError
from dispatch_core.backend.api import Backend, Raw
from dispatch_core.backend.array_kernels import register_all
from dispatch_core.backend.array_kernels.layout import owner


class ArrayModuleBackend(Backend):
    """A device whose raw arrays are those of a numpy-like module."""

    xp: Any
    """The array module."""

    def __init__(self) -> None:
        super().__init__()
        self._dtypes: dict[Any, dtype] = {}
        self._keys: dict[Any, int] = {}
        if self.parent is None:  # else the parent has them
            register_all(self.kernels, self.xp, self.device)

    def write(self, target: Raw, source: Raw) -> None:
        try:
            self.xp.copyto(target, source, casting="unsafe")
        except ValueError as error:
            if "read-only" in str(error):
                raise RuntimeError(READ_ONLY) from error
            raise

    def copy(self, raw: Raw) -> Raw:
        return raw.copy(order="C")

    storage_of = staticmethod(owner)

    def dtype_of(self, raw: Raw) -> dtype:
        found = self._dtypes.get(raw.dtype)
        if found is None:
            found = self._dtypes[raw.dtype] = from_numpy_dtype(np.dtype(raw.dtype))
        return found

    def key_of(self, raw: Raw) -> int:
        found = self._keys.get(raw.dtype)
        if found is None:
            found = self._keys[raw.dtype] = super().key_of(raw)
        return found

    def layout_of(self, raw: Raw) -> tuple[tuple[int, ...], int]:
        size = raw.dtype.itemsize
        storage: Any = self.storage_of(raw)
        offset = self.address(raw) - self.address(storage)
        return tuple(s // size for s in raw.strides), offset // size

    def address(self, raw: Raw) -> int:
        """Where the first element lies in memory."""
        return int(raw.__array_interface__["data"][0])

    def as_array(self, result: Any) -> Raw:
        if isinstance(result, self.array):
            return result
        if not isinstance(result, (np.generic, bool, int, float, complex)) and not hasattr(
            result, "__array_interface__"
        ):
            raise PluginError(
                f"a kernel gave {type(result).__name__} instead of an array of device '{self.device}'; "
                "have it return one (a tuple of them for an operator with several results)"
            )
        return self.xp.asarray(result)

    def full(self, shape: tuple[int, ...], value: Any, dtype: dtype) -> Raw:
        """A new array filled with one value."""
        return self.xp.full(shape, value, dtype.numpy_dtype)
