"""Kernels for complex numbers where numpy's own are wrong at the edges (the array API standard has a list)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel, for complex dtypes alone."""
    return {"expm1": _expm1(xp), "logaddexp": logaddexp(xp), "tanh": _tanh(xp)}


def _expm1(xp: Any) -> Kernel:
    def expm1(input: Any) -> Any:
        """By the addition theorem of exp."""
        x, y = input.real, input.imag
        out = xp.empty_like(input)
        # Adding 0 turns -0 into 0.
        out.real = xp.expm1(x) * xp.cos(y) - 2 * xp.sin(y / 2) ** 2 + 0
        out.imag = xp.where(y == 0, y, xp.exp(x) * xp.sin(y))
        edge = xp.isinf(x) & ~xp.isfinite(y)
        out.real[edge] = xp.where(x[edge] > 0, xp.inf, -1)
        out.imag[edge & (x < 0)] = 0
        return out

    return expm1


def logaddexp(xp: Any) -> Kernel:
    """By the larger real part; numpy has it for real numbers only."""

    def logaddexp(input: Any, other: Any) -> Any:
        first = input.real >= other.real
        large, small = xp.where(first, input, other), xp.where(first, other, input)
        return large + xp.log1p(xp.exp(small - large))

    return logaddexp


def _tanh(xp: Any) -> Kernel:
    def tanh(input: Any) -> Any:
        """At infinity, the imaginary part is a zero of the sign that the argument's has."""
        out = xp.asarray(xp.tanh(input))
        edge = xp.isinf(input.real) & xp.isfinite(input.imag)
        out.imag[edge] = xp.copysign(0.0, input.imag[edge])
        return out

    return tanh
