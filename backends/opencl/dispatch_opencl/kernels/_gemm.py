"""Matrix products of floating point numbers on CPUs: packed panels, blocks of rows in registers."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from dispatch_core.extend import dtype
from dispatch_opencl import source
from dispatch_opencl.array import Array, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import Sizes, broadcast_strides, collapse, in_order, padded
from dispatch_opencl.kernels.cast import cast
from dispatch_opencl.kinds import CODE, DOUBLE, FAMILY, FLOAT, Family, wide_dtype
from dispatch_opencl.launch import Plans, typed
from dispatch_opencl.source import DIMS

ROWS = 6
"""Rows in registers: with two registers a row they and what is loaded just fit into sixteen."""
DEPTH = 256
PANELS = 4
ROWS_EACH = 16 * ROWS
_PRODUCT = struct.Struct(f"16q4i{3 * DIMS}q")
_LOCAL = (1, 1, 1)


def _text(family: Family, lanes: int) -> str:
    rows = range(ROWS)
    return source.filled(
        source.text("gemm.cl"),
        POINTERS=" ".join(
            f"global const T_@F* x{r} = x + (i + min({r}L, last)) * g.a_row;" for r in rows
        ),
        ZEROS=", ".join(f"c{r} = 0" for r in rows),
        STEPS_ROW=" ".join(f"c{r} += x{r}[k] * z;" for r in rows),
        STEPS=" ".join(f"c{r} += x{r}[at] * z;" for r in rows),
        ADD_OLD=" ".join(
            f"c{r} += load_@F((In)out, base + (i + min({r}L, last)) * g.out_row + j, 1, count,"
            " g.kind_out);"
            for r in rows
        ),
        ADD_BIAS=" ".join(f"c{r} += w;" for r in rows),
        STORES=" ".join(
            f"if ({r} <= last) store_@F(out, base + (i + {r}) * g.out_row + j, 1, count,"
            f" g.kind_out, c{r});"
            for r in rows
        ),
    ).replace("@F", family.name).replace("@N", str(lanes)).replace("@R", str(ROWS))  # fmt: skip


class _Kernels:
    """The kernels of a family on a device."""

    def __init__(self, device: Device, family: Family) -> None:
        self.lanes = device.profile.lanes(family)
        text = _text(family, self.lanes)
        self.pack = typed(device.kernel([family], text, "pack"), 2, _PRODUCT.size)
        self.gemm = typed(device.kernel([family], text, "gemm"), 4, _PRODUCT.size)


_KERNELS: dict[tuple[Device, Family], _Kernels] = {}


def _kernels(device: Device, family: Family) -> _Kernels:
    found = _KERNELS.get((device, family))
    if found is None:
        found = _KERNELS[device, family] = _Kernels(device, family)
    return found


def suits(a: Array, b: Array) -> bool:
    """Whether matrices are worth packing: floats on a CPU, and rows enough to use a panel again."""
    return (
        a.memory.device.profile.is_cpu
        and FAMILY[a.dtype] in (FLOAT, DOUBLE)
        and a.shape[-2] >= 4
        and a.shape[-1] > 1
    )


def _merged(a: Array, b: Array) -> Array:
    """The left matrices as one, where the right one is the same for all."""
    if len(a.shape) == 2 or prod(b.shape[:-2]) != 1:
        return a
    dims = collapse(a.shape[:-1], [a.strides[:-1]])
    if len(dims) > 1:
        return a
    rows, step = (dims[0].size, dims[0].strides[0]) if dims else (1, 0)
    return a.view((rows, a.shape[-1]), (step, a.strides[-1]), a.offset)


def _plan(a: Array, b: Array, bias: Array | None, out: dtype) -> Any:
    """Constants and grids of packing and multiplying."""
    device = a.memory.device
    kernels = _kernels(device, FAMILY[a.dtype])
    lanes = kernels.lanes
    m, k = a.shape[-2:]
    n = b.shape[-1]
    batch = _batch(a, b)
    panels = -(-n // lanes)
    packed_shape = (*b.shape[:-2], panels * k * lanes)
    packed_strides = in_order(packed_shape)
    b_dims = collapse(b.shape[:-2], [b.strides[:-2]])
    dims = collapse(
        batch,
        [
            broadcast_strides(a.shape[:-2], a.strides[:-2], batch),
            broadcast_strides(b.shape[:-2], packed_strides[:-1], batch),
        ],
    )
    if len(dims) > DIMS or len(b_dims) > DIMS:
        return None
    rows_each, panels_each = _blocks(device, m, panels, prod(batch))
    bias_step = 0 if bias is None else bias.strides[-1] or 0
    common = (m, n, k, *a.strides[-2:], *b.strides[-2:], rows_each, panels_each)
    offsets = (a.offset, b.offset, 0, 0 if bias is None else bias.offset, bias_step, n)
    kinds = (CODE[b.dtype], CODE[out], CODE[a.dtype if bias is None else bias.dtype])
    pack_depth = max(DEPTH, -(-k // 8))
    pack = _PRODUCT.pack(
        *common, pack_depth, *offsets, len(b_dims), *kinds,
        *padded([d.size for d in b_dims]), *[0] * DIMS, *padded([d.strides[0] for d in b_dims]),
    )  # fmt: skip
    multiply = _PRODUCT.pack(
        *common, DEPTH, *offsets, len(dims), *kinds,
        *padded([d.size for d in dims]), *padded([d.strides[0] for d in dims]),
        *padded([d.strides[1] for d in dims]),
    )  # fmt: skip
    pack_grid = (panels, -(-k // pack_depth), prod(b.shape[:-2]))
    grid = (-(-panels // panels_each), -(-m // rows_each), prod(batch))
    return kernels, packed_shape, pack, pack_grid, multiply, grid, (*batch, m, n)


def _batch(a: Array, b: Array) -> Sizes:
    """The batch dimensions of both; they are known to go together."""
    one, other = a.shape[:-2], b.shape[:-2]
    size = max(len(one), len(other))
    one, other = (1,) * (size - len(one)) + one, (1,) * (size - len(other)) + other
    return tuple(m if n == 1 else n for n, m in zip(one, other, strict=True))


def _blocks(device: Device, m: int, panels: int, batches: int) -> tuple[int, int]:
    """Rows and panels of one work-item: blocks that stay in cache, and enough of them for all cores."""
    rows, columns = min(ROWS_EACH, -(-m // ROWS) * ROWS), min(PANELS, panels)
    wanted = device.profile.workers * 4
    while -(-m // rows) * -(-panels // columns) * batches < wanted and columns > 1:
        columns = (columns + 1) // 2
    while -(-m // rows) * -(-panels // columns) * batches < wanted and rows > 2 * ROWS:
        rows = max(rows // 2 // ROWS, 1) * ROWS
    return rows, columns


_PLANS = Plans(_plan)


def multiply(a: Array, b: Array, bias: Array | None = None) -> Array | None:
    """The product a @ b (+ bias for each row), for arrays that `suits`; None for too many batch dimensions."""
    device = a.memory.device
    wide = wide_dtype(a.dtype)
    final = a.dtype
    if final is not wide:
        a = cast(a, wide)
    lead = a.shape[:-1]
    a = _merged(a, b)
    single = len(a.shape) == 2 and len(lead) != 1
    if single and len(b.shape) > 2:
        b = b.view(b.shape[-2:], b.strides[-2:], b.offset)
    key = (
        device, wide, b.dtype, a.shape, a.strides, a.offset, b.shape, b.strides, b.offset,
        None if bias is None else (bias.dtype, bias.strides, bias.offset),
    )  # fmt: skip
    plan = _PLANS.find(key, a, b, bias, wide)
    if plan is None:
        return None
    kernels, packed_shape, pack, pack_grid, constants, grid, shape = plan
    packed = device.pool.take(prod(packed_shape) * wide.itemsize)
    out = empty(device, wide, shape)
    bias_buffer = packed.buffer if bias is None else bias.memory.buffer
    with device.lock:
        kernels.pack(device.queue, pack_grid, _LOCAL, packed.buffer, b.memory.buffer, pack)
        kernels.gemm(
            device.queue, grid, _LOCAL, out.memory.buffer, a.memory.buffer, packed.buffer,
            bias_buffer, constants,
        )  # fmt: skip
    if out.shape[:-1] != lead and single:
        out = Array(out.memory, wide, (*lead, shape[-1]))
    return out if final is wide else cast(out, final)
