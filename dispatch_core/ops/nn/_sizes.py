"""Sizes as users give them, a number or a sequence, brought into one form, and checked inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor


def ntuple(what: str, value: Any, n: int) -> tuple[int, ...]:
    """A size for each of `n` dimensions; RuntimeError for a wrong number of them."""
    if not isinstance(value, (tuple, list)):
        return (int(value),) * n
    if len(value) == 1:
        return (int(value[0]),) * n
    if len(value) != n:
        raise RuntimeError(f"{what} must be a single int or a tuple of {n} ints, got {value}")
    return tuple(int(v) for v in value)


def batched(
    what: str, input: Tensor, n: int, function: Callable[[Tensor], Any], channels: int = 1
) -> Any:
    """`function` of (N, C, *) with `n` spatial dimensions; inputs without N are lent one."""
    if input.ndim == n + channels + 1:
        return function(input)
    if input.ndim != n + channels:
        raise RuntimeError(
            f"{what}() expected {n + channels}D (unbatched) or {n + channels + 1}D (batched) "
            "input, "
            f"but got input of size: {list(input.shape)}"
        )
    found = function(K.unsqueeze(input, 0))
    if isinstance(found, tuple):
        return tuple(K.squeeze(each, 0) for each in found)
    return K.squeeze(found, 0)


def declared(name: str, n: int, function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    """A function for `n` spatial dimensions, dressed with its name and documentation."""
    function.__name__ = function.__qualname__ = name.replace("?", str(n))
    function.__doc__ = doc.replace("?", str(n))
    return function
