"""What all kernels share: the array type and the one place that widens half precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Ints = tuple[int, ...]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])

HALF_DTYPES = frozenset((np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)))
_FLOAT32 = np.dtype(np.float32)


def accumulate_in_float32(keep: Ints = ()) -> Callable[[Kernel], Kernel]:
    """Let a kernel see float32 where it was given float16 or bfloat16, and round its results back.

    The dtype of the first argument decides, as operands have been promoted before. Results whose
    position is in `keep` (saved statistics) stay float32, and so does what is not float32.
    """

    def decorate(kernel: Kernel) -> Kernel:
        @wraps(kernel)
        def widened(*args: Any, **kwargs: Any) -> Any:
            first = args[0]
            if first.itemsize > 2:  # asked first, as comparing dtypes takes longer
                return kernel(*args, **kwargs)
            dtype = first.dtype
            if dtype not in HALF_DTYPES:
                return kernel(*args, **kwargs)
            wide = [_widen(arg) for arg in args]
            out = kernel(*wide, **{name: _widen(arg) for name, arg in kwargs.items()})
            if isinstance(out, tuple):
                return tuple(
                    part if i in keep else _narrow(part, dtype) for i, part in enumerate(out)
                )
            return _narrow(out, dtype)

        return widened  # type: ignore[return-value]  # wraps() keeps the signature

    return decorate


def in_memory_order(x: Array) -> tuple[Array, Array, Array]:
    """The elements as they lie in memory, a new array that lies like `x`, and the elements of that one.

    The first and the last are flat and in the same order; what is written into the last is in the second.
    """
    out = np.empty(x.shape, x.dtype) if 0 in x.strides else np.empty_like(x)
    if out.flags.c_contiguous:
        return x.reshape(-1), out, out.reshape(-1)
    axes = sorted(range(x.ndim), key=out.strides.__getitem__, reverse=True)
    return x.transpose(axes).reshape(-1), out, out.transpose(axes).reshape(-1)


def _widen(arg: Any) -> Any:
    if isinstance(arg, np.ndarray) and arg.dtype in HALF_DTYPES:
        return arg.astype(np.float32)
    return arg


def _narrow(part: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(part, np.ndarray) and part.dtype == _FLOAT32:
        return part.astype(dtype)
    return part
