"""The numpy kernels of the cpu backend: plain functions on arrays, one file a topic."""

from __future__ import annotations

from dispatch_core.extend import KernelTable, complex64, complex128, float32, float64
from dispatch_cpu.kernels import conv, norm, pool, scatter, softmax, special

_WIDE = (float32, float64, complex64, complex128)
_NUMPY = 10
"""Above the array-module kernels that every numpy-like backend shares."""

_KERNELS = (
    conv.convolution,
    conv.convolution_transpose,
    conv.convolution_weight,
    norm.batch_norm_backward,
    norm.group_norm_backward,
    norm.layer_norm_backward,
    norm.native_batch_norm,
    norm.native_group_norm,
    norm.native_layer_norm,
    pool.avg_pool,
    pool.avg_pool_backward,
    pool.max_pool,
    pool.max_pool_backward,
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


def register(table: KernelTable) -> None:
    """Enter the kernels into the cpu's table, each under its own name.

    One that widens halves is entered twice, so that other dtypes reach what it wraps directly.
    """
    for kernel in _KERNELS:
        inner = getattr(kernel, "__wrapped__", None)
        if inner is not None:
            table.register(kernel.__name__, inner, dtypes=_WIDE, priority=_NUMPY, provider="cpu")
        table.register(kernel.__name__, kernel, priority=_NUMPY, provider="cpu")
