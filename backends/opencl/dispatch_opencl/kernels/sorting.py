"""Sorting by index: a stable merge sort of all lines at once."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import check_dim, int64, uint32, uint64
from dispatch_opencl import source
from dispatch_opencl.array import Array, empty, is_whole
from dispatch_opencl.device import Device
from dispatch_opencl.kernels.create import filled
from dispatch_opencl.kinds import CODE, FAMILY, FLOAT, Family

RUN = 16
"""The length of the runs that are sorted by insertion."""

_KEYS = {
    # NaN is largest, and both zeros are equal.
    "f": (
        "uint bits = as_uint(x); if (x != x) return ~(uint)0; if (x == 0) bits = 0;"
        " return bits & 0x80000000 ? ~bits : bits | 0x80000000;"
    ),
    "d": (
        "ulong bits = as_ulong(x); if (x != x) return ~(ulong)0; if (x == 0) bits = 0;"
        " return bits >> 63 ? ~bits : bits | ((ulong)1 << 63);"
    ),
    "l": "return as_ulong(x) ^ ((ulong)1 << 63);",
    "u": "return x;",
}


class _Sorter:
    """The kernels for one family on one device."""

    def __init__(self, device: Device, family: Family) -> None:
        self.narrow = family is FLOAT
        self.span = 1024 if device.profile.is_cpu else 16
        key = "uint" if self.narrow else "ulong"
        text = f"#define KEY {key}\n#define SPAN {self.span}\n#define RUN {RUN}\n" + source.filled(
            source.text("sort.cl"), F=family.name, KEY=_KEYS[family.name]
        )
        whole, plain = np.int64, np.int32
        self.keys = device.kernel([family], text, "keys")
        self.keys.set_scalar_arg_dtypes([None, None, whole, plain, plain, whole])
        self.runs = device.kernel([family], text, "runs")
        self.runs.set_scalar_arg_dtypes([None, None, whole])
        self.merge = device.kernel([family], text, "merge")
        self.merge.set_scalar_arg_dtypes([None, None, None, None, whole, whole])


_SORTERS: dict[tuple[Device, Family], _Sorter] = {}


def _sorter(device: Device, family: Family) -> _Sorter:
    found = _SORTERS.get((device, family))
    if found is None:
        found = _SORTERS[device, family] = _Sorter(device, family)
    return found


def sorted_places(values: Array, descending: bool) -> Array:
    """The places that sort each line (the last dimension) of an array without gaps."""
    *_, n = values.shape
    lines = prod(values.shape[:-1])
    device = values.memory.device
    family = FAMILY[values.dtype]
    sorter = _sorter(device, family)
    count, local, queue = n * lines, device.profile.local, device.queue
    key = empty(device, uint32 if sorter.narrow else uint64, (count,))
    place = empty(device, int64, values.shape)
    spans = -(-n // sorter.span)
    with device.lock:
        sorter.keys(
            queue, (-(-count // sorter.span), 1), local, key.memory.buffer, values.memory.buffer,
            values.offset, CODE[values.dtype], descending, count,
        )  # fmt: skip
        sorter.runs(queue, (-(-n // RUN), lines), local, key.memory.buffer, place.memory.buffer, n)
        width = RUN
        while width < n:
            other_key, other_place = (
                empty(device, key.dtype, (count,)),
                empty(device, int64, values.shape),
            )
            sorter.merge(
                queue, (spans, lines), local, other_key.memory.buffer, other_place.memory.buffer,
                key.memory.buffer, place.memory.buffer, n, width,
            )  # fmt: skip
            key, place = other_key, other_place
            width *= 2
    return place


def argsort(input: Array, dim: int, descending: bool, stable: bool = True) -> Array:
    """The indices that sort a dimension; stable, and NaN is largest."""
    ndim = len(input.shape)
    at = check_dim(dim, ndim)
    if not prod(input.shape) or not ndim:
        return filled(input.memory.device, input.shape, 0, int64)
    order = [*(d for d in range(ndim) if d != at), at]
    moved: Any = input.view(
        [input.shape[d] for d in order], [input.strides[d] for d in order], input.offset
    )
    places = sorted_places(moved if is_whole(moved) else moved.copied(), bool(descending))
    back = sorted(range(ndim), key=order.__getitem__)
    return places.view(
        [places.shape[d] for d in back], [places.strides[d] for d in back], 0
    ) if at == ndim - 1 else _in_order(places, back)  # fmt: skip


def _in_order(places: Array, back: list[int]) -> Array:
    """The places with the dimensions as they were, in memory of their own."""
    moved = places.view(
        [places.shape[d] for d in back], [places.strides[d] for d in back], places.offset
    )
    return moved.copied()


KERNELS = {"argsort": argsort}
