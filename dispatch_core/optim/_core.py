"""All that the optimizers need of the framework below; no other module here imports from it."""

from __future__ import annotations

from collections.abc import Callable

from dispatch_core import ops
from dispatch_core._dtypes import dtype, float32, float64, get_default_dtype
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import enable_grad, set_grad_enabled
from dispatch_core.nn.modules._hooks import RemovableHandle
from dispatch_core.ops import empty_like, view_as_real, zeros, zeros_like

__all__ = [
    "RemovableHandle",
    "Tensor",
    "dtype",
    "empty_like",
    "enable_grad",
    "float32",
    "float64",
    "get_default_dtype",
    "set_grad_enabled",
    "step_operator",
    "view_as_real",
    "zeros",
    "zeros_like",
]


def step_operator(name: str) -> Callable[..., None] | None:
    """The operator of that name ("sgd_step_", ...), or None where it is not declared."""
    return getattr(ops, name, None)
