"""The kernels, one file a topic, under the names that every backend uses."""

from __future__ import annotations

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
_TOPICS = (cast, contract, create, index, random, reduce, sorting)


def register(table: KernelTable) -> None:
    """Enter them into the device's table."""
    for kernels in (VIEW_KERNELS, *(topic.KERNELS for topic in _TOPICS)):
        for op, function in kernels.items():
            table.register(op, function)
    for op, kernel in elementwise.KERNELS.items():
        table.register(op, kernel, out=True)
    table.register("linear", contract.linear, when=contract.is_matrix)
    for op, function in conv.KERNELS.items():
        table.register(op, function, dtypes=FLOATING, when=conv.is_flat)
    for topic in (loss, norm, softmax):
        for op, function in topic.KERNELS.items():
            table.register(op, function, dtypes=FLOATING)
    for op, (function, takes) in (optim.KERNELS | pool.KERNELS).items():
        table.register(op, function, dtypes=FLOATING, when=takes)
    table.register("count_", optim.count_)
    for op, kernel in elementwise.FASTER_KERNELS.items():
        table.register(op, kernel, out=True, dtypes=elementwise.dtypes_of(kernel.expression))
    for op, function in elementwise.FLOATING_KERNELS.items():
        table.register(op, function, dtypes=FLOATING)
