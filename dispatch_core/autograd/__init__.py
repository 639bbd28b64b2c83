"""Differentiation: `backward`, `grad`, custom functions, and what is recorded when."""

from __future__ import annotations

from dispatch_core.autograd._function import Function, FunctionCtx, once_differentiable
from dispatch_core.autograd._grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from dispatch_core.autograd._run import backward, grad

__all__ = [
    "Function",
    "FunctionCtx",
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
]
