"""What several gradient formulas share. Formulas use Python operators and functions of `K` only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Number = bool | int | float | complex
Ints = int | Sequence[int]


def expand_reduced(K: Any, value: Any, shape: Sequence[int], dim: Any, keepdim: bool) -> Any:
    """A reduced value, brought back to the shape it was reduced from."""
    if not keepdim and dim is not None:
        value = K.reshape(value, kept_shape(shape, dim))
    return K.expand(value, shape)


def kept_shape(shape: Sequence[int], dim: Any) -> tuple[int, ...]:
    """The shape after a reduction that keeps the reduced dimensions with size one."""
    dims = reduced_dims(len(shape), dim)
    return tuple(1 if i in dims else n for i, n in enumerate(shape))


def reduced_dims(ndim: int, dim: Any) -> tuple[int, ...]:
    """The dimensions that a `dim` argument names (None and empty: all)."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        dim = (dim,)
    return tuple(d % ndim if ndim else 0 for d in dim)


def count(shape: Sequence[int], dim: Any = None) -> int:
    """How many elements a reduction combines."""
    n = 1
    for d in reduced_dims(len(shape), dim):
        n *= shape[d] if shape else 1
    return n


def underivable(name: str) -> Callable[..., Any]:
    """A gradient formula for what has no derivative in elementary terms: NotImplementedError."""

    def formula(g: Any) -> Any:
        raise NotImplementedError(
            f"the derivative for '{name}' is not implemented; give it as a tensor that does not "
            "require grad, as in x.detach()"
        )

    return formula


def order_back(dims: Sequence[int]) -> tuple[int, ...]:
    """The order of dimensions that undoes a permutation."""
    n = len(dims)
    placed = [0] * n
    for at, d in enumerate(dims):
        placed[d % n] = at
    return tuple(placed)
