"""Copies and conversions: into new arrays, and into the memory of others."""

from __future__ import annotations

from typing import Any

from dispatch_core.extend import bool_, dtype
from dispatch_opencl import source
from dispatch_opencl.array import COPY, Array, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import result_strides
from dispatch_opencl.kernels._together import together
from dispatch_opencl.kinds import COMPLEX_DOUBLE, COMPLEX_FLOAT, FAMILY, LONG, ULONG, Family
from dispatch_opencl.launch import GEOMETRY_SIZE, Plan, Plans, geometry, layout, typed

_COMPLEX = (COMPLEX_FLOAT, COMPLEX_DOUBLE)

_TEXT = """
kernel void cast(Out out, In a, const Geometry g) {
  EACH_CHUNK(@N)
  V_@S x = LOAD_OPERAND(1, load_@S, a, p);
  STORE_RESULT(@STORE, (@VALUE));
  END_CHUNK
}
"""


def _converted(x: str, start: Family, end: Family, width: str) -> str:
    """Real numbers of one family in another."""
    if start is end:
        return x
    if end is ULONG and start is LONG:
        return f"as_ulong{width}({x})"
    if end is LONG and start is ULONG:
        return f"as_long{width}({x})"
    if end is ULONG:
        # What is negative wraps around, as integers do.
        zero = f"(V_{start.name})0" if start not in _COMPLEX else f"({start.parts})0"
        low, high = f"fmin({x}, {zero})", f"fmax({x}, {zero})"
        return f"convert_ulong{width}({high}) + as_ulong{width}(convert_long{width}({low}))"
    return f"convert_{end.parts or end.scalar}{width}({x})"


def _value(start: Family, end: Family | None, lanes: int) -> str:
    width = str(lanes) if lanes > 1 else ""
    if end is None:
        return "x.x != 0 || x.y != 0" if start in _COMPLEX else "x != 0"
    if start in _COMPLEX and end in _COMPLEX:
        return "x" if start is end else f"convert_{end.scalar}(x)"
    if start in _COMPLEX:
        return _converted("x.x", start, end, width)
    if end in _COMPLEX:
        return f"(({end.scalar})({_converted('x', start, end, width)}, 0))"
    return _converted("x", start, end, width)


def _kernel(device: Device, start: dtype, end: dtype) -> tuple[Any, int]:
    source_family = FAMILY[start]
    target_family = FAMILY[end]
    truth = end is bool_ and source_family is not LONG
    families = [source_family] if truth else [source_family, target_family]
    lanes = min(device.profile.lanes(family) for family in families)
    text = source.filled(
        source.text("elementwise.cl") + _TEXT,
        N=lanes,
        S=source_family.name,
        STORE=f"store_truth_{source_family.name}" if truth else f"store_{target_family.name}",
        VALUE=_value(source_family, None if truth else target_family, lanes),
    )
    return typed(device.kernel(families, text, "cast"), 2, GEOMETRY_SIZE), lanes


_KERNELS: dict[Any, tuple[Any, int]] = {}


def _plan(target: Array, origin: Array) -> Plan:
    device = target.memory.device
    key = (device, FAMILY[origin.dtype], FAMILY[target.dtype], target.dtype is bool_)
    found = _KERNELS.get(key)
    if found is None:
        found = _KERNELS[key] = _kernel(device, origin.dtype, target.dtype)
    kernel, lanes = found
    launches = geometry(device, target.shape, [layout(target), layout(origin)], lanes)
    return Plan(device, kernel, launches, target.shape, target.strides, target.dtype)


_PLANS = Plans(_plan)


def write(target: Array, origin: Array) -> None:
    """Write an array's elements, converted and broadcast, into the memory of another."""
    if origin.memory.device is not target.memory.device:
        (_, origin) = together(target, origin)
    if origin.memory is target.memory and not _same(origin, target):
        origin = origin.copied()
    key = (
        target.dtype, target.memory.device, target.shape, target.strides, target.offset,
        origin.dtype, origin.shape, origin.strides, origin.offset,
    )  # fmt: skip
    plan = _PLANS.find(key, target, origin)
    plan.run(target.memory.buffer, origin.memory.buffer)


def _same(a: Array, b: Array) -> bool:
    return (a.offset, a.strides, a.shape, a.dtype) == (b.offset, b.strides, b.shape, b.dtype)


def copied(origin: Array) -> Array:
    """A new array with the same elements in the order of the dimensions."""
    made = empty(origin.memory.device, origin.dtype, origin.shape)
    write(made, origin)
    return made


def cast(input: Array, dtype: dtype) -> Array:
    """The elements converted to a dtype, as a new array that lies in memory as the old one does."""
    made = empty(input.memory.device, dtype, input.shape)
    strides = result_strides(input.shape, [(input.shape, input.strides)])
    made = Array(made.memory, dtype, input.shape, strides)
    write(made, input)
    return made


COPY.of = copied

KERNELS = {"cast": cast}
