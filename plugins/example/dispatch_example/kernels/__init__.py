"""The kernels: every primitive, one file a topic, under the names that every backend uses."""

from __future__ import annotations

from dispatch_core.extend import VIEW_KERNELS, KernelTable
from dispatch_example.kernels import (
    contract,
    create,
    elementwise,
    index,
    random,
    reduce,
    sorting,
)

_TOPICS = (contract, create, elementwise, index, random, reduce, sorting)


def register(table: KernelTable) -> None:
    """Enter them into a device's table."""
    for kernels in (VIEW_KERNELS, *(topic.KERNELS for topic in _TOPICS)):
        for op, function in kernels.items():
            table.register(op, function)
