"""Function transforms."""

from __future__ import annotations

from dispatch_core.func._composed import hessian, linearize
from dispatch_core.func._forward import jacfwd, jvp
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
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
