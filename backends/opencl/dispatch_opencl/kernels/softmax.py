"""Softmax, its logarithm, and their gradients: one work-item goes along a row."""

from __future__ import annotations

from math import prod
from typing import Any

from dispatch_core.extend import check_dim
from dispatch_opencl import source
from dispatch_opencl.array import Array, common_device, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import Dim, in_order
from dispatch_opencl.kernels.reduce import without
from dispatch_opencl.kinds import FAMILY, Family
from dispatch_opencl.launch import GEOMETRY_SIZE, Plan, Plans, geometry, typed

_KERNELS: dict[Any, Any] = {}


def _kernel(device: Device, family: Family, name: str, buffers: int) -> Any:
    found = _KERNELS.get((device, family, name))
    if found is None:
        text = source.filled(
            source.text("elementwise.cl") + source.text("rows.cl"),
            F=family.name,
            N=device.profile.lanes(family),
        )
        found = typed(device.kernel([family], text, name), buffers, GEOMETRY_SIZE)
        _KERNELS[device, family, name] = found
    return found


def _plan(name: str, at: int, *operands: Array) -> Plan:
    device = common_device(operands)
    first = operands[0]
    family = FAMILY[first.dtype]
    strides = in_order(first.shape)
    arrays = [(strides, 0), *((a.strides, a.offset) for a in operands)]
    shape = without(first.shape, at)
    launches = geometry(
        device,
        shape,
        [(shape, without(s, at), offset, first.dtype) for s, offset in arrays],
        1,
        inner=Dim(first.shape[at], tuple(s[at] for s, _ in arrays)),
    )
    kernel = _kernel(device, family, name, len(arrays))
    return Plan(device, kernel, launches, first.shape, strides, first.dtype)


_PLANS = Plans(_plan)


def _over_rows(name: str) -> Any:
    def kernel(input: Array, *rest: Any) -> Array:
        *others, dim = rest
        at = check_dim(dim, len(input.shape))
        operands: Any = (input, *others)
        if any(a.shape != input.shape or a.dtype is not input.dtype for a in others):
            raise ValueError(f"got {[(a.dtype, a.shape) for a in operands]}, expected all alike")
        if not input.shape:
            operands = [a.view((1,), (1,), a.offset) for a in operands]
        if not prod(input.shape):
            return empty(input.memory.device, input.dtype, input.shape)
        key = (name, at, input.dtype, input.memory.device, operands[0].shape,
               *[(a.strides, a.offset) for a in operands])  # fmt: skip
        plan = _PLANS.find(key, name, at, *operands)
        made = plan.take(plan.nbytes)
        plan.run(made.buffer, *[a.memory.buffer for a in operands])
        return Array(made, input.dtype, input.shape)

    kernel.__name__ = kernel.__qualname__ = name
    return kernel


KERNELS = {
    name: _over_rows(name)
    for name in ("log_softmax", "log_softmax_backward", "softmax", "softmax_backward")
}
