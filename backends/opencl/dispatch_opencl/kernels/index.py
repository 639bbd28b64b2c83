"""Reading and writing by index; a wrong index raises IndexError and never leaves the memory."""

from __future__ import annotations

from math import prod
from typing import Any

from dispatch_core.extend import check_index_shape, int32, int64
from dispatch_opencl import source
from dispatch_opencl.array import Array, common_device, empty
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import Dim
from dispatch_opencl.kernels.cast import cast, fitting
from dispatch_opencl.kinds import FAMILY, FLOAT, Family, wide_dtype
from dispatch_opencl.launch import GEOMETRY_SIZE, Plan, Plans, geometry, typed


def _kernel(device: Device, family: Family, name: str) -> Any:
    found = _KERNELS.get((device, family, name))
    if found is None:
        text = source.filled(source.text("elementwise.cl") + source.text("index.cl"), F=family.name)
        found = typed(device.kernel([family], text, name), 4, GEOMETRY_SIZE)
        _KERNELS[device, family, name] = found
    return found


_KERNELS: dict[Any, Any] = {}


def _as_vector(array: Array) -> Array:
    """An array without dimensions as one of a single element."""
    return array if array.shape else array.view((1,), (1,), array.offset)


def _places(index: Array) -> Array:
    """An index of a dtype that the kernels read."""
    return index if index.dtype in (int32, int64) else cast(index, int64)


def _raise_if_wrong(device: Device, at: int, size: int) -> None:
    wrong = device.report.taken()
    if wrong is not None:
        raise IndexError(f"index {wrong} is out of bounds for dimension {at} with size {size}")


def _gather_plan(input: Array, at: int, index: Array) -> Plan:
    device = common_device((input, index))
    shape = index.shape
    strides = tuple(0 if d == at else s for d, s in enumerate(input.strides))
    out = (shape, _strides(shape), 0, input.dtype)
    launches = geometry(
        device,
        shape,
        [out, (shape, strides, input.offset, input.dtype),
         (shape, index.strides, index.offset, index.dtype)],
        1,
        whole=(input.shape[at], input.strides[at], 0, 0),
    )  # fmt: skip
    kernel = _kernel(device, FAMILY[input.dtype], "gather")
    return Plan(device, kernel, launches, shape, _strides(shape), input.dtype)


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(prod(shape[d + 1 :]) for d in range(len(shape)))


_GATHERS = Plans(_gather_plan)


def gather(input: Array, dim: int, index: Array) -> Array:
    """out[i][j] = input[index[i][j]][j] for dim 0, and likewise for other dimensions."""
    at = check_index_shape(input.shape, dim, index.shape)
    device = input.memory.device
    out = empty(device, input.dtype, index.shape)
    if not prod(index.shape):
        return out
    values, places = _as_vector(input), _as_vector(_places(index))
    size = values.shape[at]
    if not size:
        raise IndexError(f"index is out of bounds for dimension {at} with size 0")
    key = (values.dtype, device, values.shape, values.strides, values.offset, at, places.dtype,
           places.memory.device, places.shape, places.strides, places.offset)  # fmt: skip
    plan = _GATHERS.find(key, values, at, places)
    with device.lock:
        plan.run(
            out.memory.buffer, values.memory.buffer, places.memory.buffer, device.report.buffer
        )
        _raise_if_wrong(device, at, size)
    return out


def _scatter_plan(name: str, out: Array, at: int, index: Array, src: Array) -> Plan:
    device = common_device((out, index, src))
    lanes = device.profile.lanes(FAMILY[out.dtype])
    beside = next(
        (d for d in range(len(index.shape)) if d != at and _shared(out, index, src, d)), None
    )
    left_out = {at} if beside is None else {at, beside}
    width = 0 if beside is None else index.shape[beside]

    def rest(values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(v for d, v in enumerate(values) if d not in left_out)

    shape = rest(index.shape)
    launches = geometry(
        device,
        shape,
        [(shape, rest(a.strides), a.offset, a.dtype) for a in (out, index, src)],
        1,
        whole=(out.shape[at], out.strides[at], width, 0),
        inner=Dim(index.shape[at], (0, index.strides[at], src.strides[at])),
    )
    if width:
        launches = [((-(-width // lanes), grid[1]), constants) for grid, constants in launches]
        name = f"{name}_side_by_side"
    kernel = _kernel(device, FAMILY[out.dtype], name)
    return Plan(device, kernel, launches, out.shape, out.strides, out.dtype)


def _shared(out: Array, index: Array, src: Array, d: int) -> bool:
    """Whether lines that lie side by side in a dimension have the same index."""
    return (
        index.strides[d] == 0
        and out.strides[d] == src.strides[d] == 1
        and index.shape[d] > 1
        and not FAMILY[out.dtype].parts
    )


_SCATTERS = Plans(_scatter_plan)


def _scatter(name: str) -> Any:
    adds = name == "scatter_add"

    def scatter(input: Array, dim: int, index: Array, src: Array) -> Array:
        at = check_index_shape(input.shape, dim, index.shape)
        # What is added often keeps its digits.
        wide = wide_dtype(input.dtype) if adds and FAMILY[input.dtype] is FLOAT else input.dtype
        out = input.copied() if wide is input.dtype else cast(input, wide).copied()
        if not prod(index.shape):
            return out if wide is input.dtype else cast(out, input.dtype)
        target, places, values = (_as_vector(a) for a in (out, _places(index), fitting(src, out)))
        if len(values.shape) != len(places.shape) or any(
            n > m for n, m in zip(places.shape, values.shape, strict=True)
        ):
            raise ValueError(f"src has shape {src.shape}, smaller than the index's {index.shape}")
        device = target.memory.device
        size = target.shape[at]
        if not size:
            raise IndexError(f"index is out of bounds for dimension {at} with size 0")
        key = (name, target.dtype, device, target.shape, at, places.dtype, places.memory.device,
               places.shape, places.strides, places.offset, values.dtype, values.memory.device,
               values.strides, values.offset)  # fmt: skip
        plan = _SCATTERS.find(key, name, target, at, places, values)
        with device.lock:
            plan.run(
                out.memory.buffer, places.memory.buffer, values.memory.buffer, device.report.buffer
            )
            _raise_if_wrong(device, at, size)
        return out if wide is input.dtype else cast(out, input.dtype)

    scatter.__name__ = scatter.__qualname__ = name
    return scatter


KERNELS = {
    "gather": gather,
    "scatter_add": _scatter("scatter_add"),
    "scatter_src": _scatter("scatter_src"),
}
