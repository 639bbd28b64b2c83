"""Samples of functions that make tensors, random ones too."""

from __future__ import annotations

from typing import Any

from tests.oracle.calls import Call, Maker, Named, call
from tests.oracle.samples.unary import Samples

MANY = (40, 50)
"""A shape with enough elements to tell distributions apart."""


def _sized(*more: Any) -> Samples:
    """By sizes, by a sequence, with a dtype, without elements, 0-d."""

    def samples(m: Maker) -> list[Call]:
        dtype = Named(m.dtype)
        return [
            call((2, 3), *more),
            call([2, 0], *more, dtype=dtype),
            call((), *more, dtype=dtype),
            call((2, 3), *more, dtype=dtype, requires_grad=m.floating),
            *([] if more else [call(2, 3, dtype=dtype), call(size=(2,))]),
        ]

    return samples


def _like(*more: Any) -> Samples:
    return lambda m: [
        call(m(2, 3), *more),
        call(m(), *more),
        call(m(0, 2), *more, dtype=Named("float64")),
        call(m(2, 3), *more, dtype=Named(m.dtype), requires_grad=m.floating),
    ]


def _new(*more: Any) -> Samples:
    return lambda m: [
        call(m(1), (2, 3), *more),
        call(m(1), [], *more),
        call(m(1), (2,), *more, dtype=Named("float64")),
        *([] if more else [call(m(1), 2, 3)]),
    ]


def _arange(m: Maker) -> list[Call]:
    dtype = Named(m.dtype)
    return [
        call(5),
        call(2, 7),
        call(1, 9, 2),
        call(5, dtype=dtype),
        call(1, 6, 2, dtype=dtype),
        call(0.5, 3),
        call(5, 1, -1),
        call(start=1, end=4, step=1),
        call(0),
        call(1.0, 2.0, 0.25, dtype=dtype),
    ]


def _spaced(m: Maker) -> list[Call]:
    dtype = Named(m.dtype)
    return [
        call(0, 1, 5),
        call(-2.0, 3.0, 4),
        call(1, 2, 1),
        call(1, 2, 0),
        call(start=0, end=4, steps=5, dtype=dtype),
        call(m(low=0, high=2), m(low=2, high=3), 3, dtype=dtype),
    ]


def _strided(m: Maker) -> list[Call]:
    return [call((2, 3), (3, 1)), call((2, 3), (1, 2), dtype=Named(m.dtype)), call((), ())]


SAMPLES: dict[str, Samples] = {
    **dict.fromkeys(["empty", "ones", "zeros", "randn"], _sized()),
    "full": lambda m: [
        *_sized(3)(m),
        call((2,), 2.5),
        call((2,), True),
        call((2,), 1 + 2j),
        call(size=(2,), fill_value=1),
    ],
    **dict.fromkeys(["empty_like", "ones_like", "zeros_like"], _like()),
    **dict.fromkeys(["rand_like", "randn_like"], lambda m: [call(m(*MANY)), *_like()(m)]),
    "full_like": _like(2),
    "Tensor.new_empty": _new(),
    "Tensor.new_ones": _new(),
    "Tensor.new_zeros": _new(),
    "Tensor.new_full": _new(2),
    "Tensor.new_empty_strided": lambda m: [
        call(m(1), (2, 3), (3, 1)),
        call(m(1), (2, 3), (1, 2), dtype=Named("float64")),
    ],
    "empty_strided": _strided,
    "empty_permuted": lambda m: [
        call((2, 3), (1, 0)),
        call((2, 3, 4), (0, 2, 1), dtype=Named(m.dtype)),
    ],
    "arange": _arange,
    "linspace": _spaced,
    "logspace": lambda m: [*_spaced(m), call(0, 2, 3, base=2.0), call(0, 2, 3, 3.0)],
    "eye": lambda m: [
        call(3),
        call(2, 3),
        call(3, 2, dtype=Named(m.dtype)),
        call(n=2, m=2),
        call(0),
    ],
    "scalar_tensor": lambda m: [call(2), call(1.5, dtype=Named(m.dtype)), call(True)],
    "randint": lambda m: [
        call(10, MANY),
        call(2, 5, MANY),
        call(high=3, size=(2, 3)),
        call(0, 5, (2, 3), dtype=Named(m.dtype)),
    ],
    "randint_like": lambda m: [
        call(m(*MANY), 5),
        call(m(*MANY), 2, 7),
        call(m(2), low=0, high=3, dtype=Named("int32")),
    ],
    "normal": lambda m: [
        call(m(*MANY), m.positive(*MANY)),
        call(m(*MANY), 0.5),
        call(1.0, m.positive(*MANY)),
        call(1.0, 2.0, MANY),
        call(m(3, 1), m.positive(3, 1)),
    ],
    "bernoulli": lambda m: [
        call(m(*MANY, low=0, high=1)),
        call(m(*MANY), 0.3),
        call(m(low=0, high=1)),
    ],
    "multinomial": lambda m: [
        call(m.of([0.1, 0.2, 0.7]), 1500, True),
        call(m.of([[1, 3, 0], [2, 2, 1]]), 1500, replacement=True),
        call(m.of([0.0, 0.0, 1.0]), 1),
    ],
    "Tensor.cauchy_": lambda m: [call(m(*MANY)), call(m(*MANY), 1, 2), call(m(*MANY), sigma=3.0)],
    "Tensor.exponential_": lambda m: [call(m(*MANY)), call(m(*MANY), 2), call(m(*MANY), lambd=0.5)],
    "Tensor.geometric_": lambda m: [call(m(*MANY), 0.3), call(m(*MANY), p=0.7)],
    "Tensor.log_normal_": lambda m: [
        call(m(*MANY)),
        call(m(*MANY), 0, 0.5),
        call(m(*MANY), mean=1, std=0.25),
    ],
    "Tensor.normal_": lambda m: [call(m(*MANY)), call(m(*MANY), 2, 3), call(m(*MANY), std=0.5)],
    "Tensor.uniform_": lambda m: [call(m(*MANY)), call(m(*MANY), -1, 3), call(m(*MANY), to=0.5)],
}

WINDOWS = ["bartlett", "blackman", "cosine", "hamming", "hann", "nuttall"]
WINDOWED: dict[str, list[Call]] = {
    **{name: [] for name in WINDOWS},
    "exponential": [call(6, center=2, sym=False, tau=2.0), call(5, tau=0.5)],
    "gaussian": [call(6, std=0.7), call(5, std=2.0, sym=False)],
    "general_cosine": [],
    "general_hamming": [call(6, alpha=0.3), call(5, alpha=0.6, sym=False)],
    "kaiser": [call(6, beta=3.0), call(5, beta=0.5, sym=False)],
}


def _window(name: str) -> Samples:
    leading = {"a": [0.4, 0.3, 0.2]} if name == "general_cosine" else {}
    return lambda m: [
        *(call(n, **leading) for n in (0, 1, 2, 7, 8)),
        call(7, **leading, sym=False),
        call(8, **leading, dtype=Named(m.dtype), requires_grad=True),
        *WINDOWED[name],
    ]


SAMPLES |= {f"signal.windows.{name}": _window(name) for name in WINDOWED}
