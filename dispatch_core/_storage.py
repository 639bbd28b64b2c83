"""Storages: the memory behind a tensor as one row of bytes, or of elements."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from dispatch_core._device import device as Device
from dispatch_core._dtypes import as_dtype, uint8
from dispatch_core._dtypes import dtype as DType
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, detached, is_plain


def _row(tensor: Tensor) -> Tensor:
    """The whole memory that a tensor shows a part of, as elements of its dtype in one dimension."""
    if not is_plain(tensor):
        raise RuntimeError(
            "a tensor under vmap or with a tangent has no storage of its own; take it outside the transform"
        )
    backend = tensor._backend
    owner: Any = backend.storage_of(tensor._raw)
    count = prod(owner.shape) * backend.dtype_of(owner).itemsize // tensor.dtype.itemsize
    found: Tensor = K.as_strided(detached(tensor), (count,), (1,), 0)
    return found


class _Storage:
    """What both kinds have: a row of units (bytes or elements) over memory that tensors share."""

    __slots__ = ("_units",)

    _units: Tensor

    @classmethod
    def _over(cls, units: Tensor) -> Self:
        made = object.__new__(cls)
        made._units = units
        return made

    def __len__(self) -> int:
        return self._units.numel()

    def __getitem__(self, index: int) -> Any:
        return self._units[self._place(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._units[index if isinstance(index, slice) else self._place(index)] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def __repr__(self) -> str:
        shown = [f" {value}" for value in self] if self._holds_values else ["..."]
        return "\n".join([*shown, f"[dispatch_core.{self._name()} of size {len(self)}]"])

    def _name(self) -> str:
        return f"{type(self).__name__}(device={self.device})"

    @property
    def _holds_values(self) -> bool:
        return self._units._backend.holds_values

    def _place(self, index: Any) -> int:
        if not hasattr(index, "__index__"):
            raise TypeError(f"can't index a {type(self).__name__} with {type(index).__name__}")
        place: int = index.__index__()
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {place} out of range for storage of size {len(self)}")
        return place % len(self)

    @property
    def device(self) -> Device:
        """The device that holds the memory."""
        return self._units.device

    @property
    def is_cuda(self) -> bool:
        """Whether that is a CUDA device."""
        return self.device.type == "cuda"

    def size(self) -> int:
        """The number of bytes, of a TypedStorage of elements."""
        return len(self)

    def nbytes(self) -> int:
        """The number of bytes."""
        return len(self) * self.element_size()

    def element_size(self) -> int:
        """Bytes a unit: 1, of a TypedStorage those of an element."""
        return self._units.dtype.itemsize

    def data_ptr(self) -> int:
        """The address of the memory, where the backend has one; 0 where there is none."""
        return self._units.data_ptr()

    def get_device(self) -> int:
        """The number of the device; -1 on the cpu."""
        return self._units.get_device()

    def tolist(self) -> list[Any]:
        """The bytes, or elements, as Python numbers."""
        found: list[Any] = self._units.tolist()
        return found

    def fill_(self, value: Any) -> Self:
        """Write one value everywhere; returns the storage."""
        self._units.fill_(value)
        return self

    def copy_(self, source: _Storage, non_blocking: bool | None = None) -> Self:
        """Write the contents of another storage, of the same size and kind, into this one."""
        if len(source) != len(self):
            raise RuntimeError(
                f"copy_(): expected a storage of size {len(self)}, got one of size {len(source)}"
            )
        self._units.copy_(source._units)
        return self

    def clone(self) -> Self:
        """A storage of the same contents in new memory."""
        return self._over(K.clone(self._units))

    def cpu(self) -> Self:
        """The storage in host memory: itself where it lies there."""
        return self if self.device.type == "cpu" else self._over(self._units.cpu())

    def is_shared(self) -> bool:
        """Whether forked processes share the memory."""
        return bool(self._units.is_shared())

    def resize_(self, size: int) -> Self:
        """The storage itself where it has that size.

        NotImplementedError for another one: arrays that show memory hold on to it as it is.
        """
        if size != len(self):
            raise NotImplementedError(
                f"memory keeps its size here: cannot resize a storage from {len(self)} to {size}; make a "
                "new tensor, and use tensor.set_(new) to have a tensor show it"
            )
        return self


class UntypedStorage(_Storage):
    """The memory behind a tensor, as bytes; all views of a tensor show the same.

    `tensor.untyped_storage()` gives one, `UntypedStorage(size)` makes memory of so many bytes.
    """

    __slots__ = ()

    def __init__(self, size: int = 0, *, device: Any = None) -> None:
        self._units = K.empty((size,), dtype=uint8, device=device)

    @classmethod
    def of(cls, tensor: Tensor) -> UntypedStorage:
        """That of a tensor."""
        return cls._over(K.bits_as(_row(tensor), uint8))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._over(self._units[index])
        return super().__getitem__(index)

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self


class TypedStorage(_Storage):
    """The memory behind a tensor, as elements of its dtype; PyTorch's older kind of storage."""

    __slots__ = ()

    def __init__(self, size: int = 0, *, dtype: Any = None, device: Any = None) -> None:
        self._units = K.empty((size,), dtype=dtype, device=device)

    @classmethod
    def of(cls, tensor: Tensor) -> TypedStorage:
        """That of a tensor."""
        return cls._over(_row(tensor))

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self._units.dtype

    def _name(self) -> str:
        return f"TypedStorage(dtype={self.dtype}, device={self.device})"

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return super().__getitem__(index)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage.of(self._units)

    def type(self, dtype: Any) -> TypedStorage:
        """The elements converted to another dtype, in new memory."""
        return self._over(K.cast(self._units, as_dtype(dtype)))
