"""Function transforms."""

from __future__ import annotations

from dispatch_core.func._composed import hessian, linearize
from dispatch_core.func._forward import jacfwd, jvp
from dispatch_core.func._modules import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from dispatch_core.func._rearrange import rearrange
from dispatch_core.func._reverse import grad, grad_and_value, jacrev, vjp
from dispatch_core.func._views import debug_unwrap, functionalize
from dispatch_core.func._vmap import vmap

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
