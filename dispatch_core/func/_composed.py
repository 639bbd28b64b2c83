"""Transforms made of two others: `hessian` and `linearize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core._tree import flatten, unflatten
from dispatch_core.func._forward import jacfwd
from dispatch_core.func._reverse import jacrev, vjp


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that computes the second derivatives of `func`, forward over reverse mode.

    For an output of shape O and an input of shape I the result has the shape O + I + I, nested as the
    arguments that `argnums` names, twice.
    """
    return jacfwd(jacrev(func, argnums), argnums)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """`func(*primals)`, and the function `tangents -> directional derivative` at that place.

    `func` is evaluated once: the directional derivative is the transpose of its `vjp`, which is linear.

    Raises RuntimeError where the structure or a shape of the tangents is not that of the primals.
    """
    output, back = vjp(func, *primals)
    leaves, structure = flatten(output)
    wanted = [tuple(p.shape) for p in flatten(primals)[0]]

    def pushed(*tangents: Any) -> Any:
        given, form = flatten(tangents)
        if form != flatten(primals)[1] or [tuple(t.shape) for t in given] != wanted:
            raise RuntimeError(
                "linearize: expected tangents with the structure and shapes of the primals, "
                f"{wanted}, got {[tuple(t.shape) for t in given if isinstance(t, Tensor)]}"
            )
        zeros = unflatten(structure, [K.zeros_like(leaf) for leaf in leaves])
        _, transposed = vjp(back, zeros)
        (found,) = transposed(tangents)
        return found

    return output, pushed
