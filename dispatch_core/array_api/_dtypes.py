"""Functions about dtypes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatch_core import _dtypes
from dispatch_core._dtypes import Category, dtype
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._creation import asarray
from dispatch_core.array_api._names import standard
from dispatch_core.array_api._promotion import admitted, common, promoted


@dataclass(frozen=True)
class FloatLimits:
    """What `finfo` returns; `dtype` is an object here, where PyTorch has its name."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: dtype


@dataclass(frozen=True)
class IntegerLimits:
    """What `iinfo` returns."""

    bits: int
    max: int
    min: int
    dtype: dtype


def _dtype_of(type: Any) -> dtype:
    return type.dtype if isinstance(type, Tensor) else type


@standard()
def finfo(type: Any, /) -> FloatLimits:
    """The limits of a floating-point dtype, or of an array's; of a complex one, those of its parts."""
    found = _dtypes.finfo(_dtype_of(type))
    return FloatLimits(
        found.bits,
        found.eps,
        found.max,
        found.min,
        found.smallest_normal,
        _dtypes.from_name(found.dtype),
    )


@standard()
def iinfo(type: Any, /) -> IntegerLimits:
    """The limits of an integer dtype, or of an array's."""
    found = _dtypes.iinfo(_dtype_of(type))
    return IntegerLimits(found.bits, found.max, found.min, _dtypes.from_name(found.dtype))


@standard()
def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """The elements in another dtype, and perhaps on another device.

    Raises:
        TypeError: complex numbers are to become real; take `real(x)` or `abs(x)` first.

    """
    admitted("astype", "any", x)
    if x.dtype.is_complex and not dtype.is_complex and dtype.category is not Category.BOOL:
        raise TypeError(
            f"astype(): complex numbers ({x.dtype}) do not become {dtype}; take real(x) or abs(x) first"
        )
    return asarray(x, dtype=dtype, device=device, copy=copy or None)


@standard()
def can_cast(from_: Any, to: dtype, /) -> bool:
    """Whether promotion with `to` gives `to`, so that no value is lost."""
    try:
        return promoted(_dtype_of(from_), to) is to
    except TypeError:
        return False


@standard()
def result_type(*arrays_and_dtypes: Any) -> dtype:
    """The dtype of what arrays, dtypes and Python numbers give together."""
    return common(arrays_and_dtypes)


_KINDS: dict[str, Any] = {
    "bool": lambda d: d.category is Category.BOOL,
    "signed integer": lambda d: d.category is Category.INTEGRAL and d.is_signed,
    "unsigned integer": lambda d: d.category is Category.INTEGRAL and not d.is_signed,
    "integral": lambda d: d.category is Category.INTEGRAL,
    "real floating": lambda d: d.category is Category.FLOATING,
    "complex floating": lambda d: d.category is Category.COMPLEX,
    "numeric": lambda d: d.category is not Category.BOOL,
}


@standard()
def isdtype(dtype: dtype, kind: Any) -> bool:
    """Whether a dtype is of a kind: a dtype, the name of a kind, or one of a tuple of these.

    Raises:
        ValueError: there is no kind of that name.

    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    if not isinstance(kind, str):
        return dtype is kind
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of dtype {kind!r}; expected one of {', '.join(_KINDS)}")
    return bool(_KINDS[kind](dtype))
