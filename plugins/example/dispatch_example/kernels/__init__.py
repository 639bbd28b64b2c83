"""The kernels: every primitive, one file a topic, under the names that every backend uses."""

from __future__ import annotations

from dispatch_core.extend import KernelTable
from dispatch_example.kernels import (
    contract,
    create,
    elementwise,
    index,
    movement,
    random,
    reduce,
    sorting,
)

_TOPICS = (contract, create, elementwise, index, movement, random, reduce, sorting)


def register(table: KernelTable) -> None:
    """Enter them into a device's table."""
    for topic in _TOPICS:
        for op, function in topic.KERNELS.items():
            table.register(op, function)
