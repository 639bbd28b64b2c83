"""Element-wise operators of two or more tensors: arithmetic, comparison, logic, selection."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import Category, bool_, float64
from dispatch_core._families.base import DISCRETE, INEXACT, NUMBERS, REAL, REAL_NUMBERS
from dispatch_core._families.pointwise import BOOL, FLOAT, SAME, Difference, Power, pointwise
from dispatch_core._numbers import fitting, wrapped
from dispatch_core._op import K, composite, primitive
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops.create import as_element
from dispatch_core.ops.facts import result_type

POSITIVE = (0.2, 3.0)


# -- arithmetic --------------------------------------------------------------------------------------


@primitive(
    pointwise(SAME),
    grad={"input": lambda g: g, "other": lambda g: g},
    operators=("add", "radd", "iadd"),
    out=True,
    handled=("alpha",),
)
def add(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """input + alpha * other."""
    return K.add(input, scaled(other, alpha, input))


@primitive(
    Difference(SAME, NUMBERS),
    grad={"input": lambda g: g, "other": lambda g: -g},
    operators=("sub", "rsub", "isub"),
    aliases=("subtract",),
    out=True,
    handled=("alpha",),
)
def sub(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other; RuntimeError for bool (use `^` or `logical_not`)."""
    return K.sub(input, scaled(other, alpha, input))


def scaled(value: Any, alpha: Any, beside: Any) -> Any:
    """alpha * value, where alpha is a number that the dtype of the result holds.

    That is the dtype to which `value` and `beside` are promoted; RuntimeError if it does not hold alpha.
    """
    plain = alpha.__class__ is float or alpha.__class__ is int
    if plain and isinstance(value, Tensor) and isinstance(beside, Tensor):
        dtype = value.dtype
        if dtype is beside.dtype and dtype.is_floating_point:  # an optimizer's step
            return value * alpha
    if getattr(alpha, "shape", None) == ():
        alpha = alpha.item()
    if not isinstance(alpha, (bool, int, float, complex)):
        raise TypeError(f"argument 'alpha' must be Number, not {type(alpha).__name__}")
    dtype = result_type(value, beside)
    if isinstance(alpha, bool) and dtype is not bool_:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, complex) and not dtype.is_complex:
        raise RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex number."
        )
    if isinstance(alpha, float) and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if isinstance(value, Tensor) and value.dtype is not dtype:
        value = K.cast(value, dtype)
    product = value * fitting(alpha, dtype)
    return bool(product) if dtype is bool_ and not isinstance(value, Tensor) else product


@primitive(
    pointwise(SAME),
    grad={
        "input": lambda K, g, other: g * K.conj(other),
        "other": lambda K, g, input: g * K.conj(input),
    },
    operators=("mul", "rmul", "imul"),
    aliases=("multiply",),
    out=True,
)
def mul(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input * other."""


@primitive(
    pointwise(FLOAT, domain=POSITIVE),
    grad={
        "input": lambda K, g, other: g / K.conj(other),
        "other": lambda K, g, other, out: -g * K.conj(out / other),
    },
    operators=("truediv", "rtruediv", "itruediv", "div", "rdiv", "idiv"),
    aliases=("divide", "true_divide"),
    out=True,
    handled=("rounding_mode",),
)
def div(
    input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None
) -> Tensor:
    """input / other; integers give floats unless `rounding_mode` is "trunc" or "floor"."""
    if rounding_mode == "floor":
        return K.floor_divide(input, other)
    if rounding_mode == "trunc":
        return K.trunc_divide(input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' "
        f"but found '{rounding_mode}'"
    )


def _where_zero(K: Any, condition: Any, value: Any) -> Any:
    """`value` where the condition holds, 0 elsewhere (also where `value` is NaN there)."""
    return K.where(condition, value, 0.0)


@primitive(
    Power(SAME, NUMBERS, domain=POSITIVE),
    grad={
        "input": lambda K, g, input, exponent: _pow_input(K, g, input, exponent),
        "exponent": lambda K, g, input, exponent, out: _pow_exponent(K, g, input, exponent, out),
    },
    operators=("pow", "rpow", "ipow"),
    out=True,
)
def pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """input to the power of exponent; RuntimeError for integers to the power of a negative number.

    Where the exponent is a tensor, negative powers of integers are zero but for those of 1 and -1.
    """


def _pow_input(K: Any, g: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (bool, int, float, complex)):
        if exponent == 0:
            return K.zeros_like(g)
        return g * K.conj(exponent * input ** (exponent - 1))
    slope = exponent * input ** (exponent - 1)
    return _where_zero(K, exponent != 0, g * K.conj(slope))


def _pow_exponent(K: Any, g: Any, input: Any, exponent: Any, out: Any) -> Any:
    """out * log(input); 0 to a power is constant, but for negative ones, where it is infinite."""
    if isinstance(input, (bool, int, float, complex)):
        slope = g * K.conj(out * K.log(K.full_like(g, input)))
        return slope if input != 0 else _where_zero(K, ~(K.real(exponent) >= 0), slope)
    changes = (input != 0) | ~(K.real(exponent) >= 0)
    return _where_zero(K, changes, g * K.conj(out * K.log(input)))


@primitive(
    pointwise(SAME, REAL_NUMBERS, domain=POSITIVE),
    grad={
        "input": lambda g: g,
        "other": lambda K, g, input, other: -g * K.floor_divide(input, other),
    },
    operators=("mod", "rmod", "imod"),
    out=True,
)
def remainder(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Python's modulus: the result has the sign of `other`; integers by zero raise RuntimeError."""


@composite(
    pointwise(SAME, REAL_NUMBERS, domain=POSITIVE),
    grad={"input": lambda K, g: K.zeros_like(g), "other": lambda K, g: K.zeros_like(g)},
    operators=("floordiv", "rfloordiv", "ifloordiv"),
    out=True,
)
def floor_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The quotient rounded towards minus infinity; integers by zero raise RuntimeError."""
    rest = K.remainder(input, other)
    if rest.is_floating_point():
        quotient = input / other
        whole = K.round((input - rest) / other)
        whole = K.where(K.eq(whole, 0), quotient * 0, whole)  # a zero with the quotient's sign
        return K.where(K.eq(K.ones_like(rest) * other, 0), quotient, whole)
    return K.trunc_divide(input - rest, other)


@composite(
    pointwise(SAME, REAL_NUMBERS, domain=(0.3, 2.9)),
    grad={
        "input": lambda g: g,
        "other": lambda K, g, input, other: -g * K.trunc_divide(input, other),
    },
    out=True,
)
def fmod(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """C's modulus: the result has the sign of `input`."""
    input, other = _common(input, other)
    rest = K.remainder(_magnitude(input), _magnitude(other))
    return K.where(input < 0, K.neg(rest), rest)  # type: ignore[operator]


@composite(
    pointwise(SAME, REAL_NUMBERS, domain=POSITIVE),
    grad={"input": lambda K, g: K.zeros_like(g), "other": lambda K, g: K.zeros_like(g)},
    namespace="_",
)
def trunc_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The quotient rounded towards zero."""
    input, other = _common(input, other)
    a, b = _magnitude(input), _magnitude(other)
    dtype = _dtype_of(input, other)
    multiple = a - K.remainder(a, b)
    quotient = _whole_quotient(multiple, b, dtype)
    if not dtype.is_floating_point:  # beyond 2**53 the first quotient is off by a little
        quotient = quotient + _whole_quotient(multiple - quotient * b, b, dtype)
    negative = K.ne(input < 0, other < 0)  # type: ignore[operator]
    return K.cast(K.where(negative, K.neg(quotient), quotient), dtype)


def _whole_quotient(multiple: Tensor, divisor: Any, dtype: Any) -> Tensor:
    """The quotient of a multiple of the divisor, as near as float64 (or the dtype itself) has it."""
    if not dtype.is_floating_point:
        multiple = K.cast(multiple, float64)
    return K.cast(K.round(K.div(multiple, divisor)), dtype)


def _common(*values: Any) -> Any:
    """The operands, where the dtype is an integer one with numbers that it holds."""
    dtype = _dtype_of(*values)
    if dtype.category is not Category.INTEGRAL:
        return values
    return [v if isinstance(v, Tensor) else wrapped(v, dtype) for v in values]


def _magnitude(value: Any) -> Any:
    return K.abs(value) if isinstance(value, Tensor) else abs(value)


def _dtype_of(*values: Any) -> Any:
    return next(v.dtype for v in values if isinstance(v, Tensor))


@primitive(
    pointwise(FLOAT, REAL, domain=POSITIVE),
    grad={
        "input": lambda K, g, input, other: g * other / _square_distance(K, input, other),
        "other": lambda K, g, input, other: -g * input / _square_distance(K, input, other),
    },
    aliases=("arctan2",),
    out=True,
)
def atan2(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The angle of the point (other, input), in radians between -pi and pi."""


def _square_distance(K: Any, input: Any, other: Any) -> Any:
    """How far a point is from the origin, squared; infinite at the origin, where no angle changes."""
    square = input * input + other * other
    return K.where(square == 0, float("inf"), square)


def _share(K: Any, g: Any, passed: Any, tied: Any) -> Any:
    """Half of the gradient where both are equal, none where an argument was passed over.

    Where one of them is NaN, neither was: both get all of it.
    """
    return K.where(tied, g / 2, K.where(passed, 0.0, g))


@composite(
    pointwise(SAME, REAL),
    grad={
        "input": lambda K, g, input, other: _share(K, g, input < other, input == other),
        "other": lambda K, g, input, other: _share(K, g, other < input, input == other),
    },
    out=True,
    inplace=False,
)
def maximum(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The larger of two elements; NaN if either is NaN."""
    # Where neither is the smaller and they are not equal one is NaN, and so is their sum.
    rest = K.where(K.eq(input, other), other, K.add(input, other))
    return K.where(K.lt(other, input), input, K.where(K.lt(input, other), other, rest))


@composite(
    pointwise(SAME, REAL),
    grad={
        "input": lambda K, g, input, other: _share(K, g, input > other, input == other),
        "other": lambda K, g, input, other: _share(K, g, other > input, input == other),
    },
    out=True,
    inplace=False,
)
def minimum(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The smaller of two elements; NaN if either is NaN."""
    rest = K.where(K.eq(input, other), other, K.add(input, other))
    return K.where(K.lt(input, other), input, K.where(K.lt(other, input), other, rest))


# -- comparison and logic -----------------------------------------------------------------------------


@primitive(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, operators=("eq",), out=True)
def eq(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Whether the elements are equal."""


@primitive(
    pointwise(BOOL, REAL), grad=NOT_DIFFERENTIABLE, operators=("lt",), aliases=("less",), out=True
)
def lt(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Whether input < other."""


@composite(
    pointwise(BOOL, REAL),
    grad=NOT_DIFFERENTIABLE,
    operators=("le",),
    aliases=("less_equal",),
    out=True,
)
def le(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Whether input <= other."""
    return K.bitwise_or(K.lt(input, other), K.eq(input, other))


@composite(
    pointwise(BOOL), grad=NOT_DIFFERENTIABLE, operators=("ne",), aliases=("not_equal",), out=True
)
def ne(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Whether the elements differ (NaN differs from itself)."""
    return K.bitwise_not(K.eq(input, other))


@composite(
    pointwise(BOOL, REAL),
    grad=NOT_DIFFERENTIABLE,
    operators=("gt",),
    aliases=("greater",),
    out=True,
)
def gt(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Whether input > other."""
    return K.lt(other, input)


@composite(
    pointwise(BOOL, REAL),
    grad=NOT_DIFFERENTIABLE,
    operators=("ge",),
    aliases=("greater_equal",),
    out=True,
)
def ge(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Whether input >= other."""
    return K.le(other, input)


@primitive(
    pointwise(SAME, DISCRETE), grad=NOT_DIFFERENTIABLE, operators=("and", "rand", "iand"), out=True
)
def bitwise_and(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits that are set in both; for bool the logical and."""


@primitive(
    pointwise(SAME, DISCRETE), grad=NOT_DIFFERENTIABLE, operators=("or", "ror", "ior"), out=True
)
def bitwise_or(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits that are set in either; for bool the logical or."""


@primitive(
    pointwise(SAME, DISCRETE), grad=NOT_DIFFERENTIABLE, operators=("xor", "rxor", "ixor"), out=True
)
def bitwise_xor(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits that differ; for bool the exclusive or."""


def _truth(value: Any) -> Any:
    return K.ne(value, 0) if isinstance(value, Tensor) else bool(value)


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, out=True)
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both elements are nonzero."""
    return K.bitwise_and(_truth(input), _truth(other))


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, out=True)
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether either element is nonzero."""
    return K.bitwise_or(_truth(input), _truth(other))


@composite(pointwise(BOOL), grad=NOT_DIFFERENTIABLE, out=True)
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one of the elements is nonzero."""
    return K.bitwise_xor(_truth(input), _truth(other))


# -- selection ----------------------------------------------------------------------------------------


@primitive(
    pointwise(
        SAME,
        truths=("condition",),
        bytes_too=True,
        inplace=False,
        samples=lambda make: [
            (make(3, 4, boolean=True), make(3, 4), make(3, 4)),
            (make(4, boolean=True), make(3, 1), make()),
            (make(2, 3, boolean=True), make(2, 3), 2.0),
            (make(0, 3, boolean=True), make(0, 3), make(3)),
        ],
    ),
    grad={
        "condition": NOT_DIFFERENTIABLE,
        "input": lambda K, g, condition: K.where(condition, g, 0.0),
        "other": lambda K, g, condition: K.where(condition, 0.0, g),
    },
    method=False,
    out=True,
)
def where(
    condition: Tensor, input: Tensor | Number | None = None, other: Tensor | Number | None = None
) -> Tensor:
    """input where the condition holds, other elsewhere; with one argument the nonzero indices."""
    if input is None and other is None:
        return K.nonzero(condition, as_tuple=True)
    raise TypeError("where() takes a condition alone, or also both input and other")


@composite(
    pointwise(
        SAME,
        INEXACT,
        inplace=False,
        truths=("mask",),
        samples=lambda make: [
            (make(3, 4), make(3, 4, boolean=True)),
            (make(), make(boolean=True)),
            (make(0, 3), make(0, 3, boolean=True)),
        ],
    ),
    grad={"grad": lambda K, g, mask: K.gate(g, mask), "mask": NOT_DIFFERENTIABLE},
    namespace="_",
)
def gate(grad: Tensor, mask: Tensor) -> Tensor:
    """`grad` where the mask is set and 0 elsewhere, also where `grad` is infinite or NaN."""
    return K.where(mask, grad, 0)


@composite(
    pointwise(
        SAME,
        apart=("value",),
        truths=("mask",),
        samples=lambda make: [
            (make(3, 4), make(3, 4, boolean=True), 1),
            (make(3, 4), make(4, boolean=True), make()),
            (make(4), make(3, 1, boolean=True), 2.5),
        ],
    ),
    grad={
        "input": lambda K, g, mask: K.where(mask, 0.0, g),
        "mask": NOT_DIFFERENTIABLE,
        "value": lambda K, g, mask, value: K.sum(K.cast_like(K.where(mask, g, 0.0), value)),
    },
)
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """`value` where the bool `mask` is set, `input` elsewhere; the mask broadcasts."""
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s); use where(mask, value, input)"
        )
    return K.where(mask, as_element(value, input.dtype), input)
