"""What a call of a kernel needs beside its buffers, prepared once for each layout of the operands."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import dtype
from dispatch_opencl.array import Array
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import (
    Dim,
    Sizes,
    broadcast_strides,
    collapse,
    padded,
    spans,
    split,
)
from dispatch_opencl.kinds import CODE
from dispatch_opencl.source import DIMS

_GEOMETRY = struct.Struct(f"4q8i{DIMS}q{4 * DIMS}q4q4q4q")
MOST_PLANS = 1 << 14
"""Layouts that are remembered; then all are forgotten, which costs less than keeping order."""


def typed(kernel: Any, buffers: int, constants: int) -> Any:
    """A kernel whose arguments are buffers and one structure: it is then called fastest."""
    kernel.set_scalar_arg_dtypes([None] * buffers + [np.dtype(f"V{constants}")])
    return kernel


class Plan:
    """The launches of one kernel for one layout."""

    __slots__ = (
        "kernel",
        "launches",
        "local",
        "lock",
        "nbytes",
        "queue",
        "shape",
        "strides",
        "take",
    )

    def __init__(
        self,
        device: Device,
        kernel: Any,
        launches: Sequence[tuple[tuple[int, ...], bytes]],
        shape: Sizes,
        strides: Sizes,
        dtype: dtype,
    ) -> None:
        self.kernel = kernel
        self.launches = tuple(launches)
        self.queue = device.queue
        self.lock = device.lock
        self.local = device.profile.local
        self.take = device.pool.take
        self.shape = shape
        self.strides = strides
        self.nbytes = prod(shape) * dtype.itemsize

    def run(self, *buffers: Any) -> None:
        """Enqueue the kernel on these buffers."""
        with self.lock:
            for size, constants in self.launches:
                self.kernel(self.queue, size, self.local, *buffers, constants)


def geometry(
    device: Device,
    shape: Sizes,
    arrays: Sequence[tuple[Sizes, Sizes, int, dtype]],
    lanes: int,
    whole: tuple[int, int, int, int] = (0, 0, 0, 0),
    inner: Dim | None = None,
) -> list[tuple[tuple[int, ...], bytes]]:
    """Grid and constants of the launches of an element-wise kernel.

    `arrays` are (shape, strides, offset, dtype) of the result and up to three operands, which
    broadcast to `shape`. A kernel that goes along one dimension by itself is given it as `inner`;
    the arrays are those of the other dimensions then, and each work-item takes whole lines.
    """
    if not prod(shape) or (inner and not inner.size):
        return []
    strides = [broadcast_strides(s, st, shape) for s, st, _, _ in arrays]
    dims = collapse(shape, strides, ordered=False)
    whole_lines = inner is not None
    if inner is None:
        inner = dims.pop() if dims else Dim(1, (1,) * len(arrays))
    n, steps = inner
    missing = 4 - len(arrays)
    kinds = [CODE[d] for *_, d in arrays] + [0] * missing
    launches: list[tuple[tuple[int, ...], bytes]] = []
    for outer, offsets in split(dims, [o for _, _, o, _ in arrays]):
        rows = prod(dim.size for dim in outer)
        span, row_span, grid = spans(device.profile, n, rows, lanes)
        if whole_lines:
            span, grid = n, (1, grid[1])
        table: list[int] = []
        for k in range(len(arrays)):
            table += padded([dim.strides[k] for dim in outer])
        table += [0] * (DIMS * missing)
        constants = _GEOMETRY.pack(
            n, span, rows, row_span, len(outer), *kinds, 0, 0, 0,
            *padded([dim.size for dim in outer]), *table,
            *steps, *[0] * missing, *offsets, *[0] * missing, *whole,
        )  # fmt: skip
        launches.append((grid, constants))
    return launches


GEOMETRY_SIZE = _GEOMETRY.size


def layout(array: Array) -> tuple[Sizes, Sizes, int, dtype]:
    """What `geometry` needs to know of an array."""
    return array.shape, array.strides, array.offset, array.dtype


class Plans(dict[Any, Any]):
    """Plans by layout; made where they are missing."""

    def __init__(self, make: Callable[..., Any]) -> None:
        super().__init__()
        self._make = make

    def find(self, key: Any, *args: Any) -> Any:
        """The plan for a key, or what `make` gives for the arguments."""
        plan = self.get(key)
        if plan is None:
            plan = self._make(*args)
            if len(self) >= MOST_PLANS:
                self.clear()
            self[key] = plan
        return plan
