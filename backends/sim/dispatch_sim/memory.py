"""The memory of simulated devices: bytes of numpy's, counted, with a limit for each device."""

from __future__ import annotations

import gc
import sys
import threading

import numpy as np

from dispatch_core.extend import Memory, OutOfMemoryError
from dispatch_sim import races
from dispatch_sim.simulation import settings
from dispatch_sim.streams import SimStream


class Pool:
    """What is held of one device's memory."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.limit: int | None = None
        self.used = 0
        self.peak = 0
        self._lock = threading.RLock()  # memory may be freed at any point, within this too

    @property
    def total(self) -> int:
        """The bytes that may be held together."""
        whole = settings().memory
        return whole if self.limit is None else min(self.limit, whole)

    def take(self, size: int) -> None:
        """Count `size` bytes as held; OutOfMemoryError where they are more than there are."""
        if self._fits(size):
            return
        gc.collect()  # what only cycles hold is free
        if self._fits(size):
            return
        raise OutOfMemoryError(
            f"sim:{self.index} out of memory. Tried to allocate {_shown(size)}; of {_shown(self.total)} "
            f"tensors hold {_shown(self.used)}. Free some of them, make batches smaller, or give the "
            "simulated device more (DISPATCH_SIM_MEMORY)"
        )

    def _fits(self, size: int) -> bool:
        with self._lock:
            if size and self.used + size > self.total:
                return False
            self.used += size
            self.peak = max(self.peak, self.used)
            return True

    def give(self, size: int) -> None:
        """Count `size` bytes as free again."""
        with self._lock:
            self.used -= size

    def figures(self) -> Memory:
        """What `dc.sim.memory_allocated()` and its kind read."""
        return Memory(self.used, self.peak, self.used, max(self.total - self.used, 0), self.total)


class Block:
    """The bytes that an array and all views of it share, and which streams use them."""

    __slots__ = ("bytes", "held", "pool", "uses")

    def __init__(self, size: int, pool: Pool | None, home: SimStream | None) -> None:
        self.held = 0
        self.pool = pool
        self.uses = races.Uses(home)
        if pool is not None:
            pool.take(size)
            self.held = size
        self.bytes = np.empty(size, np.uint8)

    @property
    def index(self) -> int | None:
        """The number of the device; None for a constant, which every device has."""
        return None if self.pool is None else self.pool.index

    def __del__(self) -> None:
        if self.pool is not None and not sys.is_finalizing():
            self.pool.give(self.held)
            races.freed(self.uses)


def _shown(size: int) -> str:
    return f"{size:,} bytes" if size < 2**20 else f"{size / 2**20:,.2f} MiB"
