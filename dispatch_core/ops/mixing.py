"""Element-wise operators of several tensors made from arithmetic: interpolation, bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import complex128, dtype, finfo, float64, promote_types
from dispatch_core._families.base import FLOATING, INEXACT, INTEGRAL, NUMBERS, REAL
from dispatch_core._families.others import custom
from dispatch_core._families.pointwise import BOOL, FLOAT, SAME, Difference, Pointwise, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops.binary import scaled

if TYPE_CHECKING:
    from dispatch_core._dispatcher.operator import Op

POSITIVE = (0.2, 3.0)


class _OneDtype(Pointwise):
    """Element-wise operators that do not promote: their tensors must have one dtype."""

    promotes = False

    def admit(self, op: Op, dtypes: Mapping[str, dtype]) -> None:
        if len(set(dtypes.values())) > 1:
            named = ", ".join(f"{name}: {d}" for name, d in dtypes.items())
            raise RuntimeError(
                f"{op.title}expected tensors of one dtype, but got {named}; convert one of them with "
                ".to(dtype)"
            )


@composite(
    _OneDtype(
        SAME,
        INEXACT,
        samples=lambda make: [
            (make(3, 4), make(3, 4), 0.3),
            (make(3, 4), make(4), 0.8),
            (make(3, 4), make(4), make(3, 1)),
        ],
    ),
    grad={
        "input": lambda K, g, weight: g * (1 - K.conj(weight)),
        "end": lambda K, g, weight: g * K.conj(weight),
        "weight": lambda K, g, input, end: g * K.conj(end - input),
    },
    out=True,
)
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """input + weight * (end - input); exact at weight 0 and 1."""
    step = K.sub(end, input)
    if not isinstance(weight, Tensor):
        return input + step * weight if abs(weight) < 0.5 else end - step * (1 - weight)
    return K.where(K.lt(K.abs(weight), 0.5), input + step * weight, end - step * (1 - weight))


@composite(
    pointwise(
        SAME,
        NUMBERS,
        samples=lambda make: [
            (make(3, 4), make(3, 4), make(3, 4)),
            (make(3, 4), make(4), make(3, 1), {"value": 2}),
        ],
    ),
    out=True,
)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
    product = K.mul(tensor1, tensor2)
    return K.add(input, product if value == 1 else product * value)


@composite(
    pointwise(
        SAME,
        INEXACT,
        samples=lambda make: [
            (make(3, 4), make(3, 4), make(3, 4, low=0.5, high=2)),
            (make(3, 4), make(4), make(3, 1, low=0.5, high=2), {"value": 2}),
        ],
    ),
    out=True,
)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 / tensor2; RuntimeError for integers."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported; use input + value * "
            "torch.div(tensor1, tensor2, rounding_mode='trunc') instead"
        )
    quotient = K.div(tensor1, tensor2)
    return K.add(input, quotient if value == 1 else quotient * value)


@composite(
    Difference(
        SAME, NUMBERS, inplace=False, samples=lambda make: [(make(3, 4), make(4)), (make(3), 2)]
    ),
    method=False,
)
def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """other - alpha * input."""
    one = alpha.__class__ is int and alpha == 1
    return K.sub(other, input if one else scaled(input, alpha, other))


@composite(
    pointwise(
        SAME,
        samples=lambda make: [
            (make(3, 4),),
            (make(3) / (make(3) * 0), {"nan": 1.0, "posinf": 2.0, "neginf": 3.0}),
            (make(3) / (make(3) * 0),),
        ],
    ),
    grad={"input": lambda K, g, input: K.where(K.isfinite(input), g, 0.0)},
    out=True,
)
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Each element, NaN and infinities replaced (by 0 and the dtype's extreme numbers)."""
    if input.is_complex():
        parts = (K.nan_to_num(part, nan, posinf, neginf) for part in (K.real(input), K.imag(input)))
        return K.complex(*parts)
    if not input.is_floating_point():
        return K.clone(input)
    limits = finfo(input.dtype)
    x = K.where(K.ne(input, input), nan or 0.0, input)
    x = K.where(K.eq(x, float("inf")), limits.max if posinf is None else posinf, x)
    return K.where(K.eq(x, -float("inf")), limits.min if neginf is None else neginf, x)


@composite(
    custom(
        inplace=True,
        samples=lambda make: [
            (make(3, 4, low=0.2, high=3), make(4)),
            (make(3, low=0.2, high=3), 2.5),
            (2.0, make(3)),
        ],
    ),
    out=True,
)
def float_power(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """input to the power of exponent, computed and returned in float64 or complex128."""
    tensors = [v for v in (input, exponent) if isinstance(v, Tensor)]
    wide = complex128 if any(_is_complex(v) for v in (input, exponent)) else float64
    first, second = (
        K.cast(v, wide) if isinstance(v, Tensor) and v.dtype is not wide else v
        for v in (input, exponent)
    )
    return K.pow(first, second) if tensors else first**second  # type: ignore[return-value]


def _is_complex(value: Any) -> bool:
    return value.is_complex() if isinstance(value, Tensor) else isinstance(value, complex)


@composite(
    pointwise(FLOAT, REAL, samples=lambda make: [(make(3, 4), make(4)), (make(3, 4), -1.0)]),
    grad={
        "input": lambda K, g, input, out: K.where(K.eq(input, 0), 0.0, g * (out / input)),
        "other": lambda K, g: K.zeros_like(g),
    },
    out=True,
)
def copysign(input: Tensor, other: Tensor | Number) -> Tensor:
    """The magnitude of input with the sign of other (-0.0 is negative)."""
    size = K.abs(input)
    sign = K.signbit(other) if isinstance(other, Tensor) else str(other).startswith("-")
    if not isinstance(sign, Tensor):
        return K.neg(size) if sign else size
    return K.where(sign, K.neg(size), size)


@composite(
    _OneDtype(
        SAME, REAL, samples=lambda make: [(make(3, 4), make(4)), (K.zeros_like(make(3)), make(3))]
    ),
    grad=NOT_DIFFERENTIABLE,
    forward=False,
    out=True,
)
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 for negative elements and NaN, 1 for positive ones, and `values` for zero."""
    return K.where(K.eq(input, 0), values, K.cast(K.gt(input, 0), input.dtype))


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda g, input, out: g * (input / out),
        "other": lambda g, other, out: g * (other / out),
    },
    out=True,
)
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """The square root of input ** 2 + other ** 2, without overflow."""
    a, b = K.abs(input), K.abs(other)
    large, small = K.maximum(a, b), K.minimum(a, b)
    ratio = K.where(K.eq(large, 0), 0.0, small / large)
    finite = large * K.sqrt(ratio * ratio + 1)
    return K.where(K.eq(large, float("inf")), large, finite)


# -- integers and their bits ---------------------------------------------------------------------


def _counts(make: Any) -> list[Any]:
    return [
        (make(3, 4, low=0, high=5, integer=True), make(4, low=0, high=4, integer=True)),
        (make(3, low=0, high=5, integer=True), make(low=1, high=4, integer=True)),
    ]


def _shifts(make: Any) -> list[Any]:
    return [*_counts(make), (make(3, low=0, high=5, integer=True), 2)]


def _places(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    return other if isinstance(other, Tensor) else K.full_like(input, other)


@composite(
    pointwise(SAME, INTEGRAL, samples=_shifts),
    grad=NOT_DIFFERENTIABLE,
    operators=("lshift", "rlshift", "ilshift"),
    out=True,
)
def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits of input moved up by other places."""
    # Powers of two wrap as the product does.
    return K.mul(input, K.pow(2, _places(input, other)))


@composite(
    pointwise(SAME, INTEGRAL, samples=_shifts),
    grad=NOT_DIFFERENTIABLE,
    operators=("rshift", "rrshift", "irshift"),
    out=True,
)
def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """The bits of input moved down by other places, keeping the sign."""
    places = _places(input, other)
    # Where one power of two would not fit the dtype, two do; more places than bits change nothing more.
    places = K.minimum(places, 8 * places.dtype.itemsize)
    half = K.floor_divide(places, 2)
    value = input if isinstance(input, Tensor) else K.full_like(places, input)
    # The least integer has no magnitude to divide, but its complement has.
    negative = K.lt(value, 0)
    value = K.where(negative, K.bitwise_not(value), value)
    value = K.floor_divide(K.floor_divide(value, K.pow(2, half)), K.pow(2, places - half))
    return K.where(negative, K.bitwise_not(value), value)


def _euclid(a: Tensor, b: Tensor) -> Tensor:
    a, b = K.abs(a), K.abs(b)
    zero = K.mul(a, b) * 0
    a, b = a + zero, b + zero
    while bool(K.any(K.ne(b, 0))):
        done = K.eq(b, 0)
        divisor = K.where(done, 1, b)
        a, b = K.where(done, a, b), K.where(done, b, K.remainder(a, divisor))
    return a


@composite(pointwise(SAME, INTEGRAL, samples=_counts), grad=NOT_DIFFERENTIABLE, out=True)
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor."""
    other = other if isinstance(other, Tensor) else K.full_like(input, other)
    return _euclid(input, other)


@composite(pointwise(SAME, INTEGRAL, samples=_counts), grad=NOT_DIFFERENTIABLE, out=True)
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple."""
    other = other if isinstance(other, Tensor) else K.full_like(input, other)
    divisor = _euclid(input, other)
    divisor = K.where(K.eq(divisor, 0), 1, divisor)
    return K.abs(K.mul(K.floor_divide(input, divisor), other))


@composite(
    pointwise(
        FLOAT,
        samples=lambda make: [
            (make(3, 4), make(3, 4, low=0, high=3, integer=True)),
        ],
        apart=("other",),
    ),
    out=True,
)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input * 2 ** other."""
    inexact = other.is_floating_point() or other.is_complex()
    wide = promote_types(input.dtype, other.dtype) if inexact else input.dtype
    return K.mul(input, K.pow(2.0, K.cast(other, wide)))


# -- comparison within a tolerance ---------------------------------------------------------------


def _same_dtype(name: str, input: Tensor, other: Tensor) -> None:
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{name}(): {input.dtype.name} did not match {other.dtype.name}")


@composite(
    pointwise(
        BOOL,
        inplace=False,
        apart=("input", "other"),
        samples=lambda make: [
            (make(3, 4), make(4)),
            (make(3) * 0, make(3) * 0),
            (make(3), make(3), 1.0, 0.5),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
)
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether |input - other| <= atol + rtol * |other|; NaN equals NaN if `equal_nan`."""
    _same_dtype("isclose", input, other)
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"rtol and atol must not be negative, but got rtol={rtol}, atol={atol}")
    close = K.eq(input, other)
    inexact = input.is_floating_point() or input.is_complex()
    if equal_nan and inexact:
        close = K.bitwise_or(close, K.bitwise_and(K.ne(input, input), K.ne(other, other)))
    if not inexact and rtol == 0 and atol == 0:
        return close
    a, b = (v if inexact else K.cast(v, float64) for v in (input, other))
    error = K.abs(K.sub(a, b))
    near = K.le(error, K.abs(b) * rtol + atol)
    return K.bitwise_or(close, K.bitwise_and(K.isfinite(error), near))


@composite(
    pointwise(
        BOOL,
        inplace=False,
        apart=("input", "other"),
        samples=lambda make: [(make(3, 4), make(4)), (make(3) * 0, make(3) * 0)],
    ),
    grad=NOT_DIFFERENTIABLE,
    outputs=0,
)
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Whether all elements are close, as a bool; see `isclose`."""
    return bool(K.all(K.isclose(input, other, rtol, atol, equal_nan)))


@composite(
    pointwise(
        BOOL,
        inplace=False,
        apart=("input", "other"),
        samples=lambda make: [
            (make(3, 4), make(3, 4)),
            (make(3) * 0, make(3) * 0),
            (make(3), make(4)),
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    outputs=0,
)
def equal(input: Tensor, other: Tensor) -> Any:
    """Whether two tensors have the same shape and equal elements, as a bool."""
    if input.shape != other.shape:
        return False
    return bool(K.all(K.eq(input, other)))
