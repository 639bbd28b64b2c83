"""What hooks return in a backward pass, checked: as many gradients as there were, each like the one before."""

from __future__ import annotations

from typing import Any

from dispatch_core._tensor import Tensor


def run_node_hooks(hooks: Any, g: Any) -> Any:
    """The gradients of a node, one or a tuple of them, after its hooks."""
    grads = g if isinstance(g, tuple) else (g,)
    for hook in list(hooks.values()):
        changed = hook(grads)
        if changed is not None:
            grads = exchanged(changed, grads)
    return grads if isinstance(g, tuple) else grads[0]


def exchanged(changed: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a hook on a node makes of its gradients: as many, each of the shape and dtype that it had."""
    given = tuple(changed) if isinstance(changed, (tuple, list)) else (changed,)
    if len(given) != len(grads):
        raise RuntimeError(
            f"hook has returned an incorrect number of values: expected {len(grads)}, got {len(given)}"
        )
    return tuple(
        new if new is None or old is None else checked_result(new, old)
        for new, old in zip(given, grads, strict=True)
    )


def checked_result(changed: Any, g: Tensor) -> Tensor:
    """A hook's result; raises where it is no tensor of the shape, dtype and device of the gradient."""
    if not isinstance(changed, Tensor):
        raise TypeError(
            f"expected a hook to return a Tensor or None, but got {type(changed).__name__}"
        )
    if changed.shape != g.shape:
        raise RuntimeError(
            f"hook has changed the size of value: expected {list(g.shape)}, got {list(changed.shape)}"
        )
    if changed.dtype is not g.dtype or changed.device != g.device:
        raise RuntimeError(
            f"hook has changed the type of value: expected {g.dtype} on {g.device}, got {changed.dtype} on "
            f"{changed.device}; convert it back, as in result.to(grad)"
        )
    return changed
