"""Copies and conversions: into new arrays, and into the memory of others."""

from __future__ import annotations

from math import prod
from typing import Any

from dispatch_core.extend import bool_, dtype
from dispatch_opencl import source
from dispatch_opencl.array import COPY, Array, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import Dim, broadcast_strides, collapse, result_strides
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

// The same where the dimension that lies together here (n) is another than there: squares of @N x @N.
// whole: size, stride here, and elements a work-item takes, of the dimension that lies together there.
kernel void turned(Out out, In a, const Geometry g) {
  long first = get_global_id(0) * g.whole[2], end = min(first + g.whole[2], g.whole[0]);
  EACH_ROW
    for (long j = first; j < end; j += @N)
      for (long i = 0; i < g.n; i += @N) {
        int across = (int)min((long)@N, end - j), down = (int)min((long)@N, g.n - i);
        T_@S t[@N * @N], u[@N];
        for (int r = 0; r < down; r++)
          vstore@N(load_@S(a, p + (i + r) * g.inner[1] + j, 1, across, g.kind[1]), r, t);
        for (int c = 0; c < across; c++) {
          for (int r = 0; r < @N; r++) u[r] = t[min(r, down - 1) * @N + c];
          V_@S x = vload@N(0, u);
          @STORE(out, o + (j + c) * g.whole[1] + i, 1, down, g.kind[0], (@VALUE));
        }
      }
  }
}
"""
_PLAIN, _, _ = _TEXT.partition("\n// The same")


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


def _kernel(device: Device, start: dtype, end: dtype, name: str) -> tuple[Any, int]:
    source_family = FAMILY[start]
    target_family = FAMILY[end]
    truth = end is bool_ and source_family is not LONG
    families = [source_family] if truth else [source_family, target_family]
    lanes = min(device.profile.lanes(family) for family in families)
    text = source.filled(
        source.text("elementwise.cl") + (_TEXT if lanes > 1 else _PLAIN),
        N=lanes,
        S=source_family.name,
        STORE=f"store_truth_{source_family.name}" if truth else f"store_{target_family.name}",
        VALUE=_value(source_family, None if truth else target_family, lanes),
    )
    return typed(device.kernel(families, text, name), 2, GEOMETRY_SIZE), lanes


_KERNELS: dict[Any, tuple[Any, int]] = {}


def _found(device: Device, origin: Array, target: Array, name: str) -> tuple[Any, int]:
    key = (device, FAMILY[origin.dtype], FAMILY[target.dtype], target.dtype is bool_, name)
    found = _KERNELS.get(key)
    if found is None:
        found = _KERNELS[key] = _kernel(device, origin.dtype, target.dtype, name)
    return found


def _plan(target: Array, origin: Array) -> Plan:
    device = target.memory.device
    kernel, lanes = _found(device, origin, target, "cast")
    launches = geometry(device, target.shape, [layout(target), layout(origin)], lanes)
    if device.profile.is_cpu and lanes > 1:
        turned = _turned(target, origin, lanes)
        if turned is not None:
            launches = turned
            kernel, _ = _found(device, origin, target, "turned")
    return Plan(device, kernel, launches, target.shape, target.strides, target.dtype)


def _turned(target: Array, origin: Array, lanes: int) -> Any:
    """The launches of `turned`; None where one dimension lies together in both arrays, or is short."""
    seen = broadcast_strides(origin.shape, origin.strides, target.shape)
    dims = collapse(target.shape, [target.strides, seen], ordered=False)
    if len(dims) < 2 or dims[-1].strides[0] != 1 or dims[-1].strides[1] == 1:
        return None
    other = next((d for d in dims[:-1] if d.strides[1] == 1), None)
    if other is None or min(other.size, dims[-1].size) < lanes:
        return None
    rest = [d for d in dims[:-1] if d is not other]
    shape = tuple(d.size for d in rest)
    device = target.memory.device
    wanted = max(device.profile.workers * 4 // max(prod(shape), 1), 1)
    span = -(-other.size // wanted // lanes) * lanes
    launches = geometry(
        device,
        shape,
        [
            (shape, tuple(d.strides[0] for d in rest), target.offset, target.dtype),
            (shape, tuple(d.strides[1] for d in rest), origin.offset, origin.dtype),
        ],
        1,
        whole=(other.size, other.strides[0], span, 0),
        inner=Dim(dims[-1].size, (1, dims[-1].strides[1])),
    )
    return [((-(-other.size // span), grid[1]), constants) for grid, constants in launches]


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


def fitting(array: Array, like: Array) -> Array:
    """The array, converted where the kernels for `like` could not read it."""
    if FAMILY[array.dtype] is FAMILY[like.dtype]:
        return array
    return cast(array, like.dtype)


COPY.of = copied

KERNELS = {"cast": cast}
