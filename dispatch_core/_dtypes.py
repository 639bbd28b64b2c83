"""The element types of tensors, their limits, and PyTorch's rules of type promotion.

The names that shadow builtins (`bool`, `int`, `float`) do not exist in this module: `bool_` is the
constant, and `PUBLIC_NAMES` maps every public name, aliases included, for the package to export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import Any, Final, NoReturn

import numpy as np

from dispatch_core._errors import DeclarationError


class Category(IntEnum):
    """The kinds of dtype in the order of promotion: bool < integral < floating < complex."""

    BOOL = 0
    INTEGRAL = 1
    FLOATING = 2
    COMPLEX = 3


class dtype:
    """The type of a tensor's elements; there is exactly one object a type, so compare with `is`.

    Packages may declare more of them (`dispatch_core.extend.declare_dtype`).

    `numpy_dtype` is what the arrays of numpy-like backends carry, `number` a small dense integer
    for tables, `abbr` the short name ("f32") of traces and reports.
    """

    __slots__ = (
        "abbr",
        "category",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "name",
        "number",
        "numpy_dtype",
        "stored",
        "wider",
    )

    name: str
    numpy_dtype: np.dtype[Any]
    itemsize: int
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    category: Category
    abbr: str
    number: int
    wider: dtype | None
    """The dtype in which it may be computed where a device has no kernel for it (`emulation`)."""
    stored: bool
    """Whether a plugin declared it: elements are moved by every device, but computed only where asked."""

    def __new__(cls, *args: object, **kwargs: object) -> dtype:
        """Refuse: a dtype is declared, by `dispatch_core.extend.declare_dtype`.

        Raises:
            TypeError: always.

        """
        raise TypeError("cannot create dtype objects; use the existing ones, such as dc.float32")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"dtypes are immutable: cannot set {name!r} of {self!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"dtypes are immutable: cannot delete {name!r} of {self!r}")

    def __getattr__(self, name: str) -> Any:
        """The numpy dtype of bfloat16 when it is first asked for, which is the only one to come late."""
        if name != "numpy_dtype":
            raise AttributeError(f"'dtype' object has no attribute '{name}'")
        _represent(self, np.dtype(import_module("ml_dtypes").bfloat16))
        return self.numpy_dtype

    def __repr__(self) -> str:
        return f"dc.{self.name}"

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: object) -> dtype:
        return self

    def __reduce__(self) -> tuple[Callable[[str], dtype], tuple[str]]:
        return from_name, (self.name,)

    def to_complex(self) -> dtype:
        """Return the complex dtype whose parts are this dtype; complex dtypes return themselves.

        float16 gives complex64, because numpy has no complex32 (which PyTorch would return).

        Raises:
            RuntimeError: for bool and integers.

        """
        if self.is_complex:
            return self
        if not self.is_floating_point:
            raise RuntimeError(
                f"{self!r} has no complex counterpart; only floating point dtypes have one. "
                "Convert to a floating point dtype first."
            )
        return complex128 if self is float64 else complex64

    def to_real(self) -> dtype:
        """Return the dtype of the real and imaginary parts; real dtypes return themselves."""
        if not self.is_complex:
            return self
        return float32 if self is complex64 else float64


_by_name: Final[dict[str, dtype]] = {}
_by_numpy: Final[dict[np.dtype[Any], dtype]] = {}


def _declare(
    name: str,
    numpy_type: Any,
    category: Category,
    abbr: str,
    wider: dtype | None = None,
    stored: bool = False,
) -> dtype:
    """Enter a dtype; without a `numpy_type` numpy has none, and ml_dtypes is imported at first need."""
    new = object.__new__(dtype)
    attributes: dict[str, object] = {
        "name": name,
        "itemsize": 2 if numpy_type is None else np.dtype(numpy_type).itemsize,
        "is_floating_point": category is Category.FLOATING,
        "is_complex": category is Category.COMPLEX,
        "is_signed": category >= Category.FLOATING or name.startswith("int"),
        "category": category,
        "abbr": abbr,
        "number": len(_by_name),
        "wider": wider,
        "stored": stored,
    }
    for attribute, value in attributes.items():
        object.__setattr__(new, attribute, value)
    _by_name[name] = new
    if numpy_type is not None:
        _represent(new, np.dtype(numpy_type))
    return new


def declare_dtype(name: str, numpy_type: Any, *, wider: dtype, abbr: str = "") -> dtype:
    """A new dtype of numbers, whose elements numpy can hold and cast (those of ml_dtypes, say).

    Tensors of it are made, cast, moved, viewed and indexed on every device whose arrays can hold it.
    It is computed with by kernels that are registered for it, or in `wider` where `emulation` allows
    that. In promotion it is the narrowest of its category.

    Args:
        name: what it is called in messages and files; declared once in a process.
        numpy_type: numpy's dtype, or what makes one.
        wider: a dtype of the same category (floating or integral) that holds all its values.
        abbr: the short name in traces and reports.

    Raises:
        DeclarationError: the name or numpy's dtype is taken, or it does not go with `wider`.

    """
    if not isinstance(wider, dtype) or wider.category not in (Category.INTEGRAL, Category.FLOATING):
        raise DeclarationError(
            f"dtype '{name}': wider must be a floating point or integer dtype, not {wider!r}"
        )
    found = np.dtype(numpy_type)
    if not (name.isidentifier() and name.isascii()):
        raise DeclarationError(f"dtype '{name}': a name is one word of letters, digits and _")
    if name in _by_name or name in PUBLIC_NAMES or found in _by_numpy:
        known = _by_name.get(name) or PUBLIC_NAMES.get(name) or _by_numpy[found]
        raise DeclarationError(
            f"dtype '{name}' over numpy's {found} is {known!r} already: use that"
        )
    if found.itemsize > wider.itemsize or not np.can_cast(found, wider.numpy_dtype, "same_kind"):
        raise DeclarationError(
            f"dtype '{name}': {wider!r} does not hold the elements of numpy's {found}"
        )
    return _declare(name, found, wider.category, abbr or name, wider, stored=True)


def _represent(new: dtype, numpy_dtype: np.dtype[Any]) -> None:
    object.__setattr__(new, "numpy_dtype", numpy_dtype)
    _by_numpy[numpy_dtype] = new


bool_: Final = _declare("bool", np.bool_, Category.BOOL, "b8")
uint8: Final = _declare("uint8", np.uint8, Category.INTEGRAL, "u8")
int8: Final = _declare("int8", np.int8, Category.INTEGRAL, "i8")
int16: Final = _declare("int16", np.int16, Category.INTEGRAL, "i16")
int32: Final = _declare("int32", np.int32, Category.INTEGRAL, "i32")
int64: Final = _declare("int64", np.int64, Category.INTEGRAL, "i64")
uint16: Final = _declare("uint16", np.uint16, Category.INTEGRAL, "u16")
uint32: Final = _declare("uint32", np.uint32, Category.INTEGRAL, "u32")
uint64: Final = _declare("uint64", np.uint64, Category.INTEGRAL, "u64")
float16: Final = _declare("float16", np.float16, Category.FLOATING, "f16")
bfloat16: Final = _declare("bfloat16", None, Category.FLOATING, "bf16")
float32: Final = _declare("float32", np.float32, Category.FLOATING, "f32")
float64: Final = _declare("float64", np.float64, Category.FLOATING, "f64")
complex64: Final = _declare("complex64", np.complex64, Category.COMPLEX, "c64")
complex128: Final = _declare("complex128", np.complex128, Category.COMPLEX, "c128")

for _narrow in (float16, bfloat16):
    object.__setattr__(_narrow, "wider", float32)

ALL_DTYPES: Final[tuple[dtype, ...]] = tuple(_by_name.values())

PUBLIC_NAMES: Final[dict[str, dtype]] = {
    **_by_name,
    "half": float16,
    "float": float32,
    "double": float64,
    "cfloat": complex64,
    "cdouble": complex128,
    "short": int16,
    "int": int32,
    "long": int64,
}
"""Every public name of a dtype, PyTorch's aliases included."""


def from_name(name: str) -> dtype:
    """Return the dtype that is called `name` ("float32"; aliases are not accepted).

    Raises:
        ValueError: there is no such dtype.

    """
    found = _by_name.get(name)
    if found is None:
        raise ValueError(f"unknown dtype {name!r}; expected one of {', '.join(_by_name)}")
    return found


PYTHON_TYPES: Final = {bool: bool_, int: int64, float: float64, complex: complex128}


def as_dtype(value: Any) -> dtype:
    """A dtype argument: one of ours, or a Python type that stands for one (float: float64).

    Raises:
        TypeError: it is neither.

    """
    found = value if isinstance(value, dtype) else None
    if found is None and isinstance(value, type):
        found = PYTHON_TYPES.get(value)
    if found is None:
        shown = value.__name__ if isinstance(value, type) else type(value).__name__
        raise TypeError(f"argument 'dtype' must be dc.dtype, not {shown}")
    return found


def from_numpy_dtype(numpy_dtype: np.dtype[Any]) -> dtype:
    """Return the dtype of numpy arrays of `numpy_dtype`.

    Raises:
        ValueError: the byte order is not this machine's.
        TypeError: tensors have no such element type (strings, objects, dates, float128 ...).

    """
    found = _by_numpy.get(numpy_dtype)
    if found is None and numpy_dtype == bfloat16.numpy_dtype:
        found = bfloat16
    if found is not None:
        return found
    if not numpy_dtype.isnative:
        raise ValueError(
            f"numpy dtype {numpy_dtype.str!r} has a byte order different from this machine's; "
            "convert the array first: array.astype(array.dtype.newbyteorder('='))"
        )
    raise TypeError(
        f"can't convert a numpy array of type {numpy_dtype}; "
        f"the supported types are: {', '.join(_by_name)}"
    )


# --- promotion -----------------------------------------------------------------------


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Return the smallest dtype to which both convert without leaving their category.

    Raises:
        TypeError: an argument is not a dtype.
        RuntimeError: uint16, uint32 or uint64 meets another dtype that is not floating point.

    """
    for position, argument in ((1, type1), (2, type2)):
        if not isinstance(argument, dtype):
            raise TypeError(
                f"promote_types(): argument 'type{position}' (position {position}) "
                f"must be dc.dtype, not {type(argument).__name__}"
            )
    return _promote(type1, type2)


@cache
def _promote(a: dtype, b: dtype) -> dtype:
    if a is b:
        return a
    low, high = sorted((a, b), key=lambda d: (d.category, d.itemsize))
    if _is_wide_unsigned(a) or _is_wide_unsigned(b):
        if high.is_floating_point:
            return high
        raise RuntimeError(
            "promotion for uint16, uint32, uint64 is not supported except to floating point: "
            f"attempted to promote {a!r} and {b!r}. Convert one of them with .to(dtype) first."
        )
    if high.is_complex:
        return complex128 if float64 in (a, b) else high
    if low.category is not high.category:
        return high
    if low.itemsize < high.itemsize:
        return high
    # Equal width and category, yet different: one of uint8/int8, or one of the 16-bit floats.
    return int16 if high.category is Category.INTEGRAL else float32


def _is_wide_unsigned(d: dtype) -> bool:
    return d is uint16 or d is uint32 or d is uint64


class Priority(IntEnum):
    """An operand's rank in promotion; a lower rank only matters when its category is higher."""

    SCALAR = 0
    ZERO_DIM = 1
    DIMENSIONED = 2


def scalar_dtype(value: bool | int | float | complex) -> dtype:
    """Return the dtype that a Python number has in promotion: bool, int64, or the default ones.

    One of numpy's counts as Python's.

    Raises:
        TypeError: `value` is no number.

    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return get_default_dtype()
    if isinstance(value, complex):
        return get_default_dtype().to_complex()
    raise TypeError(f"expected a Python number, got {type(value).__name__}")


def promote_operands(operands: Iterable[tuple[dtype, Priority]]) -> dtype:
    """Return the common dtype of an operator's operands by PyTorch's category rule.

    Within one priority all dtypes are promoted together. Between priorities the higher one wins,
    unless the lower one's category is above: a 0-d float tensor turns an int tensor into floats.

    Raises:
        ValueError: there is no operand.
        RuntimeError: `promote_types` raises it.

    """
    best: list[dtype | None] = [None, None, None]
    for operand, priority in operands:
        known = best[priority]
        best[priority] = operand if known is None else _promote(known, operand)
    scalar, zero_dim, dimensioned = best
    result = _combine(dimensioned, _combine(zero_dim, scalar))
    if result is None:
        raise ValueError("expected at least one operand to find a common dtype of")
    return result


def _combine(higher: dtype | None, lower: dtype | None) -> dtype | None:
    if higher is None:
        return lower
    if lower is None or lower.category < higher.category or higher.is_complex:
        return higher
    if higher.category is Category.BOOL:
        return _promote(higher, lower)
    if lower.category is higher.category:
        return higher
    return higher.to_complex() if higher.is_floating_point else lower


def can_cast(from_: dtype, to: dtype) -> bool:
    """Return whether `from_` may be stored in `to`, that is, the category does not fall.

    Raises:
        TypeError: an argument is not a dtype.

    """
    for position, name, argument in ((1, "from_", from_), (2, "to", to)):
        if not isinstance(argument, dtype):
            raise TypeError(
                f"can_cast(): argument '{name}' (position {position}) must be dc.dtype, "
                f"not {type(argument).__name__}"
            )
    return from_.category <= to.category


# --- default dtype -------------------------------------------------------------------

_default: dtype = float32
default_dtype_listeners: Final[list[Callable[[], None]]] = []
"""Called after the default dtype changed, for caches that depend on it."""


def get_default_dtype() -> dtype:
    """Return the dtype of floating point tensors made without one (float32 at the start)."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make `d` the dtype of floating point tensors made without one.

    Raises:
        TypeError: `d` is not a floating point dtype.

    """
    global _default  # noqa: PLW0603  the one process-wide default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(
            f"only floating-point types are supported as the default type, got {d!r}; "
            "use dc.float16, dc.bfloat16, dc.float32 or dc.float64"
        )
    if d is not _default:
        _default = d
        for listener in default_dtype_listeners:
            listener()


# --- limits --------------------------------------------------------------------------


class finfo:
    """The limits of a floating point dtype; of a complex one, those of its parts.

    Raises:
        TypeError: the argument is not a floating point or complex dtype.

    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        wanted = get_default_dtype() if type is None else type
        _check_dtype("finfo", wanted)
        if wanted.category < Category.FLOATING:
            raise TypeError(
                f"dc.finfo() requires a floating point input type, got {wanted!r}; use dc.iinfo"
            )
        real = wanted.to_real()
        # It knows bfloat16, which numpy's own does not.
        limits = import_module("ml_dtypes").finfo(real.numpy_dtype)
        self.bits: int = real.itemsize * 8
        self.eps: float = float(limits.eps)
        self.max: float = float(limits.max)
        self.min: float = float(limits.min)
        self.tiny: float = float(limits.smallest_normal)
        self.smallest_normal: float = self.tiny
        self.resolution: float = float(f"1e-{int(limits.precision)}")
        self.dtype: str = real.name

    def __eq__(self, other: object) -> bool:
        return self.dtype == other.dtype if isinstance(other, finfo) else NotImplemented

    def __hash__(self) -> int:
        return hash((finfo, self.dtype))

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype.

    Raises:
        TypeError: the argument is not an integer dtype.

    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: dtype) -> None:
        _check_dtype("iinfo", type)
        if type.category is Category.BOOL:
            raise TypeError("dc.bool is not supported by dc.iinfo, which requires an integer type")
        if type.category is not Category.INTEGRAL:
            raise TypeError(
                f"dc.iinfo() requires an integer input type, got {type!r}; use dc.finfo"
            )
        limits = np.iinfo(type.numpy_dtype)
        self.bits: int = type.itemsize * 8
        self.max: int = int(limits.max)
        self.min: int = int(limits.min)
        self.dtype: str = type.name

    def __eq__(self, other: object) -> bool:
        return self.dtype == other.dtype if isinstance(other, iinfo) else NotImplemented

    def __hash__(self) -> int:
        return hash((iinfo, self.dtype))

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def _check_dtype(function: str, argument: object) -> None:
    if not isinstance(argument, dtype):
        raise TypeError(
            f"{function}(): argument 'type' (position 1) must be dc.dtype, "
            f"not {argument.__class__.__name__}"
        )
