"""Sizes as users give them, a number or a sequence, brought into one form, and checked inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._op import K
from dispatch_core._shapes import wholes
from dispatch_core._tensor import Tensor


def ntuple(what: str, value: Any, n: int) -> tuple[int, ...]:
    """A size for each of `n` dimensions; RuntimeError for a wrong number of them, TypeError for no ints."""
    found = wholes(what, value if isinstance(value, (tuple, list)) else (value,))
    if len(found) == 1:
        return found * n
    if len(found) != n:
        raise RuntimeError(f"{what} must be a single int or a tuple of {n} ints, got {value}")
    return found


def check_ndim(what: str, input: Tensor, n: int) -> None:
    """RuntimeError unless the input is (N, C, *) or (C, *) with `n` spatial dimensions."""
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{what}() expected {n + 1}D (unbatched) or {n + 2}D (batched) input, but got input of "
            f"size: {list(input.shape)}"
        )


def batched(what: str, input: Tensor, n: int, function: Callable[[Tensor], Any]) -> Any:
    """`function` of (N, C, *) with `n` spatial dimensions; inputs without N are lent one."""
    check_ndim(what, input, n)
    if input.ndim == n + 2:
        return function(input)
    found = function(K.unsqueeze(input, 0))
    if isinstance(found, tuple):
        return tuple(K.squeeze(each, 0) for each in found)
    return K.squeeze(found, 0)


def declared(name: str, n: int, function: Callable[..., Any], doc: str) -> Callable[..., Any]:
    """A function for `n` spatial dimensions, dressed with its name and documentation."""
    function.__name__ = function.__qualname__ = name.replace("?", str(n))
    function.__doc__ = doc.replace("?", str(n))
    return function
