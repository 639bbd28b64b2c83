"""Orthogonal polynomials, each by its first degree and its recurrence in the degree (DLMF 18.9)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops.special._declare import special

Step = Callable[[int, Any, Any, Any], Any]
"""`step(k, x, p, q)`: the polynomial of degree k + 1 at x from those of degrees k - 1 and k."""


def _declare(name: str, title: str, first: Callable[[Any], Any], step: Step) -> None:
    def polynomial(input: Tensor | Number, n: Tensor | Number) -> Tensor:
        x = input if isinstance(input, Tensor) else K.full_like(n, input)
        return _of_degree(x, n, first(x), step)

    polynomial.__name__ = polynomial.__qualname__ = name
    polynomial.__doc__ = f"""{title} of degree n at each element.

    The degree is the whole part of n; the result is 0 below 0, and differentiable in `input` to any order.
    Beyond the largest float it is infinite, where PyTorch gives NaN.
    """
    special(None, samples=_samples, constant=("n",))(polynomial)


def _samples(make: Any) -> list[Any]:
    degrees = make(4, low=0.0, high=6.0)
    return [
        (make(3, 4, low=-1.0, high=1.0), 5),
        (make(), 0),
        (make(0, 3), 2),
        (make(3, 4, low=-1.0, high=1.0), degrees),
        (0.7, make(4, low=0.0, high=6.0)),
    ]


MOST = 100_000
"""The highest degree: a step each is what the recurrences take."""


def _of_degree(x: Tensor, n: Tensor | Number, first: Any, step: Step) -> Any:
    degree = K.trunc(n) if isinstance(n, Tensor) else _whole(n)
    top = _largest(degree)
    if top > MOST:
        raise RuntimeError(
            f"a polynomial of degree {top} takes as many steps; the highest degree is {MOST}"
        )
    before, value = K.ones_like(x), first
    result = _chosen(degree, 0, before, K.zeros_like(x))
    leading = K.sgn(x) * math.copysign(1.0, step(1, 8.0, 0.0, 1.0))
    for k in range(1, top + 1):
        result = _chosen(degree, k, value, result)
        if k < top:
            following = step(k, x, before, value)
            # The difference of two infinities is the infinity of the leading term.
            following = K.where(K.isnan(following), value * leading, following)
            before, value = value, following
    return result


def _whole(n: Number) -> int:
    return int(n.real) if math.isfinite(n.real) else -1


def _largest(degree: Tensor | int) -> int:
    """The highest degree asked for; of a tensor the device is asked, once."""
    if not isinstance(degree, Tensor):
        return degree
    if degree.numel() == 0:
        return 0
    return int(K.amax(K.where(K.isfinite(degree), degree, -1.0)).item())


def _chosen(degree: Tensor | int, k: int, value: Any, otherwise: Any) -> Any:
    if isinstance(degree, Tensor):
        return K.where(K.eq(degree, k), value, otherwise)
    return value if degree == k else otherwise


# -- the families ----------------------------------------------------------------------------------


def _declare_chebyshev(kind: str, ordinal: str, first: Callable[[Any], Any]) -> None:
    """The polynomials T, U, V, W differ in their first degree only (DLMF 18.9.9 to 18.9.12)."""
    title = f"The Chebyshev polynomial of the {ordinal} kind"

    def step(k: int, x: Any, p: Any, q: Any) -> Any:
        return 2 * x * q - p

    _declare(f"chebyshev_polynomial_{kind}", title, first, step)
    _declare(
        f"shifted_chebyshev_polynomial_{kind}",
        f"{title}, shifted to 0 ... 1: at 2 x - 1,",
        lambda x: first(2 * x - 1),
        lambda k, x, p, q: step(k, 2 * x - 1, p, q),
    )


_declare_chebyshev("t", "first", lambda x: x)
_declare_chebyshev("u", "second", lambda x: 2 * x)
_declare_chebyshev("v", "third", lambda x: 2 * x - 1)
_declare_chebyshev("w", "fourth", lambda x: 2 * x + 1)
_declare(
    "hermite_polynomial_h",
    "The (physicists') Hermite polynomial",
    lambda x: 2 * x,
    lambda k, x, p, q: 2 * (x * q - k * p),
)
_declare(
    "hermite_polynomial_he",
    "The probabilists' Hermite polynomial",
    lambda x: x,
    lambda k, x, p, q: x * q - k * p,
)
_declare(
    "laguerre_polynomial_l",
    "The Laguerre polynomial",
    lambda x: 1 - x,
    lambda k, x, p, q: q + (k * (q - p) - x * q) / (k + 1),
)
_declare(
    "legendre_polynomial_p",
    "The Legendre polynomial",
    lambda x: x,
    lambda k, x, p, q: x * q + (x * q - p) * (k / (k + 1)),
)
