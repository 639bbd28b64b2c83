"""The operators, declared once each; `dispatch_core.ops.mydomain` has them under their names."""

from __future__ import annotations

from dispatch_core.extend import FLOATING, SAME, Tensor, composite, pointwise


@composite(
    pointwise(SAME, FLOATING, samples=lambda make: [(make(3, 4),), (make(5), -1.0, 3.0)]),
    grad={"input": lambda g, low, high: g / (high - low)},
    namespace="mydomain",
)
def mydomain_rescale(input: Tensor, low: float = 0.0, high: float = 255.0) -> Tensor:
    """Values brought linearly to where `low` is 0 and `high` is 1."""
    return (input - low) / (high - low)
