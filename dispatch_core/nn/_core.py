"""The one door through which `nn` reaches the rest of the framework."""

from __future__ import annotations

from dispatch_core import linalg
from dispatch_core._construct import make_subclass, tensor
from dispatch_core._device import device
from dispatch_core._dtypes import dtype, int64
from dispatch_core._handles import Hook, HookTable, RemovableHandle, add_hook
from dispatch_core._methods import parse_to
from dispatch_core._subclass import PLAIN_DATA, is_asked
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import Function, is_grad_enabled, no_grad
from dispatch_core.nn import functional as F
from dispatch_core.ops import (
    arange,
    cat,
    empty,
    empty_like,
    full,
    gru_layer,
    lstm_layer,
    ones,
    randperm,
    rnn_layer,
    stack,
    zeros,
)

__all__ = [
    "PLAIN_DATA",
    "F",
    "Function",
    "Hook",
    "HookTable",
    "RemovableHandle",
    "Tensor",
    "add_hook",
    "arange",
    "cat",
    "device",
    "dtype",
    "empty",
    "empty_like",
    "full",
    "gru_layer",
    "int64",
    "is_asked",
    "is_grad_enabled",
    "linalg",
    "lstm_layer",
    "make_subclass",
    "no_grad",
    "ones",
    "parse_to",
    "randperm",
    "rnn_layer",
    "stack",
    "tensor",
    "zeros",
]
