"""Reductions over any dimensions, and scans along one."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from dispatch_core.extend import check_dim, check_dims, dtype, float32, int64
from dispatch_opencl import source
from dispatch_opencl.array import Array, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import Dim, collapse, in_order, padded
from dispatch_opencl.kernels._expressions import COMPLEX
from dispatch_opencl.kernels.create import filled
from dispatch_opencl.kinds import CODE, FAMILY, FLOAT, LONG, ULONG, Family
from dispatch_opencl.launch import GEOMETRY_SIZE, Plan, Plans, geometry, typed
from dispatch_opencl.source import DIMS

_REDUCTION = struct.Struct(f"8q8i{4 * DIMS}q")
_FEW = 1 << 15
"""Elements below which work is not divided."""

Combine = tuple[str, str]
"""The macro that combines two elements, and what they begin with."""


def program(family: Family, lanes: int, group: int) -> str:
    """The text of the reductions and scans of a family."""
    one = f"({family.scalar})(1, 0)" if family in COMPLEX else "1"
    times = "mul_@F" if family in COMPLEX else "MULTIPLIED"
    exact = "JOIN_PLAIN" if family in (LONG, ULONG) else "JOIN_EXACT"
    store = f"vstore{lanes}" if lanes > 1 else "STORE_SINGLE"
    lines = [
        source.text("elementwise.cl"),
        source.text("reduce.cl"),
        source.text("complex.cl") if family in COMPLEX else "",
        f"#define GROUP {group}",
        "#define STORE_SINGLE(x, i, p) (p)[i] = x",
        f"#define STORE_LANES_@F {store}",
        f"REDUCTION(sum, @F, 0, ADDED, {exact})",
        f"REDUCTION(prod, @F, {one}, {times}, JOIN_PLAIN)",
        "SCAN(cumsum, @F, 0, ADDED)",
        f"SCAN(cumprod, @F, {one}, {times})",
    ]
    if family not in COMPLEX:
        low, high = _LIMITS[family.name]
        lines += [
            f"REDUCTION(amax, @F, {low}, LARGER, JOIN_PLAIN)",
            f"REDUCTION(amin, @F, {high}, SMALLER, JOIN_PLAIN)",
        ]
    return source.filled("\n".join(lines), F=family.name, C=family.scalar, R=family.parts)


_LIMITS = {
    "f": ("-INFINITY", "INFINITY"),
    "d": ("-INFINITY", "INFINITY"),
    "l": ("LONG_MIN", "LONG_MAX"),
    "u": ("0", "ULONG_MAX"),
}


def group_of(device: Device) -> int:
    """Vectors of columns that are reduced together: on CPUs enough to read memory in long pieces."""
    return 64 if device.profile.is_cpu else 1


def kernel_of(device: Device, family: Family, name: str, constants: int) -> Any:
    """A kernel of the program for a family."""
    key = (device, family, name)
    found = _KERNELS.get(key)
    if found is None:
        text = program(family, device.profile.lanes(family), group_of(device))
        found = _KERNELS[key] = typed(device.kernel([family], text, name), 2, constants)
    return found


_KERNELS: dict[Any, Any] = {}


class Step:
    """One launch of a reduction."""

    __slots__ = ("constants", "grid", "kernel", "nbytes", "shape")

    def __init__(self, kernel: Any, grid: Any, constants: bytes, shape: Any, nbytes: int) -> None:
        self.kernel = kernel
        self.grid = grid
        self.constants = constants
        self.shape = shape
        self.nbytes = nbytes


def _moved(input: Array, order: Sequence[int]) -> Array:
    return input.view(
        [input.shape[d] for d in order], [input.strides[d] for d in order], input.offset
    )


class Reduction:
    """The kernel of one reduction."""

    def __init__(
        self, name: str, result: Callable[[dtype], dtype], empty_value: int | None
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self.result = result
        self.empty_value = empty_value
        self.plans = Plans(self._plan)

    def __call__(self, input: Array, dim: Any, keepdim: bool) -> Array:
        """The elements combined over one, several or (None, or an empty list) all dimensions."""
        chosen = tuple(dim) if dim.__class__ is list else dim
        key = (input.dtype, input.memory.device, input.shape, input.strides, input.offset, chosen,
               keepdim)  # fmt: skip
        steps, final, shape = self.plans.get(key) or self.plans.find(key, input, dim, keepdim)
        device = input.memory.device
        if steps is None:
            return filled(device, shape, self.empty_value or 0, final)
        if steps == "copy":
            return self(_contiguous(input, dim), dim, keepdim)
        source_buffer = input.memory.buffer
        with device.lock:
            for step in steps:
                memory = device.pool.take(step.nbytes)
                step.kernel(
                    device.queue, step.grid, device.profile.local, memory.buffer, source_buffer,
                    step.constants,
                )  # fmt: skip
                source_buffer = memory.buffer
        return Array(memory, final, shape)

    def _plan(self, input: Array, dim: Any, keepdim: bool) -> Any:
        ndim = len(input.shape)
        dims = check_dims(dim, ndim) if ndim else (check_dims(dim, ndim), ())[1]
        kept = [d for d in range(ndim) if d not in dims]
        shape = tuple(
            (1 if d in dims else n) for d, n in enumerate(input.shape) if keepdim or d not in dims
        )
        final = self.result(input.dtype)
        if not prod(shape) or not prod(input.shape):
            if prod(shape) and self.empty_value is None:
                raise ValueError("no elements to reduce")
            return None, final, shape
        sizes = [input.shape[d] for d in kept]
        keep = collapse(sizes, [in_order(sizes), tuple(input.strides[d] for d in kept)])
        inside = sorted(dims, key=lambda d: -abs(input.strides[d]))
        reduced = collapse(
            [input.shape[d] for d in inside], [tuple(input.strides[d] for d in inside)]
        )
        if len(keep) > DIMS or len(reduced) > DIMS:
            return "copy", final, shape
        return self._steps(input, keep, reduced, final), final, shape

    def _steps(self, input: Array, keep: list[Dim], reduced: list[Dim], final: dtype) -> list[Step]:
        device = input.memory.device
        family = FAMILY[input.dtype]
        if family is ULONG and final is int64:
            family = LONG  # sums of the same bits
        inner = reduced.pop() if reduced else Dim(1, (1,))
        columns = bool(keep) and inner.strides[-1] != 1 and keep[-1].strides[1] == 1
        columns = columns and keep[-1].size > 1 and inner.size > 1
        width = keep.pop().size if columns else 1
        rows, outer = (prod(dim.size for dim in dims) for dims in (keep, reduced))
        wide = device.profile.lanes(family) * group_of(device)
        tasks = rows * -(-width // wide) if columns else rows
        each = inner.size * outer
        work = each * min(width, wide) if columns else each
        parts, span, split_inner = self._parts(device, tasks, work, inner.size, outer)
        chunk = max(device.profile.chunk // max(work // parts, 1), 1)
        chunk = min(chunk, -(-tasks // (device.profile.workers * 2)))
        row_span = max(chunk, 1)
        kept = final if parts == 1 else _accumulator(input.dtype, final)
        constants = _REDUCTION.pack(
            rows, row_span, inner.size, outer, span, width, inner.strides[-1], input.offset,
            len(keep), len(reduced), CODE[input.dtype], CODE[kept], split_inner, 0, 0, 0,
            *padded([d.size for d in keep]), *padded([d.strides[1] for d in keep]),
            *padded([d.size for d in reduced]), *padded([d.strides[0] for d in reduced]),
        )  # fmt: skip
        name = f"{self.__name__}_{'columns' if columns else 'rows'}"
        kernel = kernel_of(device, family, name, _REDUCTION.size)
        total = rows * width
        step = Step(
            kernel, (-(-tasks // row_span), parts), constants, (parts, total),
            parts * total * kept.itemsize,
        )  # fmt: skip
        if parts == 1:
            return [step]
        partial = Array(input.memory, kept, (parts, total))
        rest = self._steps(
            partial,
            collapse((total,), [(1,), (1,)]),
            collapse((parts,), [(total,)]),
            final,
        )
        return [step, *rest]

    @staticmethod
    def _parts(device: Device, tasks: int, work: int, n: int, outer: int) -> tuple[int, int, bool]:
        """In how many parts the elements of a task are divided, of what size, along what."""
        workers = device.profile.workers * 4
        split_inner = outer < n
        along = n if split_inner else outer
        if tasks >= workers or tasks * work < _FEW:
            return 1, along, split_inner
        parts = min(-(-workers // tasks), max(work // 2048, 1), along)
        span = -(-along // parts)
        if split_inner:
            span = -(-span // 64) * 64
        return -(-along // span), span, split_inner


def _contiguous(input: Array, dim: Any) -> Array:
    """The same elements in memory where the kept dimensions are as one, and the others too."""
    dims = check_dims(dim, len(input.shape))
    order = [d for d in range(len(input.shape)) if d not in dims] + list(dims)
    copy = _moved(input, order).copied()
    back = sorted(range(len(order)), key=order.__getitem__)
    return _moved(copy, back)


def _accumulator(given: dtype, final: dtype) -> dtype:
    return float32 if FAMILY[given] is FLOAT else final


def _summed(given: dtype) -> dtype:
    return int64 if FAMILY[given] in (LONG, ULONG) else given


def scan(name: str) -> Callable[..., Array]:
    """The kernel of a scan."""

    def scanned(input: Array, dim: int) -> Array:
        ndim = len(input.shape)
        at = check_dim(dim, ndim)
        final = _summed(input.dtype)
        out = empty(input.memory.device, final, input.shape)
        if not ndim:
            key_shape: tuple[int, ...] = (1,)
            input = input.view((1,), (1,), input.offset)
        else:
            key_shape = input.shape
        key = (name, input.dtype, input.memory.device, key_shape, input.strides, input.offset, at)
        plan = _SCANS.find(key, name, input, at, final)
        plan.run(out.memory.buffer, input.memory.buffer)
        return out

    scanned.__name__ = scanned.__qualname__ = name
    return scanned


def _scan_plan(name: str, input: Array, at: int, final: dtype) -> Plan:
    device = input.memory.device
    family = FAMILY[input.dtype]
    family = LONG if family is ULONG else family
    strides = in_order(input.shape)
    launches = geometry(
        device,
        without(input.shape, at),
        [
            (without(input.shape, at), without(strides, at), 0, final),
            (without(input.shape, at), without(input.strides, at), input.offset, input.dtype),
        ],
        1,
        inner=Dim(input.shape[at], (strides[at], input.strides[at])),
    )
    kernel = kernel_of(device, family, name, GEOMETRY_SIZE)
    return Plan(device, kernel, launches, input.shape, strides, final)


_SCANS = Plans(_scan_plan)


def without(values: Sequence[int], at: int) -> tuple[int, ...]:
    """The values but one."""
    return (*values[:at], *values[at + 1 :])


KERNELS: dict[str, Callable[..., Array]] = {
    "amax": Reduction("amax", lambda given: given, None),
    "amin": Reduction("amin", lambda given: given, None),
    "cumprod": scan("cumprod"),
    "cumsum": scan("cumsum"),
    "prod": Reduction("prod", _summed, 1),
    "sum": Reduction("sum", _summed, 0),
}
