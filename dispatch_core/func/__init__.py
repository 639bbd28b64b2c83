"""Function transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._tensor import Tensor
from dispatch_core.autograd.forward_ad import dual_level, make_dual, unpack_dual
from dispatch_core.func._modules import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from dispatch_core.func._reverse import grad, grad_and_value, jacrev, vjp
from dispatch_core.func._vmap import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "jacrev",
    "jvp",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]


def jvp(
    func: Callable[..., Any],
    primals: Sequence[Tensor],
    tangents: Sequence[Tensor],
    *,
    has_aux: bool = False,
) -> Any:
    """`func(*primals)` and its directional derivative along `tangents`, in forward mode.

    Returns (output, tangent), with `has_aux` (output, tangent, aux). Raises RuntimeError when the
    numbers or shapes of primals and tangents differ.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple) or not primals:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to be non-empty tuples"
        )
    if len(primals) != len(tangents):
        raise RuntimeError(
            f"jvp(f, primals, tangents): got {len(primals)} primals and {len(tangents)} tangents"
        )
    with dual_level():
        duals = [make_dual(p, t) for p, t in zip(primals, tangents, strict=True)]
        result = func(*duals)
        output, aux = result if has_aux else (result, None)
        primal, tangent = _unpacked(output)
        aux = _unpacked(aux)[0] if has_aux else None
    return (primal, tangent, aux) if has_aux else (primal, tangent)


def _unpacked(value: Any) -> tuple[Any, Any]:
    if isinstance(value, Tensor):
        primal, tangent = unpack_dual(value)
        return primal, primal.new_zeros(tuple(primal.shape)) if tangent is None else tangent
    if isinstance(value, (tuple, list)):
        pairs = [_unpacked(v) for v in value]
        return type(value)(p for p, _ in pairs), type(value)(t for _, t in pairs)
    if isinstance(value, dict):
        found = {k: _unpacked(v) for k, v in value.items()}
        return {k: p for k, (p, _) in found.items()}, {k: t for k, (_, t) in found.items()}
    return value, None
