"""One OpenCL device: its context, queue, memory, programs, and what suits it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np
import pyopencl as cl

from dispatch_core.extend import dtype
from dispatch_opencl import source
from dispatch_opencl.kinds import FAMILY, Family
from dispatch_opencl.memory import Pool
from dispatch_opencl.programs import cache_for

OPTIONS = "-w -cl-std=CL1.2"
SINGLE = " -cl-single-precision-constant"
"""For devices that have no double precision to read a constant in."""


@dataclass(frozen=True)
class Profile:
    """What the kernels' shape depends on."""

    is_cpu: bool
    local: tuple[int, int] | None
    """The size of a work-group; None leaves it to the driver."""
    chunk: int
    """Elements that one work-item takes."""
    workers: int
    """How many work-items keep the device busy."""
    narrow_lanes: int
    """Elements of four bytes or less in one vector."""
    wide_lanes: int

    def lanes(self, family: Family) -> int:
        """How many elements of a family go into one vector."""
        if family.parts:
            return 1
        return self.wide_lanes if family.wide else self.narrow_lanes


def profile_of(device: Any) -> Profile:
    """The profile for a device: few large work-items on CPUs, many small ones elsewhere.

    DISPATCH_OPENCL_PROFILE=gpu (or cpu) overrules the device, to try the other kernels where they are slow.
    """
    units = device.max_compute_units
    kind = "cpu" if device.type & cl.device_type.CPU else "gpu"
    if os.environ.get("DISPATCH_OPENCL_PROFILE", kind) == "cpu":
        # Compilers for CPUs loop over a work-group: groups of one leave the loops to us.
        return Profile(True, (1, 1), 1 << 14, units, 16, 8)
    return Profile(False, None, 4, units * 2048, 4, 4)


class Report:
    """Two numbers in device memory with which a kernel says that an element of an operand is wrong."""

    def __init__(self, device: Device) -> None:
        self._queue = device.queue
        self._lock = device.lock
        self._host = np.zeros(2, np.int64)
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
        self.buffer = cl.Buffer(device.context, flags, hostbuf=self._host)

    def taken(self) -> int | None:
        """What the kernels so far complain of (waits for them); None if of nothing."""
        with self._lock:
            cl.enqueue_copy(self._queue, self._host, self.buffer)
            if not self._host[0]:
                return None
            found = int(self._host[1])
            cl.enqueue_copy(self._queue, self.buffer, np.zeros(2, np.int64))
            return found


class Device:
    """A device that kernels run on."""

    def __init__(self, cl_device: Any, index: int) -> None:
        self.cl_device = cl_device
        self.index = index
        self.context = cl.Context([cl_device])
        self.queue = cl.CommandQueue(self.context, cl_device)
        self.profile = profile_of(cl_device)
        self.has_double = bool(cl_device.double_fp_config)
        self.lock = RLock()
        """Held between setting a kernel's arguments and enqueuing it."""
        self.pool = Pool(self)
        self.report = Report(self)
        share = float(os.environ.get("DISPATCH_OPENCL_MEMORY", "0.9"))
        self.most = int(cl_device.global_mem_size * share)
        self.limit = self.most
        """The bytes that buffers may take from the driver."""
        self._cache = cache_for(cl_device)
        self._programs: dict[str, Any] = {}

    def set_limit(self, limit: int | None) -> None:
        """Let buffers take so many bytes at most; None: the share of DISPATCH_OPENCL_MEMORY."""
        self.limit = self.most if limit is None else min(limit, self.most)

    @property
    def line(self) -> tuple[int, ...] | None:
        """The size of a work-group on a grid of one dimension."""
        return (1,) if self.profile.is_cpu else None

    def check(self, dtype: dtype) -> None:
        """Raise NotImplementedError where the device cannot compute a dtype."""
        if not self.has_double and FAMILY[dtype].is_double:
            raise NotImplementedError(
                f"{self.describe()} computes no double precision, so it takes no {dtype.name}: use "
                "float32, or complex64"
            )

    def describe(self) -> str:
        """Name, platform and driver."""
        device = self.cl_device
        return f"{device.name.strip()} ({device.platform.name.strip()}, {device.driver_version})"

    def kernel(self, families: Sequence[Family], text: str, name: str) -> Any:
        """A kernel of the program made of the families' loads and stores and a text."""
        lanes = min(self.profile.lanes(family) for family in families)
        parts = [source.prelude(self.has_double)]
        parts += [source.family(family, lanes) for family in dict.fromkeys(families)]
        return self.compiled("\n".join([*parts, text]), name)

    def compiled(self, code: str, name: str) -> Any:
        """A kernel of a program, which is compiled when it is first asked for."""
        with self.lock:
            program = self._programs.get(code)
            if program is None:
                options = OPTIONS if self.has_double else OPTIONS + SINGLE
                program = self._cache.build(self.context, self.cl_device, code, options)
                self._programs[code] = program
            return cl.Kernel(program, name)
