"""The device's own kernels: one file a topic, operator -> kernel."""

from __future__ import annotations

from dispatch_core.extend import VIEW_KERNELS, KernelTable
from dispatch_mydevice.kernels import elementwise

_TOPICS = (elementwise,)


def register(table: KernelTable) -> None:
    """Enter them into the device's table, before those of numpy's that serve until then."""
    for op, view in VIEW_KERNELS.items():
        table.register(op, view)
    for topic in _TOPICS:
        for op, (function, dtypes) in topic.KERNELS.items():
            table.register(op, function, dtypes=dtypes)
