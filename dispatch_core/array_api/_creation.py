"""Functions that make arrays."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._construct import as_tensor, tensor
from dispatch_core._construct import from_dlpack as _from_dlpack
from dispatch_core._dtypes import get_default_dtype
from dispatch_core._literals import as_array
from dispatch_core._op import K
from dispatch_core._place import as_device
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._names import renamed, standard
from dispatch_core.array_api._promotion import admitted, default_complex

for _name in ("empty", "ones", "zeros"):
    renamed(
        "any",
        {
            f"{_name}_like(x, /, *, dtype=None, device=None)": (
                f"{_name}_like(x, dtype=dtype, device=device)"
            )
        },
    )
renamed(
    "any",
    {
        "full_like(x, /, fill_value, *, dtype=None, device=None)": (
            "full_like(x, fill_value, dtype=dtype, device=device)"
        ),
        "tril(x, /, *, k=0)": "tril(x, k)",
        "triu(x, /, *, k=0)": "triu(x, k)",
    },
)


def _sizes(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


@standard()
def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array whose elements are not set."""
    return K.empty(_sizes(shape), dtype=dtype, device=device)


@standard()
def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of ones."""
    return K.ones(_sizes(shape), dtype=dtype, device=device)


@standard()
def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of zeros."""
    return K.zeros(_sizes(shape), dtype=dtype, device=device)


@standard()
def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of one value; without dtype, of the default one for the value's kind."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    return K.full(_sizes(shape), fill_value, dtype=dtype, device=device)


@standard()
def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Numbers from `start` (0, where only it is given) up to but without `stop`, `step` apart."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange() takes a step other than 0")
    if dtype is None and any(isinstance(given, float) for given in (start, stop, step)):
        dtype = get_default_dtype()
    if (stop - start) / step <= 0:  # PyTorch takes it for a mistake
        stop = start
    return K.arange(start, stop, step, dtype=dtype, device=device)


@standard()
def linspace(
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`, which is left out without `endpoint`."""
    if dtype is None:
        complexes = isinstance(start, complex) or isinstance(stop, complex)
        dtype = default_complex() if complexes else get_default_dtype()
    if not endpoint and num > 0:
        return K.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]
    return K.linspace(start, stop, num, dtype=dtype, device=device)


@standard()
def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """A matrix with ones on its k-th diagonal and zeros elsewhere."""
    columns = n_rows if n_cols is None else n_cols
    if k == 0:
        return K.eye(n_rows, columns, dtype=dtype, device=device)
    k = max(-n_rows, min(k, columns))  # a diagonal further out is as empty, and fits int64
    row = K.arange(n_rows, device=device).unsqueeze(-1)
    on_diagonal = K.eq(K.add(row, k), K.arange(columns, device=device))
    return K.cast(on_diagonal, dtype or get_default_dtype())


@standard()
def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> Tensor:
    """Numbers, nested sequences, arrays of any library or buffers as an array.

    With `copy=True` its memory is new, with `copy=False` shared; by default it is shared where possible.

    Raises:
        ValueError: `copy=False`, but sharing is impossible.

    """
    if isinstance(obj, Tensor):
        wanted = dtype or obj.dtype
        target = obj.device if device is None else as_device(device)
        if copy is False and (wanted is not obj.dtype or target != obj.device):
            raise ValueError(
                f"asarray(): an array of {obj.dtype} on {obj.device} does not become {wanted} on "
                f"{target} without a copy; leave out copy=False"
            )
        return obj.to(device=target, dtype=wanted, copy=bool(copy))
    shares = hasattr(obj, "__dlpack__") or hasattr(obj, "__array__")
    if not shares and not isinstance(obj, (bool, int, float, complex, list, tuple, range)):
        obj, shares = memoryview(obj), True
    if not shares:
        if copy is False:
            raise ValueError("asarray(): Python numbers cannot be shared; leave out copy=False")
        return tensor(obj, dtype=dtype, device=device)
    array = as_array(obj, None)
    shared = as_tensor(array, dtype=dtype, device=device)
    if copy:
        return tensor(array, dtype=dtype, device=device)
    if copy is False and not _shares(shared, array):
        raise ValueError(
            f"asarray(): this {type(obj).__name__} cannot be shared as {shared.dtype} on "
            f"{shared.device}; leave out copy=False"
        )
    return shared


def _shares(made: Tensor, array: Any) -> bool:
    return made.device.type == "cpu" and made.data_ptr() == array.ctypes.data


@standard()
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """An array on the memory of an object with `__dlpack__`.

    With `copy=True` its memory is new, with `copy=False` a copy that is needed is a BufferError.
    """
    return _from_dlpack(x, device=device, copy=copy)


@standard()
def meshgrid(*arrays: Tensor, indexing: str = "xy") -> tuple[Tensor, ...]:
    """The coordinates of a grid, of which each array is an axis."""
    for x in arrays:
        admitted("meshgrid", "any", x)
    if not arrays:
        return ()
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid(): indexing is 'xy' or 'ij', got {indexing!r}")
    swapped = indexing == "xy" and len(arrays) > 1
    order = [1, 0, *range(2, len(arrays))] if swapped else list(range(len(arrays)))
    sizes = [math.prod(arrays[at].shape) for at in order]
    found = []
    for at, x in enumerate(arrays):
        shape = [1] * len(arrays)
        shape[order.index(at)] = -1
        found.append(K.clone(K.broadcast_to(K.reshape(x, tuple(shape)), tuple(sizes))))
    return tuple(found)
