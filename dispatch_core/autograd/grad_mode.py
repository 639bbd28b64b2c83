"""`autograd.grad_mode`: the switches of recording, under the name of PyTorch's module."""

from __future__ import annotations

from dispatch_core.autograd._grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
)
from dispatch_core.autograd._threads import set_multithreading_enabled

__all__ = [
    "enable_grad",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]
