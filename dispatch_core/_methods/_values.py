"""Elements for Python and numpy: numbers, lists, arrays, text."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from dispatch_core import _printing
from dispatch_core._batched import Batched
from dispatch_core._dlpack import CPU_DEVICE, to_dlpack
from dispatch_core._dtypes import (
    float64,
)
from dispatch_core._errors import UnsharedMemoryError
from dispatch_core._methods._table import method
from dispatch_core._numbers import fitting
from dispatch_core._op import K
from dispatch_core._place import as_device
from dispatch_core._state import is_on
from dispatch_core._subclass import is_asked
from dispatch_core._tensor import Tensor, host_values
from dispatch_core.backend.registry import backend_of


@method
def item(self: Tensor) -> Any:
    """The value of a tensor with one element, as a Python number."""
    if self.numel() != 1:
        raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
    value = host_values(self)
    found = value.reshape(-1)[0].item()
    return found if isinstance(found, (bool, int, float, complex)) else float(found)


@method
def tolist(self: Tensor) -> Any:
    """The elements as a number or nested lists."""
    host = host_values(self)
    if host.dtype.kind == "V":
        host = host.astype(np.float32)
    return host.tolist()


@method
def numpy(self: Tensor, *, force: bool = False) -> np.ndarray[Any, Any]:
    """A numpy array that shares the tensor's memory; `force` detaches and copies to the cpu."""
    if force:
        return self.detach().cpu().numpy()
    if self.requires_grad and is_on("grad"):
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    if self.device.type != "cpu":
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the "
            "tensor to host memory first."
        )
    return host_values(self).view()


@method
def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """The elements as a numpy array, as `numpy()` gives it; of another dtype, or a copy, where asked."""
    array = self.numpy()
    if dtype is not None and array.dtype != np.dtype(dtype):
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return array.astype(dtype)
    return array.copy() if copy else array


@method
def __dlpack__(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of the tensor's memory, or of a copy on the host with `dl_device=(1, 0)`.

    Raises BufferError where the memory cannot be passed on, or not without the copy that
    `copy=False` forbids.
    """
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if not self._backend.host_memory:
        if dl_device is None or tuple(dl_device) != CPU_DEVICE or copy is False:
            raise UnsharedMemoryError(
                f"cannot share the memory of a tensor on {self.device} through DLPack; copy it to the "
                "host with dl_device=(1, 0), or use .cpu()"
            )
        copy = None  # the host array is a copy already
    return to_dlpack(
        self._backend.to_host(self._raw),
        stream=stream,
        max_version=max_version,
        dl_device=dl_device,
        copy=copy,
    )


@method
def __array_namespace__(self: Tensor, *, api_version: str | None = None) -> Any:
    """The functions of the Python array API standard for this tensor: `dispatch_core.array_api`.

    Raises ValueError for a version other than 2021.12 to 2025.12.
    """
    if api_version not in _API_VERSIONS:
        raise ValueError(
            f"unknown version of the array API standard {api_version!r}; known are "
            f"{', '.join(str(v) for v in _API_VERSIONS[1:])}"
        )
    return import_module("dispatch_core.array_api")


_API_VERSIONS = (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


@method
def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The tensor on a device (array API); `x.to(device)` is the same. There are no streams."""
    if stream is not None:
        raise ValueError(f"to_device(): the devices here have no streams, got stream={stream!r}")
    return self.to(as_device(device))


@method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """The DLPack device type and number of the tensor."""
    if not self._backend.host_memory:
        raise UnsharedMemoryError(
            f"device {self.device} has no DLPack number; copy the tensor to the host with .cpu()"
        )
    return CPU_DEVICE


@method
def __len__(self: Tensor) -> int:
    """The size of the first dimension; TypeError for a number."""
    if not self.ndim:
        raise TypeError("len() of a 0-d tensor")
    return int(self._raw.shape[0])


@method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    """The views along the first dimension; TypeError for a number."""
    if not self.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(K.unbind(self, 0))


@method
def __bool__(self: Tensor) -> bool:
    """Whether the only element is not 0; RuntimeError for none or several."""
    if self.numel() != 1:
        what = "more than one value" if self.numel() else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous; use any() or all()")
    return bool(self.item())


def _only_number(self: Tensor) -> Any:
    if self.numel() != 1:
        raise ValueError(
            f"only one element tensors can be converted to Python scalars, got shape {list(self.shape)}"
        )
    return self.item()


@method
def __float__(self: Tensor) -> float:
    """The only element as a Python float."""
    return float(_real_number(self))


@method
def __int__(self: Tensor) -> int:
    """The only element as a Python int, rounded towards 0."""
    return int(_real_number(self))


def _real_number(self: Tensor) -> Any:
    value = _only_number(self)
    return fitting(value, float64) if isinstance(value, complex) else value


@method
def __complex__(self: Tensor) -> complex:
    """The only element as a Python complex."""
    return complex(_only_number(self))


@method
def __index__(self: Tensor) -> int:
    """The only element of an integer tensor, where Python wants an index; TypeError for others."""
    if self.numel() != 1 or self.dtype.is_floating_point or self.dtype.is_complex:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self.item())


@method
def __contains__(self: Tensor, element: Any) -> bool:
    """Whether some element equals a number or a tensor."""
    if isinstance(element, (Tensor, bool, int, float, complex)):
        return bool(K.any(K.eq(self, element)).item())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {element.__class__}."
    )


@method
def __format__(self: Tensor, spec: str) -> str:
    if self.ndim == 0 and (spec or backend_of(self.device.type).holds_values):
        return format(self.item(), spec)
    return object.__format__(self, spec)


@method
def __repr__(self: Tensor) -> str:
    if self._raw.__class__ is Batched:
        inner = repr(self._raw.tensor).replace("\n", "\n    ")
        return f"BatchedTensor(lvl={self._raw.level}, bdim=0, value=\n    {inner}\n)"
    shown = None if self.device.type == "cpu" else str(self.device)
    fn = self.grad_fn
    history: dict[str, Any] = {
        "grad_fn": None if fn is None else fn.name(),
        "requires_grad": self.requires_grad and fn is None,
        "prefix": f"{self.__class__.__name__}(" if is_asked(self.__class__) else "tensor(",
    }
    if not backend_of(self.device.type).holds_values:
        return _printing.format_without_elements(self.shape, self.dtype, device=shown, **history)
    return _printing.format_tensor(
        host_values(self), dtype_name=repr(self.dtype), device=shown, **history
    )
