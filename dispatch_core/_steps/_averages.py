"""Running averages of parameters."""

from __future__ import annotations

from typing import Any

from dispatch_core._steps._formula import formula, towards


@formula()
def average_step_(xp: Any, param: Any, grad: Any, *, weight: Any) -> tuple[Any, ...]:
    """The average `param` moved by `weight` towards a value, which stands in the gradient's place."""
    return (towards(param, grad, weight),)
