"""The spherical Bessel function of the first kind of order 0."""

from __future__ import annotations

from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops.special._declare import special


@special({"input": lambda K, g, input, out: -g * _first_order(K, input, out)}, domain=(-6.0, 6.0))
def spherical_bessel_j0(input: Tensor) -> Tensor:
    """sin(x) / x, 1 at 0 and 0 at infinity."""
    still = K.bitwise_or(K.eq(input, 0), K.isinf(input))
    x = K.where(still, 1.0, input)
    return K.where(still, K.cast_like(K.eq(input, 0), input), K.sin(x) / x)


def _first_order(K: Any, x: Any, zeroth: Any) -> Any:
    """j_1(x) = (j_0(x) - cos(x)) / x; near 0, where that cancels, by its series (DLMF 10.53.1)."""
    small = K.lt(K.abs(x), 1.0)
    near, far = K.where(small, x, 0.0), K.where(small, 1.0, x)
    series: Any = 1.0
    for k in range(8, 0, -1):
        series = 1 - series * near * near / (2 * k * (2 * k + 3))
    return K.where(small, near * series / 3, (zeroth - K.cos(far)) / far)
