"""Matrix products."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from dispatch_core.extend import broadcast_shapes
from dispatch_opencl import source
from dispatch_opencl.array import Array, common_device, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import broadcast_strides, collapse, padded
from dispatch_opencl.kernels import _gemm
from dispatch_opencl.kernels._expressions import COMPLEX
from dispatch_opencl.kernels._together import together
from dispatch_opencl.kernels.create import filled
from dispatch_opencl.kernels.elementwise import KERNELS as ELEMENTWISE
from dispatch_opencl.kinds import CODE, FAMILY, Family
from dispatch_opencl.launch import Plans, typed
from dispatch_opencl.source import DIMS

add = ELEMENTWISE["add"]
_PRODUCT = struct.Struct(f"11q4i{3 * DIMS}q")
_KERNELS: dict[Any, Any] = {}


def _kernel(device: Device, family: Family) -> Any:
    found = _KERNELS.get((device, family))
    if found is None:
        helpers = source.text("complex.cl") if family in COMPLEX else ""
        text = source.filled(
            helpers + source.text("matmul.cl"),
            F=family.name,
            C=family.scalar,
            R=family.parts,
            PRODUCT=f"mul_{family.name}(x, y)" if family in COMPLEX else "x * y",
        )
        found = typed(device.kernel([family], text, "matmul"), 3, _PRODUCT.size)
        _KERNELS[device, family] = found
    return found


def _plan(a: Array, b: Array) -> Any:
    """(kernel, grid, constants, batch shape) of a product of two arrays of matrices."""
    device = a.memory.device
    m, k = a.shape[-2:]
    n = b.shape[-1]
    batch = tuple(broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    strides = [broadcast_strides(x.shape[:-2], x.strides[:-2], batch) for x in (a, b)]
    dims = collapse(batch, strides)
    if len(dims) > DIMS:
        return None
    family = FAMILY[a.dtype]
    lanes = device.profile.lanes(family)
    batches = prod(batch)
    rows_each = max(1, min(m, device.profile.chunk // max(k * lanes, 1)))
    constants = _PRODUCT.pack(
        m, n, k, rows_each, *a.strides[-2:], *b.strides[-2:], a.offset, b.offset, batches,
        len(dims), CODE[a.dtype], CODE[b.dtype], CODE[a.dtype],
        *padded([d.size for d in dims]), *padded([d.strides[0] for d in dims]),
        *padded([d.strides[1] for d in dims]),
    )  # fmt: skip
    grid = (-(-n // lanes), -(-m // rows_each), batches)
    return _kernel(device, family), grid, constants, batch


_PLANS = Plans(_plan)


def _matrices(a: Array, b: Array) -> Array:
    """The product of arrays with two dimensions or more."""
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matrices of shapes {a.shape} and {b.shape} cannot be multiplied")
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if _gemm.suits(a, b) and all(batch) and b.shape[-1]:
        found = _gemm.multiply(a, b)
        if found is not None:
            return found
    key = (a.dtype, a.memory.device, a.shape, a.strides, a.offset, b.shape, b.strides, b.offset)
    plan = _PLANS.find(key, a, b)
    if plan is None:
        return _matrices(a.copied(), b.copied())
    kernel, grid, constants, batch = plan
    device = a.memory.device
    shape = (*batch, a.shape[-2], b.shape[-1])
    if not a.shape[-1]:
        return filled(device, shape, 0, a.dtype)
    out = empty(device, a.dtype, shape)
    if prod(shape):
        local = (1, 1, 1) if device.profile.is_cpu else None
        with device.lock:
            kernel(
                device.queue, grid, local, out.memory.buffer, a.memory.buffer, b.memory.buffer,
                constants,
            )  # fmt: skip
    return out


def matmul(input: Array, other: Array) -> Array:
    """The matrix product; vectors count as a row on the left and a column on the right."""
    if input.memory.device is not other.memory.device:
        input, other = together(input, other)
    if input.dtype is not other.dtype:
        raise ValueError(f"expected matrices of one dtype, got {input.dtype} and {other.dtype}")
    if not input.shape or not other.shape:
        raise ValueError("both arguments to matmul need to be at least 1D")
    a: Any = input
    b: Any = other
    if len(a.shape) == 1:
        a = a.view((1, *a.shape), (0, *a.strides), a.offset)
    if len(b.shape) == 1:
        b = b.view((*b.shape, 1), (*b.strides, 0), b.offset)
    out = _matrices(a, b)
    rows = out.shape[-2:-1] if len(input.shape) > 1 else ()
    columns = out.shape[-1:] if len(other.shape) > 1 else ()
    shape = (*out.shape[:-2], *rows, *columns)
    return out if shape == out.shape else Array(out.memory, out.dtype, shape)


def linear(input: Array, weight: Array, bias: Array | None) -> Array:
    """(*, in), weight (out, in), bias (out) -> (*, out): input @ weight.T + bias."""
    if len(weight.shape) != 2 or len(input.shape) < 2 or input.shape[-1] != weight.shape[1]:
        raise ValueError(f"got shapes {input.shape} and {weight.shape}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias has shape {bias.shape} for {weight.shape[0]} outputs")
    turned: Any = weight.view(weight.shape[::-1], weight.strides[::-1], weight.offset)
    given = (weight,) if bias is None else (weight, bias)
    if any(a.dtype is not input.dtype for a in given):
        raise ValueError("expected input, weight and bias of one dtype")
    common_device((input, *given))
    if _gemm.suits(input, turned) and all(input.shape) and weight.shape[0]:
        found = _gemm.multiply(input, turned, bias)
        if found is not None:
            return found
    out = matmul(input, turned)
    return out if bias is None else add(out, bias)


def is_matrix(input: Array, weight: Array, bias: Array | None) -> str | None:
    """None to take a call of `linear`, or why not."""
    if len(input.shape) < 2 or len(weight.shape) != 2:
        return "only for matrices"
    return None


KERNELS = {"matmul": matmul}
