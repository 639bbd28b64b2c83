"""How functions are approximated: by Chebyshev sums, and by another formula in each range.

The coefficients in this package are this project's own. Where no other source is named, they are those
of the Chebyshev interpolant of the function that the comment names, computed with mpmath in 40 digits
at 64 nodes and cut off where they fall below 2**-56 of the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dtypes import finfo
from dispatch_core._op import K
from dispatch_core._tensor import Tensor

Formula = Callable[[Tensor], Any]


def chebyshev(t: Tensor, coefficients: Sequence[float]) -> Any:
    """Sum of c_k T_k(t) for -1 <= t <= 1 by Clenshaw's recurrence, to the precision of the dtype."""
    enough = finfo(t.dtype).eps / 8 * max(map(abs, coefficients))
    count = max(k for k, c in enumerate(coefficients) if abs(c) > enough)
    double = t + t
    last, value = 0.0, K.full_like(t, coefficients[count])
    for c in coefficients[count - 1 : 0 : -1]:
        last, value = value, double * value + (c - last)
    return t * value + (coefficients[0] - last)


def by_range(x: Tensor, breaks: Sequence[float], formulas: Sequence[Formula]) -> Any:
    """Of n + 1 formulas the i-th between the breaks i - 1 and i, the upper one at a break and for NaN.

    Each sees all elements, those outside its range replaced by the nearest end, so that none overflows
    or has an infinite derivative on account of elements that it does not decide.
    """
    value = formulas[0](K.minimum(x, breaks[0]))
    for i, formula in enumerate(formulas[1:]):
        inside = K.clamp(x, breaks[i], breaks[i + 1] if i + 1 < len(breaks) else None)
        value = K.where(K.lt(x, breaks[i]), value, formula(inside))
    return value


def exp_square(x: Tensor, factor: float) -> Any:
    """exp(factor x^2), |factor| >= 1/2: the square of x to four binary places is exact, the rest small."""
    x = K.clamp(x, -64.0, 64.0)
    near = K.round(x * 16) / 16
    return K.exp(near * near * factor) * K.exp((x - near) * (x + near) * factor)
