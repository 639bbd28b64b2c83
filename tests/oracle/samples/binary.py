"""Samples of functions of two or three elements: broadcasting, numbers, mixed dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.oracle.calls import INTEGERS, Call, Maker, call

Samples = Callable[[Maker], list[Call]]


def binary(
    *, number: Any = None, first: str = "__call__", second: str = "__call__", **bounds: float
) -> Samples:
    """Two tensors of equal and of broadcast shapes, 0-d, without elements; a number if it may be."""

    def samples(m: Maker) -> list[Call]:
        def a(*shape: int) -> Any:
            return getattr(m, first)(*shape, **bounds)

        def b(*shape: int) -> Any:
            return getattr(m, second)(*shape, **bounds)

        found = [
            call(a(3, 4), b(3, 4)),
            call(a(3, 1), b(2, 1, 4)),
            call(a(4), b(3, 4)),
            call(a(3), b()),
            call(a(), b(2, 2)),
            call(a(), b()),
            call(a(0, 3), b(3)),
        ]
        if number is not None:
            found += [call(a(2, 3), number), call(a(), number)]
        return found

    return samples


def _mixed(samples: Samples, *others: str) -> Samples:
    """More samples whose second operand has another dtype."""
    return lambda m: [
        *samples(m),
        *(call(m(2, 3), m.positive(3)) for _ in ()),
        *(call(m(2, 3), m(3, dtype=d, low=1, high=4)) for d in others),
        *(call(m(2, 3), m(dtype=d, low=1, high=4)) for d in others),
    ]


def _arithmetic(number: Any) -> Samples:
    return _mixed(binary(number=number), "int32", "float64", "bool")


def _comparison(m: Maker) -> list[Call]:
    equal = m.of([[1, 2, 3]])
    return [
        *_mixed(binary(number=1), "int64", "float64")(m),
        call(equal, m.of([[1, 3, 2]])),
        call(equal, 2.5),
    ]


def _alpha(samples: Samples) -> Samples:
    return lambda m: [
        *samples(m),
        call(m(2, 3), m(3), alpha=2),
        call(m(2, 3), 3, alpha=2),
        *(
            [call(m(2, 3), m(3), alpha=0.5)]
            if m.dtype not in INTEGERS and m.dtype != "bool"
            else []
        ),
    ]


def _div(m: Maker) -> list[Call]:
    found = _mixed(binary(second="positive", number=2), "int32", "float64")(m)
    for mode in ("trunc", "floor", None):
        found += [
            call(m(2, 3), m.positive(3), rounding_mode=mode),
            call(m(4), 3, rounding_mode=mode),
            call(m(4), -2, rounding_mode=mode),
        ]
    return found


def _pow(m: Maker) -> list[Call]:
    return [
        *binary(first="positive", second="positive", number=2)(m),
        call(m.positive(3), 0.5),
        call(m(3), 3),
        call(m.positive(3), -1.0),
        call(2, m.positive(3)),
        call(0.5, m.positive(2, 2)),
        call(m(4), 0),
    ]


def _isclose(m: Maker) -> list[Call]:
    a = m(3, 4)
    return [
        call(a, a),
        call(a, m(3, 4), rtol=0.5),
        call(a, m(4), rtol=0.1, atol=1.0),
        call(a, m(4), 0.1, 1.0, True),
        call(m(), m(2)),
    ]


def _clamp(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), -1, 1),
        call(m(3, 4), min=0),
        call(m(3, 4), max=1),
        call(m(3, 4), 0.5, 1.0),
        call(m(3, 4), m(4), m(3, 1)),
        call(m(3, 4), m(4)),
        call(m(3, 4), max=m(4)),
        call(m(), -1, 1),
        call(m(0, 2), 0, 1),
        call(m(3), 2, 1),
    ]


def _where(m: Maker) -> list[Call]:
    return [
        call(m.bool(3, 4), m(3, 4), m(3, 4)),
        call(m.bool(3, 1), m(4), m(3, 4)),
        call(m.bool(3), m(3), 2),
        call(m.bool(3), 1, m(3)),
        call(m.bool(3), m(3), m(dtype="float64")),
        call(m.bool(), m(2), m()),
        call(m.bool(2, 2)),
        call(m.bool(0), m(0), m(0)),
    ]


def _lerp(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), m(3, 4), 0.3),
        call(m(3, 4), m(4), 0.75),
        call(m(3, 4), m(4), weight=m(3, 1)),
        call(m(), m(), 0.5),
        call(m(0, 2), m(2), 0.5),
    ]


def _addc(m: Maker, *, third: str) -> list[Call]:
    def b(*shape: int) -> Any:
        return getattr(m, third)(*shape)

    return [
        call(m(3, 4), m(3, 4), b(3, 4)),
        call(m(3, 4), m(4), b(3, 1), value=2),
        call(m(), m(), b()),
        call(m(0, 2), m(2), b(1)),
    ]


def _floats(*shape: int) -> Samples:
    return lambda m: [call(m(3, 4), m(3, 4)), call(m(3, 1), m(4)), call(m(), m()), call(m(0), m(0))]


SHIFT = binary(number=2, low=0, high=5)
DIVISIBLE = {"second": "positive"}

SAMPLES: dict[str, Samples] = {
    "add": _alpha(_arithmetic(2)),
    "sub": _alpha(_mixed(binary(number=2), "int32", "float64")),
    "rsub": _alpha(binary(number=2)),
    "mul": _arithmetic(3),
    "div": _div,
    "true_divide": _mixed(binary(second="positive", number=2), "int32", "float64"),
    "floor_divide": _mixed(binary(second="positive", number=2), "int32", "float64"),
    "remainder": lambda m: [
        *_mixed(binary(second="positive", number=2), "int32", "float64")(m),
        call(5, m.positive(3)),
        call(m(5), -2),
    ],
    "fmod": lambda m: [
        *_mixed(binary(second="positive", number=2), "int32", "float64")(m),
        call(m(5), -2),
    ],
    "pow": _pow,
    "float_power": lambda m: [
        *binary(first="positive", second="positive", number=2)(m),
        call(2, m.positive(3)),
        call(m.positive(3), 1.5),
    ],
    **dict.fromkeys(["eq", "ne", "ge", "gt", "le", "lt"], _comparison),
    **dict.fromkeys(["bitwise_and", "bitwise_or", "bitwise_xor"], binary(number=3)),
    **dict.fromkeys(["bitwise_left_shift", "bitwise_right_shift"], SHIFT),
    **dict.fromkeys(["gcd", "lcm"], binary()),
    **dict.fromkeys(
        ["logical_and", "logical_or", "logical_xor"], _mixed(binary(), "int64", "float32", "bool")
    ),
    **dict.fromkeys(
        ["fmax", "fmin", "maximum", "minimum"], _mixed(binary(), "int64", "float64", "bool")
    ),
    **dict.fromkeys(["clamp_max", "clamp_min"], _mixed(binary(number=0.5), "float64")),
    **dict.fromkeys(["hypot", "logaddexp", "logaddexp2", "nextafter", "atan2"], binary()),
    "heaviside": lambda m: [*binary()(m), call(m.of([0, 1, 0]), m(3))],
    "copysign": binary(number=-1.0),
    "complex": _floats(),
    "polar": lambda m: [call(m.positive(3, 4), m(3, 4)), call(m.positive(3, 1), m(4))],
    "isclose": _isclose,
    "ldexp": lambda m: [
        *binary()(m),
        call(m(3, 4), m(4, dtype="int32", low=-2, high=4)),
    ],
    **dict.fromkeys(
        ["xlogy", "special.xlog1py"],
        lambda m: [*binary(second="positive", number=2.0)(m), call(2.0, m.positive(3))],
    ),
    "special.zeta": lambda m: [
        *binary(low=1.5, high=4)(m),
        call(2.5, m.positive(3)),
        call(m.positive(3), 2.0),
    ],
    **dict.fromkeys(["igamma", "igammac"], binary(first="positive", second="positive")),
    "clamp": _clamp,
    "where": _where,
    "lerp": _lerp,
    "addcmul": lambda m: _addc(m, third="__call__"),
    "addcdiv": lambda m: _addc(m, third="positive"),
    "fill": lambda m: [call(m(2, 3), 1), call(m(2, 3), m()), call(m(), 2), call(m(0), 1)],
}


def _polynomial(m: Maker) -> list[Call]:
    degree = m.int(3, low=0, high=6)
    return [
        call(m(3, low=-0.9, high=0.9), degree),
        call(m(2, 3, low=-0.9, high=0.9), degree),
        call(m(3, low=-0.9, high=0.9), 3),
        call(0.5, m.int(4, low=0, high=8)),
        call(m(0), m.int(1)),
    ]


POLYNOMIALS = [
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]
SAMPLES |= {f"special.{name}": _polynomial for name in POLYNOMIALS}
