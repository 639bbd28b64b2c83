"""The kernels, one file a topic, under the names that every backend uses."""

from __future__ import annotations

from typing import Any

from dispatch_core.extend import (
    VIEW_KERNELS,
    KernelTable,
    bfloat16,
    float16,
    float32,
    float64,
)
from dispatch_opencl.kernels import (
    cast,
    contract,
    conv,
    create,
    elementwise,
    index,
    loss,
    norm,
    optim,
    pool,
    random,
    reduce,
    softmax,
    sorting,
)

FLOATING = (float16, bfloat16, float32, float64)
_EVERY_DTYPE = (cast, contract, create, index, random, reduce, sorting)
_FLOATING_ONLY = (loss, norm, softmax)
_CONDITIONAL = (conv, optim, pool)
"""Topics whose kernels decline some calls: each stands beside its predicate."""


def register(table: KernelTable) -> None:
    """Enter them into the device's table."""
    plain: dict[str, Any] = dict(VIEW_KERNELS)
    for topic in _EVERY_DTYPE:
        plain |= topic.KERNELS
    for op, function in plain.items():
        table.register(op, function)
    floating: dict[str, Any] = dict(elementwise.FLOATING_KERNELS)
    for topic in _FLOATING_ONLY:
        floating |= topic.KERNELS
    for op, function in floating.items():
        table.register(op, function, dtypes=FLOATING)
    for topic in _CONDITIONAL:
        for op, (function, takes) in topic.KERNELS.items():
            table.register(op, function, dtypes=FLOATING, when=takes)
    table.register("linear", contract.linear, when=contract.is_matrix)
    table.register("count_", optim.count_)
    for op, kernel in elementwise.KERNELS.items():
        table.register(op, kernel, out=True)
    for op, kernel in elementwise.FASTER_KERNELS.items():
        table.register(op, kernel, out=True, dtypes=elementwise.dtypes_of(kernel.expression))
