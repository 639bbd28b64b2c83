"""The operator `smoothstep`: `dc.ops.example.smoothstep(x)`."""

from __future__ import annotations

from typing import Any

from dispatch_core.extend import FLOAT, REAL, K, Tensor, composite, pointwise

DISPATCH_CORE_API = 1


def _position(K: Any, input: Any, low: float, high: float) -> Any:
    """Where between low (0) and high (1) each element stands."""
    return K.minimum(K.maximum((input - low) / (high - low), 0.0), 1.0)


def _slope(K: Any, input: Any, low: float, high: float) -> Any:
    t = _position(K, input, low, high)
    return t * (1.0 - t) * (6.0 / (high - low))


@composite(
    pointwise(FLOAT, REAL, samples=lambda make: [(make(3, 4),), (make(5), -1.0, 2.0)]),
    grad={"input": lambda K, g, input, low, high: g * _slope(K, input, low, high)},
    namespace="example",
    autocast="float32",
    inplace=False,
)
def smoothstep(input: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """0 below `low`, 1 above `high`, and 3 t^2 - 2 t^3 between them."""
    t = _position(K, input, low, high)
    return t * t * (3.0 - 2.0 * t)
