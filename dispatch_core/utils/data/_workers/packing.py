"""A batch as a pickle beside the large arrays in it, which need not be copied into the pickle."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dispatch_core.utils.data._core import Tensor, from_numpy, host_array

Array: TypeAlias = "np.ndarray[Any, Any]"

LARGE = 32 * 1024
"""Bytes from which on an array travels beside the pickle. A slot is free when all arrays in it are gone:
so keeping the labels of all batches, say, must not keep the images."""


def array_at(index: int) -> Any:
    """Stands in a pickle for one of the arrays beside it."""
    raise NotImplementedError(f"array {index} is read by unpacked() only")


def tensor_at(index: int) -> Any:
    """Stands in a pickle for a tensor on one of the arrays beside it."""
    raise NotImplementedError(f"tensor {index} is read by unpacked() only")


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.arrays: list[Array] = []

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is np.ndarray:
            if obj.nbytes < LARGE or obj.dtype.hasobject:
                return NotImplemented
            return array_at, (self._beside(obj),)
        if isinstance(obj, Tensor):
            raw = host_array(obj)
            if raw is None or raw.nbytes < LARGE:
                return NotImplemented
            return tensor_at, (self._beside(raw),)
        return NotImplemented

    def _beside(self, array: Array) -> int:
        self.arrays.append(array)
        return len(self.arrays) - 1


def packed(batch: Any) -> tuple[bytes, list[Array]]:
    """The pickle of a batch, and the arrays beside it."""
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump(batch)
    return file.getvalue(), packer.arrays


class _Unpacker(pickle.Unpickler):
    # It remembers the functions that it has found: methods of its own would be a circle, in which the
    # arrays stayed alive until the garbage collector came.

    def __init__(self, data: bytes, arrays: Sequence[Array]) -> None:
        super().__init__(io.BytesIO(data))
        self._readers = {
            "array_at": arrays.__getitem__,
            "tensor_at": lambda index: from_numpy(arrays[index]),
        }

    def find_class(self, module: str, name: str) -> Any:
        return self._readers[name] if module == __name__ else super().find_class(module, name)


def unpacked(data: bytes, arrays: Sequence[Array]) -> Any:
    """The batch again, on the memory of `arrays`."""
    return _Unpacker(data, arrays).load()
