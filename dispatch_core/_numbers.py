"""Python numbers as elements of a dtype: converted as a fill converts them, or reduced as a C cast does."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import Category, dtype

_LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "complex64": 3.4028234663852886e38,
}
"""The largest finite value of the dtypes that do not hold every Python float."""


def limits(wanted: dtype) -> tuple[int, int]:
    """The smallest and the largest value of an integer dtype."""
    bits = 8 * wanted.itemsize
    if wanted.is_signed:
        return -(1 << bits - 1), (1 << bits - 1) - 1
    return 0, (1 << bits) - 1


def fitting(value: Any, wanted: dtype) -> Any:
    """The number that a tensor of a dtype holds after it was filled with `value`.

    Fractions are cut off, and unsigned integers count negative ones from their end. RuntimeError for
    what the dtype does not hold: too large numbers, infinity and NaN where it is an integer one, complex
    numbers where it is a real one.
    """
    category = wanted.category
    if category is Category.BOOL:
        return bool(value)
    if isinstance(value, complex) and category is not Category.COMPLEX:
        if value.imag:
            raise _unfit(value, wanted)
        value = value.real
    if category is Category.INTEGRAL:
        return _whole(value, wanted)
    try:
        value = complex(value) if category is Category.COMPLEX else float(value)
    except OverflowError:
        raise _unfit(value, wanted) from None
    largest = _LARGEST.get(wanted.name)
    if largest is not None:
        for part in (value.real, value.imag):
            if largest < abs(part) < float("inf"):
                raise _unfit(value, wanted)
    return value


def _whole(value: Any, wanted: dtype) -> int:
    low, high = limits(wanted)
    if isinstance(value, float):
        if not low <= value <= high:
            raise _unfit(value, wanted)
        return int(value)
    if not (low if wanted.is_signed else -high) <= value <= high:
        raise _unfit(value, wanted)
    return value if value >= low else value + high + 1


def _unfit(value: Any, wanted: dtype) -> RuntimeError:
    return RuntimeError(f"value {value} cannot be converted to type {wanted.name} without overflow")


def wrapped(value: Any, wanted: dtype) -> Any:
    """A Python number among the operands of an integer dtype: its lowest bits, as tensors wrap around.

    RuntimeError for ints that 64 bits do not hold.
    """
    low, high = limits(wanted)
    if not isinstance(value, int) or low <= value <= high:
        return value
    if not -(1 << 63) <= value < 1 << 64:
        raise _unfit(value, wanted)
    return (value - low) % (high - low + 1) + low
