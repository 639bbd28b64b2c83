"""Samples of functions of one element."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle.calls import Call, Maker, call

Samples = Callable[[Maker], list[Call]]


def unary(low: float | None = None, high: float | None = None) -> Samples:
    """One tensor with values from an interval: of rank 2, 0 and 3, and without elements."""
    return lambda m: [
        call(m(3, 4, low=low, high=high)),
        call(m(low=low, high=high)),
        call(m(2, 1, 3, low=low, high=high)),
        call(m(0, 2)),
    ]


EVERYWHERE = [
    "abs",
    "angle",
    "asinh",
    "atan",
    "bitwise_not",
    "ceil",
    "conj",
    "conj_physical",
    "cos",
    "cosh",
    "deg2rad",
    "digamma",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "frac",
    "frexp",
    "i0",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "lgamma",
    "logical_not",
    "neg",
    "positive",
    "rad2deg",
    "real",
    "reciprocal",
    "sgn",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "square",
    "tan",
    "tanh",
    "trunc",
    "special.entr",
    "special.erfcx",
    "special.i0e",
    "special.i1",
    "special.i1e",
    "special.log_ndtr",
    "special.ndtr",
    "special.airy_ai",
    "special.bessel_j0",
    "special.bessel_j1",
    "special.modified_bessel_i0",
    "special.modified_bessel_i1",
    "special.spherical_bessel_j0",
]
POSITIVE = [
    "log",
    "log10",
    "log2",
    "rsqrt",
    "sqrt",
    "special.bessel_y0",
    "special.bessel_y1",
    "special.modified_bessel_k0",
    "special.modified_bessel_k1",
    "special.scaled_modified_bessel_k0",
    "special.scaled_modified_bessel_k1",
]
BETWEEN_ONES = ["acos", "asin", "atanh", "erfinv"]


def _complex_only(m: Maker) -> list[Call]:
    dtype = m.dtype if m.complex else "complex64"
    return [call(m(3, 4, dtype=dtype)), call(m(dtype=dtype)), call(m(0, 2, dtype=dtype))]


def _round(m: Maker) -> list[Call]:
    found = unary(-3, 3)(m)
    if m.floating:
        found += [
            call(m.of([0.5, 1.5, 2.5, -0.5, -1.5])),
            call(m(3, 4), decimals=1),
            call(m(3, low=-200, high=200), decimals=-1),
        ]
    return found


def _logit(m: Maker) -> list[Call]:
    return [*unary(0.05, 0.95)(m), call(m(3, low=-0.5, high=1.5), 0.1), call(m(3), eps=0.2)]


def _nan_to_num(m: Maker) -> list[Call]:
    found = unary()(m)
    if m.floating:
        odd = [1.0, float("nan"), float("inf"), -float("inf")]
        found += [
            call(m.of(odd)),
            call(m.of(odd), 3.0),
            call(m.of(odd), nan=1.0, posinf=2.0, neginf=-2.0),
        ]
    return found


SAMPLES: dict[str, Samples] = {
    **dict.fromkeys(EVERYWHERE, unary()),
    **dict.fromkeys(POSITIVE, unary(0.1, 3)),
    **dict.fromkeys(BETWEEN_ONES, unary(-0.9, 0.9)),
    "acosh": unary(1.1, 4),
    "log1p": unary(-0.9, 3),
    "special.ndtri": unary(0.05, 0.95),
    "imag": _complex_only,
    "logit": _logit,
    "mvlgamma": lambda m: [call(m(3, 4, low=2, high=6), 1), call(m(3, low=3, high=6), p=3)],
    "nan_to_num": _nan_to_num,
    "polygamma": lambda m: [
        call(0, m.positive(3, 4)),
        call(1, m.positive(3)),
        call(2, m.positive()),
        call(4, m.positive(2, 2)),
    ],
    "special.polygamma": lambda m: [call(1, m.positive(3, 4)), call(n=3, input=m.positive(3))],
    "round": _round,
}
