"""Maximum and mean over windows of one to three dimensions, and their gradients."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from dispatch_core.extend import float32, int64
from dispatch_opencl import source
from dispatch_opencl.array import Array, check_sizes, common_device, empty, is_whole
from dispatch_opencl.device import Device
from dispatch_opencl.kernels.cast import cast
from dispatch_opencl.kinds import CODE, FAMILY, FLOAT, Family
from dispatch_opencl.launch import typed

Ints = tuple[int, ...]
_POOL = struct.Struct("21q4i")
_BUFFERS = {"avg_pool": 2, "avg_pool_backward": 2, "max_pool": 3, "max_pool_backward": 4}
_KERNELS: dict[Any, Any] = {}


def _kernel(device: Device, family: Family, name: str) -> Any:
    found = _KERNELS.get((device, family, name))
    if found is None:
        text = source.filled(source.text("pool.cl"), F=family.name)
        found = typed(device.kernel([family], text, name), _BUFFERS[name], _POOL.size)
        _KERNELS[device, family, name] = found
    return found


def pooled_size(n: int, window: int, stride: int, padding: int, gap: int, ceil: bool) -> int:
    """How many windows there are; with `ceil` the last may reach beyond, if it begins inside."""
    if window < 1 or stride < 1 or gap < 1:
        raise ValueError(f"window {window}, stride {stride}, dilation {gap}: expected at least 1")
    span = n + 2 * padding - gap * (window - 1) - 1
    count = (span + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (count - 1) * stride >= n + padding:
        count -= 1
    if count < 0:
        raise ValueError(f"a window of {window} is larger than {n} elements")
    return count


def _three(values: Any, fill: int) -> Ints:
    return (fill,) * (3 - len(values)) + tuple(int(v) for v in values)


def _constants(
    device: Device, like: Array, planes: int, tasks: int, size: Any, out: Any, window: Any,
    stride: Any, padding: Any, dilation: Any, divisor: int = 0, count_padding: bool = False,
) -> tuple[bytes, tuple[int, int]]:  # fmt: skip
    work = max(prod(window) * prod(out) * planes // max(tasks, 1), 1)
    each = max(1, min(device.profile.chunk // work, tasks // (device.profile.workers * 4)))
    packed = _POOL.pack(
        planes, each, *_three(size, 1), *_three(out, 1), *_three(window, 1), *_three(stride, 1),
        *_three(padding, 0), *_three(dilation, 1), divisor, CODE[like.dtype], CODE[int64],
        count_padding, 0,
    )  # fmt: skip
    return packed, (-(-tasks // each), 1)


def _whole(array: Array) -> Array:
    return array if is_whole(array) and not array.offset else array.copied()


def _run(name: str, like: Array, grid: Any, buffers: Any, constants: bytes) -> None:
    device = like.memory.device
    kernel = _kernel(device, FAMILY[like.dtype], name)
    with device.lock:
        kernel(device.queue, grid, device.profile.local, *buffers, constants)


def max_pool(
    input: Array, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Array, Array]:
    """The largest value of each window of (N, C, *spatial), and its flat position in the plane."""
    input = _whole(input)
    device = input.memory.device
    nd = len(kernel_size)
    size = input.shape[len(input.shape) - nd :]
    geometry = zip(size, kernel_size, stride, padding, dilation, strict=True)
    out = tuple(pooled_size(*each, ceil_mode) for each in geometry)
    shape = (*input.shape[: len(input.shape) - nd], *out)
    values, index = empty(device, input.dtype, shape), empty(device, int64, shape)
    if prod(shape):
        planes = prod(shape) // prod(out)
        constants, grid = _constants(
            device, input, planes, prod(shape), size, out, kernel_size, stride, padding, dilation
        )
        buffers = (values.memory.buffer, index.memory.buffer, input.memory.buffer)
        _run("max_pool", input, grid, buffers, constants)
    return values, index


def max_pool_backward(grad: Array, indices: Array, input_shape: Any) -> Array:
    """Each value put where `indices` says in its plane of zeros; those of one place are added."""
    shape = tuple(input_shape)
    if indices.shape != grad.shape or grad.shape[:2] != shape[:2]:
        raise ValueError(f"got shapes {grad.shape}, {indices.shape} and {shape}")
    device = common_device((grad, indices))
    half = FAMILY[grad.dtype] is FLOAT and grad.dtype is not float32
    wide = cast(grad, float32) if half else grad  # what is added often keeps its digits
    wide = _whole(wide)
    indices = _whole(indices if indices.dtype is int64 else cast(indices, int64))
    out = empty(device, wide.dtype, shape)
    planes, size, volume = prod(shape[:2]), prod(shape[2:]), prod(grad.shape[2:])
    if prod(shape):
        constants, grid = _constants(
            device, wide, planes, planes, (1, 1), (1, 1), (1,), (1,), (0,), (1,)
        )
        fields = list(_POOL.unpack(constants))
        fields[2], fields[5] = size, volume
        buffers = (
            out.memory.buffer, wide.memory.buffer, indices.memory.buffer, device.report.buffer
        )  # fmt: skip
        with device.lock:
            _run("max_pool_backward", wide, grid, buffers, _POOL.pack(*fields))
            wrong = device.report.taken()
        if wrong is not None:
            raise IndexError(f"index {wrong} is out of bounds for a plane of {size} elements")
    return cast(out, grad.dtype) if half else out


def avg_pool(
    input: Array, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Array:  # fmt: skip
    """The mean of each window of (N, C, *spatial)."""
    input = _whole(input)
    nd = len(kernel_size)
    size = input.shape[len(input.shape) - nd :]
    geometry = zip(size, kernel_size, stride, padding, strict=True)
    out = tuple(pooled_size(n, k, s, p, 1, ceil_mode) for n, k, s, p in geometry)
    shape = (*input.shape[: len(input.shape) - nd], *out)
    values = empty(input.memory.device, input.dtype, shape)
    if prod(shape):
        constants, grid = _constants(
            input.memory.device, input, prod(shape) // prod(out), prod(shape), size, out,
            kernel_size, stride, padding, (1,) * nd, divisor_override or 0, count_include_pad,
        )  # fmt: skip
        _run("avg_pool", input, grid, (values.memory.buffer, input.memory.buffer), constants)
    return values


def avg_pool_backward(
    grad: Array, input_shape: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Array:  # fmt: skip
    """Spread each gradient over its window."""
    half = FAMILY[grad.dtype] is FLOAT and grad.dtype is not float32
    wide = _whole(cast(grad, float32) if half else grad)
    nd = len(kernel_size)
    shape = tuple(input_shape)
    size, out = shape[len(shape) - nd :], grad.shape[len(grad.shape) - nd :]
    made = empty(grad.memory.device, wide.dtype, shape)
    planes = prod(shape[: len(shape) - nd])
    check_sizes(grad=(grad, planes * prod(out)))
    if prod(shape):
        constants, grid = _constants(
            grad.memory.device, wide, planes, planes, size, out, kernel_size, stride, padding,
            (1,) * nd, divisor_override or 0, count_include_pad,
        )  # fmt: skip
        _run("avg_pool_backward", wide, grid, (made.memory.buffer, wide.memory.buffer), constants)
    return cast(made, grad.dtype) if half else made


def is_spatial(input: Array, *rest: Any) -> str | None:
    """None to take a call, or why not."""
    return None if len(input.shape) in (3, 4, 5) else "only for one to three dimensions"


def no_override_of_zero(*given: Any) -> str | None:
    """The same for means, whose divisor of zero the definition computes with."""
    return "a divisor of 0" if given[-1] == 0 else is_spatial(*given)


KERNELS = {
    "avg_pool": (avg_pool, no_override_of_zero),
    "avg_pool_backward": (avg_pool_backward, no_override_of_zero),
    "max_pool": (max_pool, is_spatial),
    "max_pool_backward": (max_pool_backward, is_spatial),
}
