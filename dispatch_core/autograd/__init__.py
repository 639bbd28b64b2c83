"""Differentiation: `backward`, `grad`, custom functions, and what is recorded when."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dispatch_core._errors import GradcheckError
from dispatch_core.autograd import _dual_function, forward_ad  # noqa: F401  it fills a slot
from dispatch_core.autograd._anomaly import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from dispatch_core.autograd._function import Function, FunctionCtx, once_differentiable
from dispatch_core.autograd._grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from dispatch_core.autograd._run import backward, grad
from dispatch_core.autograd._threads import (
    is_multithreading_enabled,
    set_multithreading_enabled,
)

_CHECKS = frozenset({"gradcheck", "gradgradcheck"})
_OVERRIDES = frozenset({"handle_torch_function", "has_torch_function", "is_tensor_like"})
_MODULES = frozenset({"function", "functional", "grad_mode", "graph", "variable"})


def __getattr__(name: str) -> Any:
    # Imported when they are first named, to keep the import short.
    if name in _CHECKS:
        return getattr(import_module("dispatch_core.autograd._gradcheck"), name)
    if name in _OVERRIDES:
        return getattr(import_module("dispatch_core.overrides"), name)
    if name == "Variable":
        return import_module("dispatch_core.autograd.variable").Variable
    if name in _MODULES:
        return import_module(f"dispatch_core.autograd.{name}")
    raise AttributeError(f"module 'dispatch_core.autograd' has no attribute '{name}'")


__all__ = [  # noqa: PLE0604
    "Function",
    "FunctionCtx",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "grad",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_multithreading_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
    *_CHECKS,
    *_OVERRIDES,
    *_MODULES,
]
