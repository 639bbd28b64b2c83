"""`make_tensor`: random tensors of any dtype for tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dispatch_core._construct import tensor
from dispatch_core._dtypes import Category, dtype, finfo, iinfo
from dispatch_core._op import K
from dispatch_core._tensor import Tensor

Array = np.ndarray[Any, Any]
_random = np.random.default_rng(0)


def make_tensor(
    *shape: int | Sequence[int],
    dtype: dtype,
    device: Any = None,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
    random: np.random.Generator | None = None,
) -> Tensor:
    """A tensor with values drawn uniformly from [low, high).

    Without bounds: bool from both values, uint8 and other unsigned from [0, 10), signed integers
    from [-9, 10), floating and complex (each part) from [-9, 9). `exclude_zero` replaces zeros by
    the smallest positive number. `noncontiguous` gives every second element of a larger memory.
    `random` is the numpy generator drawn from (one for all calls unless given).

    Raises ValueError where low >= high, or the bounds do not fit the dtype.
    """
    size = _size(shape)
    host = draw(random or _random, size, dtype, low, high)
    if exclude_zero:
        host[host == 0] = _smallest(dtype)
    if noncontiguous and host.size > 1:
        made = K.basic_index(
            tensor(np.repeat(host, 2, axis=-1), dtype=dtype, device=device),
            (..., slice(None, None, 2)),
        )
    else:
        made = tensor(host, dtype=dtype, device=device)
    return made.requires_grad_() if requires_grad else made


def _size(shape: Sequence[Any]) -> tuple[int, ...]:
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        shape = tuple(shape[0])
    return tuple(int(n) for n in shape)


def draw(
    random: np.random.Generator,
    size: tuple[int, ...],
    dtype: dtype,
    low: float | None,
    high: float | None,
) -> Array:
    """A host array of a dtype with values from [low, high)."""
    category = dtype.category
    if category is Category.BOOL:
        return random.integers(0, 2, size).astype(bool)
    if category is Category.INTEGRAL:
        limits = iinfo(dtype)
        first = math.ceil((-9 if dtype.is_signed else 0) if low is None else low)
        end = math.ceil(10 if high is None else high)
        _check_bounds(first, end, limits.min, limits.max + 1, dtype)
        drawn = random.integers(first, end, size, np.int64 if limits.max < 2**63 else np.uint64)
        return np.asarray(drawn).astype(dtype.numpy_dtype)
    span = finfo(dtype)
    bottom, top = (-9.0 if low is None else low), (9.0 if high is None else high)
    _check_bounds(bottom, top, span.min, span.max, dtype)
    values = random.uniform(bottom, top, size)
    if category is Category.COMPLEX:
        return np.asarray(values + 1j * random.uniform(bottom, top, size)).astype(dtype.numpy_dtype)
    return np.asarray(values).astype(dtype.numpy_dtype)


def _check_bounds(low: float, high: float, least: float, most: float, dtype: dtype) -> None:
    if not low < high:
        raise ValueError(f"make_tensor: low must be below high, got low={low} and high={high}")
    if low < least or high > most:
        raise ValueError(
            f"make_tensor: the interval [{low}, {high}) does not fit {dtype}, whose values lie "
            f"between {least} and {most}"
        )


def _smallest(dtype: dtype) -> Any:
    if dtype.category < Category.FLOATING:
        return 1
    return finfo(dtype).tiny
