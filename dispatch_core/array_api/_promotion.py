"""The standard's rules of type promotion, and which dtypes a function takes."""

from __future__ import annotations

from functools import cache
from typing import Any

from dispatch_core._dtypes import (
    Category,
    bool_,
    complex64,
    complex128,
    dtype,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    uint8,
    uint16,
    uint32,
    uint64,
)
from dispatch_core._op import K
from dispatch_core._tensor import Tensor

SIGNED = (int8, int16, int32, int64)
UNSIGNED = (uint8, uint16, uint32, uint64)
DTYPES = (bool_, *SIGNED, *UNSIGNED, float32, float64, complex64, complex128)
"""The dtypes of the standard; tensors of our other dtypes are understood too."""

KINDS = {
    "any": frozenset(Category),
    "boolean": frozenset({Category.BOOL}),
    "integer": frozenset({Category.INTEGRAL}),
    "integer or boolean": frozenset({Category.BOOL, Category.INTEGRAL}),
    "numeric": frozenset({Category.INTEGRAL, Category.FLOATING, Category.COMPLEX}),
    "real-valued": frozenset({Category.INTEGRAL, Category.FLOATING}),
    "real-valued floating-point": frozenset({Category.FLOATING}),
    "floating-point": frozenset({Category.FLOATING, Category.COMPLEX}),
    "complex floating-point": frozenset({Category.COMPLEX}),
}
"""The words by which the standard says what a function takes."""


@cache
def promoted(a: dtype, b: dtype) -> dtype:
    """The dtype of what two arrays give together.

    Raises:
        TypeError: the standard leaves it open (integers with floats, bool with numbers, uint64 with
            signed integers).

    """
    if a is b:
        return a
    inexact = a.category >= Category.FLOATING and b.category >= Category.FLOATING
    integers = a.category is b.category is Category.INTEGRAL
    if inexact or (integers and a.is_signed == b.is_signed):
        return promote_unsigned(a, b) if integers else promote_types(a, b)
    if integers and uint64 not in (a, b):
        signed, unsigned = (a, b) if a.is_signed else (b, a)
        return SIGNED[max(SIGNED.index(signed), UNSIGNED.index(unsigned) + 1)]
    raise TypeError(
        f"{a} and {b} do not promote to a common dtype in the array API standard; "
        "convert one of them with astype(x, dtype)"
    )


def promote_unsigned(a: dtype, b: dtype) -> dtype:
    """The wider of two integer dtypes of the same signedness."""
    return a if a.itemsize >= b.itemsize else b


def with_number(d: dtype, number: bool | int | float | complex) -> dtype:
    """The dtype of what an array and a Python number give together.

    Raises:
        TypeError: the number is of a kind above the array's.

    """
    fits: dict[type, frozenset[Category]] = {
        bool: KINDS["boolean"],
        int: KINDS["numeric"],
        float: KINDS["floating-point"],
        complex: KINDS["floating-point"],
    }
    for kind, categories in fits.items():
        if isinstance(number, kind):
            if d.category in categories:
                return d.to_complex() if kind is complex else d
            break
    raise TypeError(
        f"a Python {type(number).__name__} and an array of {d} do not promote to a common dtype in the "
        "array API standard; convert the array with astype(x, dtype)"
    )


def common(operands: tuple[Any, ...]) -> dtype:
    """The dtype of what arrays, dtypes and Python numbers give together."""
    found: dtype | None = None
    numbers = []
    for operand in operands:
        if isinstance(operand, Tensor):
            operand = operand.dtype
        if isinstance(operand, dtype):
            found = operand if found is None else promoted(found, operand)
        elif isinstance(operand, (bool, int, float, complex)):
            numbers.append(operand)
        else:
            raise TypeError(f"expected arrays, dtypes or numbers, got {type(operand).__name__}")
    if found is None:
        raise TypeError("expected at least one array or dtype")
    for number in numbers:
        found = with_number(found, number)
    return found


def admitted(name: str, kind: str, x: Any) -> Tensor:
    """`x` if it is an array whose dtype is of the kind that function `name` takes; else TypeError."""
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name}() takes arrays, got {type(x).__name__}; make one with asarray(...)"
        )
    if x.dtype.category not in KINDS[kind]:
        raise TypeError(
            f"{name}() takes arrays of a {kind} dtype, got {x.dtype}; convert it with astype(x, dtype)"
        )
    return x


def together(name: str, kind: str, x1: Any, x2: Any, *, numbers: bool = False) -> tuple[Any, Any]:
    """Two operands in their common dtype; Python numbers stay as they are where `numbers`."""
    if x1.__class__ is x2.__class__ and isinstance(x1, Tensor) and x1._k == x2._k:
        admitted(name, kind, x1)
        return x1, x2
    if not isinstance(x1, Tensor) and not isinstance(x2, Tensor):
        raise TypeError(
            f"{name}() takes at least one array, got {type(x1).__name__} and {type(x2).__name__}"
        )
    found = common((x1, x2))
    pair = (converted(x1, found, x2, numbers=numbers), converted(x2, found, x1, numbers=numbers))
    admitted(name, kind, next(x for x in pair if isinstance(x, Tensor)))
    return pair


def converted(x: Any, wanted: dtype, other: Any, *, numbers: bool = False) -> Any:
    """One operand in a dtype; a Python number as an array beside `other`."""
    if isinstance(x, Tensor):
        return x if x.dtype is wanted else K.cast(x, wanted)
    return (
        x if numbers and wanted is other.dtype else K.full((), x, dtype=wanted, device=other.device)
    )


def default_complex() -> dtype:
    """The dtype of complex arrays made without one."""
    return get_default_dtype().to_complex()
