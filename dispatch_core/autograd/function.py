"""`autograd.function`: custom functions, under the name of PyTorch's module."""

from __future__ import annotations

from dispatch_core.autograd._function import Function, FunctionCtx, once_differentiable

__all__ = ["Function", "FunctionCtx", "once_differentiable"]
