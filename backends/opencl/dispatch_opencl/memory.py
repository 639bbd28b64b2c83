"""Device memory: buffers in sizes of a few classes, kept for reuse when their last array is gone."""

from __future__ import annotations

import gc
from collections import defaultdict
from threading import RLock
from typing import TYPE_CHECKING, Any

import pyopencl as cl

from dispatch_core.extend import Memory as Use
from dispatch_core.extend import OutOfMemoryError

if TYPE_CHECKING:
    from dispatch_opencl.device import Device

LEAST = 64
_FULL = frozenset(
    {
        cl.status_code.MEM_OBJECT_ALLOCATION_FAILURE,
        cl.status_code.OUT_OF_RESOURCES,
        cl.status_code.OUT_OF_HOST_MEMORY,
        cl.status_code.INVALID_BUFFER_SIZE,
    }
)


def size_class(size: int) -> int:
    """The size of the buffer for so many bytes: a power of two, or 1.25, 1.5, 1.75 times one."""
    if size <= LEAST:
        return LEAST
    step = 1 << ((size - 1).bit_length() - 3)
    return -(-size // step) * step


class Memory:
    """A buffer that arrays share; goes back to the device's pool with the last of them."""

    __slots__ = ("buffer", "device", "literal", "room", "size")

    def __init__(self, device: Device, buffer: Any, size: int, room: int) -> None:
        self.device = device
        self.buffer = buffer
        self.size = size
        """The bytes that were asked for."""
        self.room = room
        """Those that the buffer has."""
        self.literal: Any = None
        """The host's array of a Python number, which may go to whatever device its partner is on."""

    def __del__(self) -> None:
        self.device.pool.give_back(self)


class Pool:
    """The buffers of one device.

    The device works off one queue in order, so a buffer may be given out again while kernels that
    were enqueued before still use it.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.used = 0
        self.peak = 0
        self.reserved = 0
        self._free: defaultdict[int, list[Any]] = defaultdict(list)
        self._lock = RLock()

    def take(self, size: int) -> Memory:
        """A memory of at least `size` bytes; OutOfMemoryError where the device has none left."""
        wanted = size_class(size)
        with self._lock:
            free = self._free[wanted]
            buffer = free.pop() if free else self._new(wanted)
            self.used += wanted
            if self.used > self.peak:
                self.peak = self.used
        return Memory(self.device, buffer, size, wanted)

    def give_back(self, memory: Memory) -> None:
        """Keep the buffer of a memory that nobody uses any more."""
        with self._lock:
            self.used -= memory.room
            self._free[memory.room].append(memory.buffer)

    def trim(self) -> None:
        """Give all kept buffers back to the driver."""
        with self._lock:
            for size, buffers in self._free.items():
                self.reserved -= size * len(buffers)
                buffers.clear()

    def use(self) -> Use:
        """How much is in use."""
        device = self.device
        free = max(device.limit - self.reserved, 0)
        return Use(self.used, self.peak, self.reserved, free, device.most)

    def reset_peak(self) -> None:
        """Count the largest use from now on."""
        self.peak = self.used

    def _new(self, size: int) -> Any:
        if self.reserved + size > self.device.limit:
            self._make_room()
        if self.reserved + size <= self.device.limit:
            try:
                return self._from_driver(size)
            except cl.Error as error:
                if error.code not in _FULL:
                    raise
            self._make_room()
            try:
                return self._from_driver(size)
            except cl.Error as error:
                if error.code not in _FULL:
                    raise
        mib = 2.0**-20
        raise OutOfMemoryError(
            f"OpenCL out of memory on {self.device.describe()}: tried to allocate {size * mib:,.2f} "
            f"MiB; {self.used * mib:,.2f} MiB of {self.device.limit * mib:,.2f} MiB are in use, and one "
            f"buffer may have {self.device.cl_device.max_mem_alloc_size * mib:,.2f} MiB. Use smaller "
            "batches, or free tensors that are no longer needed"
        )

    def _from_driver(self, size: int) -> Any:
        buffer = cl.Buffer(self.device.context, cl.mem_flags.READ_WRITE, size)
        self.reserved += size
        return buffer

    def _make_room(self) -> None:
        """Wait for the kernels, free what only cycles hold, and empty the pool."""
        self.device.queue.finish()
        gc.collect()
        self.trim()
