"""The one door through which `nn` reaches the rest of the framework."""

from __future__ import annotations

from dispatch_core import linalg
from dispatch_core._construct import make_subclass, tensor
from dispatch_core._device import device
from dispatch_core._dtypes import dtype, finfo, int64
from dispatch_core._handles import Hook, HookTable, RemovableHandle, add_hook
from dispatch_core._methods import parse_to
from dispatch_core._subclass import PLAIN_DATA, as_instance, become, is_asked, subclass_hooks
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import Function, is_grad_enabled, no_grad
from dispatch_core.nn import functional as F
from dispatch_core.ops import (
    arange,
    cat,
    empty,
    empty_like,
    eye,
    full,
    geqrf,
    gru_layer,
    lstm_layer,
    matrix_exp,
    ones,
    ones_like,
    randn,
    randperm,
    rnn_layer,
    sigmoid,
    stack,
    tanh,
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
    "as_instance",
    "become",
    "cat",
    "device",
    "dtype",
    "empty",
    "empty_like",
    "eye",
    "finfo",
    "full",
    "geqrf",
    "gru_layer",
    "int64",
    "is_asked",
    "is_grad_enabled",
    "linalg",
    "lstm_layer",
    "make_subclass",
    "matrix_exp",
    "no_grad",
    "ones",
    "ones_like",
    "parse_to",
    "randn",
    "randperm",
    "rnn_layer",
    "sigmoid",
    "stack",
    "subclass_hooks",
    "tanh",
    "tensor",
    "zeros",
]
