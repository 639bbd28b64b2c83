"""The methods of Tensor that are no operators, as their files enter them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TABLE: dict[str, Callable[..., Any]] = {}


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function a method of Tensor, under its own name."""
    TABLE[function.__name__] = function
    return function
