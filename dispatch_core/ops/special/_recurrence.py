"""Orthogonal polynomials by their recurrence in the degree (DLMF 18.9)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number

Step = Callable[[int, Any, Any, Any], Any]
"""`step(k, x, p, q)`: the polynomial of degree k + 1 from those of degrees k - 1 and k."""


def by_recurrence(x: Any, n: Any, first: Any, step: Step) -> Any:
    """The polynomial of degree n (its whole part; 0 below) that starts with 1 and `first`.

    Differentiated through the steps, so exact to every order. Beyond the largest float, where two
    infinities meet, the value is the infinity of the leading term.
    """
    degree = _whole(n, x)
    top = _largest(degree)
    before, value = K.ones_like(x), first
    result = _of_degree(0, degree, before, K.zeros_like(x))
    for k in range(1, top + 1):
        result = _of_degree(k, degree, value, result)
        if k < top:
            before, value = value, step(k, x, before, value)
    return result


def _whole(n: Any, x: Any) -> Any:
    if isinstance(n, Tensor):
        return K.trunc(n)
    return math.trunc(n) if math.isfinite(n) else -1


def _largest(degree: Any) -> int:
    """The highest degree asked for: known for a number, and asked of the device once for a tensor."""
    if not isinstance(degree, Tensor):
        return degree
    if degree.numel() == 0:
        return 0
    top = K.amax(K.where(K.isfinite(degree), degree, -1.0)).item()
    return int(top)


def _of_degree(k: int, degree: Any, value: Any, otherwise: Any) -> Any:
    if isinstance(degree, Tensor):
        return K.where(K.eq(degree, k), value, otherwise)
    return value if degree == k else otherwise
