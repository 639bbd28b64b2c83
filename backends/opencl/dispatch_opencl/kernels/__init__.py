"""The kernels, one file a topic, under the names that every backend uses."""

from __future__ import annotations

from dispatch_core.extend import VIEW_KERNELS, KernelTable
from dispatch_opencl.kernels import (
    cast,
    contract,
    create,
    elementwise,
    index,
    random,
    reduce,
    sorting,
)

_TOPICS = (cast, contract, create, index, random, reduce, sorting)


def register(table: KernelTable) -> None:
    """Enter them into the device's table."""
    for kernels in (VIEW_KERNELS, *(topic.KERNELS for topic in _TOPICS)):
        for op, function in kernels.items():
            table.register(op, function)
    for op, kernel in elementwise.KERNELS.items():
        table.register(op, kernel, out=True)
