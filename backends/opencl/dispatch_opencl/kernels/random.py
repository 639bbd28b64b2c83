"""Random numbers: Philox, so the same seed gives the same numbers as on every other device."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from dispatch_core.extend import bfloat16, dtype, float16, float32, int64, uint64
from dispatch_opencl import source
from dispatch_opencl.array import Array, empty
from dispatch_opencl.device import Device
from dispatch_opencl.devices import device_at
from dispatch_opencl.kernels.cast import cast
from dispatch_opencl.kernels.sorting import sorted_places
from dispatch_opencl.kinds import CODE, DOUBLE, FAMILY, LONG, Family
from dispatch_opencl.launch import typed

_DRAW = struct.Struct("4Q3q2i2d")
_BITS = {float32: 24, float16: 11, bfloat16: 8}
_MASK = (1 << 64) - 1
_SPAN = 4096
_KERNELS: dict[Any, Any] = {}


def _kernel(device: Device, family: Family, name: str) -> Any:
    found = _KERNELS.get((device, name, family))
    if found is None:
        defines = "#define DRAW_FLOATS\n" if family is not LONG else ""
        defines += "#define DRAW_DOUBLES\n" if family is DOUBLE else ""
        text = source.filled(source.text("random.cl"), F=family.name, T=family.scalar)
        if not device.has_double:
            text = text.replace("double scale, shift", "float scale, shift, reserved[2]")
        found = typed(device.kernel([family], defines + text, name), 1, _DRAW.size)
        _KERNELS[device, name, family] = found
    return found


def random_new(size: Any, kind: str, a: Any, b: Any, seed: int, offset: int, place: Any) -> Array:
    """A new array of random numbers from block `offset` of a seed's stream on."""
    device = device_at(place.index)
    wanted = place.dtype
    device.check(wanted)
    shape = tuple(size)
    if kind == "permutation":
        keys = _drawn(device, (a,), "integers", LONG, uint64, seed, offset)
        places = sorted_places(keys, False) if a else empty(device, int64, (0,))
        return places if wanted is int64 else cast(places, wanted)
    if kind == "integers":
        if a >= b:
            raise ValueError(f"expected low < high, got low={a} and high={b}: the range is empty")
        span = (b - a) if b - a < 1 << 64 else 0
        return _drawn(device, shape, kind, LONG, wanted, seed, offset, low=a, span=span)
    scale, shift = (b - a, a) if kind == "uniform" else (b, a)
    family = FAMILY[wanted]
    return _drawn(device, shape, f"{kind}_", family, wanted, seed, offset, scale=scale, shift=shift)


def _drawn(
    device: Device,
    shape: tuple[int, ...],
    name: str,
    family: Family,
    wanted: dtype,
    seed: int,
    offset: int,
    low: int = 0,
    span: int = 0,
    scale: float = 1.0,
    shift: float = 0.0,
) -> Array:
    made = empty(device, wanted, shape)
    count = prod(shape)
    if not count:
        return made
    half = -(-count // 2)
    each = _SPAN if device.profile.is_cpu else 4
    constants = _DRAW.pack(
        seed & _MASK, offset & _MASK, low & _MASK, span, count, half, each, CODE[wanted],
        _BITS.get(wanted, 0), scale, shift,
    )  # fmt: skip
    tasks = half if name == "normal_" else count
    kernel = _kernel(device, family, name)
    with device.lock:
        kernel(device.queue, (-(-tasks // each),), device.line, made.memory.buffer, constants)
    return made


KERNELS = {"random_new": random_new}
