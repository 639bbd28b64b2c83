"""The numpy kernels of the cpu backend: plain functions on arrays, one file a topic."""

from __future__ import annotations

import inspect

import numpy as np

from dispatch_core.extend import Bound, KernelTable, complex64, complex128, float32, float64
from dispatch_cpu.kernels import (
    activation,
    conv,
    linear,
    loss,
    norm,
    optim,
    pool,
    rnn,
    scatter,
    softmax,
    special,
)

_WIDE = (float32, float64, complex64, complex128)
_NUMPY = 10
"""Above the array-module kernels that every numpy-like backend shares."""

_KERNELS = (
    activation.gelu,
    activation.relu,
    conv.convolution,
    conv.convolution_transpose,
    conv.convolution_weight,
    linear.embedding_rows,
    linear.linear_in_float32,
    loss.cross_entropy_backward,
    loss.cross_entropy_classes,
    norm.batch_norm_backward,
    norm.group_norm_backward,
    norm.layer_norm_backward,
    norm.native_batch_norm,
    norm.native_group_norm,
    norm.native_layer_norm,
    optim.count_,
    optim.flatten_tensors,
    optim.unflatten_tensors_,
    pool.avg_pool,
    pool.avg_pool_backward,
    pool.max_pool,
    pool.max_pool_backward,
    rnn.gru_layer,
    rnn.gru_layer_backward,
    rnn.lstm_layer,
    rnn.lstm_layer_backward,
    rnn.rnn_layer,
    rnn.rnn_layer_backward,
    scatter.embedding_backward,
    scatter.scatter_add,
    softmax.log_softmax,
    softmax.log_softmax_backward,
    softmax.softmax,
    softmax.softmax_backward,
    special.digamma,
    special.erf,
    special.erfc,
    special.erfinv,
    special.lgamma,
)
_FOR_DTYPES = (
    (activation.gate, (float32, float64)),
    (activation.relu_of(np.float32), (float32,)),
    (activation.relu_of(np.float64), (float64,)),
    (linear.linear, _WIDE),
)
"""Kernels of some dtypes, where one for all of them would cost a call or speed."""


def register(table: KernelTable) -> None:
    """Enter the kernels into the cpu's table, each under its own name.

    One that widens halves is entered twice, so that other dtypes reach what it wraps directly.
    """
    entries = [(kernel, None) for kernel in _KERNELS] + list(_FOR_DTYPES)
    entries += [(k.__wrapped__, _WIDE) for k in _KERNELS if hasattr(k, "__wrapped__")]
    for kernel, dtypes in entries:
        table.register(
            kernel.__name__,
            kernel,
            dtypes=dtypes,
            priority=_NUMPY,
            out=isinstance(kernel, Bound) or "out" in inspect.signature(kernel).parameters,
            provider="cpu",
        )
    for name, step in optim.steps().items():
        table.register(name, step, priority=_NUMPY, provider="cpu")
