"""Differentiation: `backward`, `grad`, custom functions, and what is recorded when."""

from __future__ import annotations

from dispatch_core._errors import GradcheckError
from dispatch_core.autograd import forward_ad
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
from dispatch_core.autograd._gradcheck import gradcheck, gradgradcheck
from dispatch_core.autograd._run import backward, grad

__all__ = [
    "Function",
    "FunctionCtx",
    "GradcheckError",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]
