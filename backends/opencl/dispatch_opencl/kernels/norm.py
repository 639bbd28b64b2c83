"""Layer and batch normalisation with their gradients."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from dispatch_core.extend import dtype
from dispatch_opencl import source
from dispatch_opencl.array import Array, check_sizes, common_device, empty, is_whole
from dispatch_opencl.device import Device
from dispatch_opencl.kernels.cast import cast, fitting
from dispatch_opencl.kernels.reduce import KERNELS as REDUCTIONS
from dispatch_opencl.kinds import CODE, DOUBLE, FAMILY, Family, wide_dtype
from dispatch_opencl.launch import typed

_BUFFERS = {
    "layer_norm": 6, "layer_norm_input": 6, "layer_norm_weight": 5, "batch_statistics": 3,
    "batch_norm": 6, "batch_sums": 6, "batch_input": 8,
}  # fmt: skip
_SINGLE, _DOUBLE = struct.Struct("6q6iqff"), struct.Struct("6q6iqdd")
_KERNELS: dict[Any, Any] = {}
_PARTS = 16


def _kernel(device: Device, family: Family, name: str) -> Any:
    found = _KERNELS.get((device, family, name))
    if found is None:
        lanes = device.profile.lanes(family)
        text = source.filled(source.text("norm.cl"), F=family.name, N=lanes, T=family.scalar)
        size = (_DOUBLE if family is DOUBLE else _SINGLE).size
        found = typed(device.kernel([family], text, name), _BUFFERS[name], size)
        _KERNELS[device, family, name] = found
    return found


class _Call:
    """One call: its constants, and the kernels of the input's family."""

    def __init__(
        self,
        input: Array,
        images: int,
        channels: int,
        length: int,
        *,
        weight: Array | None = None,
        bias: Array | None = None,
        grad: Array | None = None,
        statistics: dtype | None = None,
        eps: float = 0.0,
    ) -> None:
        given = [a for a in (weight, bias, grad) if a is not None]
        self.device = common_device((input, *given))
        self.family = FAMILY[input.dtype]
        self.wide = wide_dtype(input.dtype)
        self.lanes = self.device.profile.lanes(self.family)
        rows = images * channels
        self.each = max(
            1, min(self.device.profile.chunk // max(length, 1),
                   rows // (self.device.profile.workers * 4))
        )  # fmt: skip
        self.images_each = -(-images // _PARTS)
        packing = _DOUBLE if self.family is DOUBLE else _SINGLE
        self.constants = packing.pack(
            images, channels, length, self.each, _PARTS, self.images_each, CODE[input.dtype],
            CODE[(weight or input).dtype], CODE[(bias or input).dtype],
            CODE[statistics or self.wide], weight is not None, bias is not None,
            CODE[(grad or input).dtype], eps, 0.0,
        )  # fmt: skip

    def run(self, name: str, grid: tuple[int, int], *arrays: Array | None) -> None:
        """Enqueue a kernel; an array that is not there is stood in for by the first."""
        buffers = [(arrays[0] if a is None else a).memory.buffer for a in arrays]  # type: ignore[union-attr]
        kernel = _kernel(self.device, self.family, name)
        with self.device.lock:
            kernel(self.device.queue, grid, self.device.profile.local, *buffers, self.constants)


def _whole(array: Array) -> Array:
    """The array, or a copy, from the beginning of its memory on without gaps."""
    return array if is_whole(array) and not array.offset else array.copied()


def _parameter(array: Array | None, input: Array) -> Array | None:
    return None if array is None else _whole(fitting(array, input))


def _split(input: Array, normalized_shape: Any) -> tuple[tuple[int, ...], int]:
    shape = tuple(normalized_shape)
    if input.shape[len(input.shape) - len(shape) :] != shape:
        raise ValueError(f"got shapes {input.shape} and {shape}")
    return input.shape[: len(input.shape) - len(shape)], prod(shape)


def native_layer_norm(
    input: Array, normalized_shape: Any, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Normalised over the last dimensions; also mean and 1 / sqrt(var + eps), (*, 1, ..., 1)."""
    lead, length = _split(input, normalized_shape)
    input, weight, bias = _whole(input), _parameter(weight, input), _parameter(bias, input)
    rows = prod(lead)
    check_sizes(weight=(weight, length), bias=(bias, length))
    call = _Call(input, rows, 1, length, weight=weight, bias=bias, eps=eps)
    out = empty(call.device, input.dtype, input.shape)
    kept = (*lead, *(1,) * len(normalized_shape))
    mean, rstd = (empty(call.device, call.wide, kept) for _ in range(2))
    if rows:
        call.run("layer_norm", (-(-rows // call.each), 1), out, mean, rstd, input, weight, bias)
    return out, mean, rstd


def layer_norm_backward(
    grad: Array, input: Array, normalized_shape: Any, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `native_layer_norm` for input, weight and bias."""
    lead, length = _split(input, normalized_shape)
    input = _whole(input)
    weight = _parameter(weight, input)
    grad, mean, rstd = (_whole(fitting(a, input)) for a in (grad, mean, rstd))
    rstd = rstd if rstd.dtype is mean.dtype else cast(rstd, mean.dtype)
    rows = prod(lead)
    check_sizes(
        grad=(grad, rows * length), weight=(weight, length), mean=(mean, rows), rstd=(rstd, rows)
    )
    call = _Call(input, rows, 1, length, weight=weight, grad=grad, statistics=mean.dtype)
    out = empty(call.device, input.dtype, input.shape)
    parts = empty(call.device, call.wide, (-(-rows // call.images_each) if rows else 0, 2, length))
    if rows and length:
        call.run(
            "layer_norm_input", (-(-rows // call.each), 1), out, grad, input, weight, mean, rstd
        )
        call.run(
            "layer_norm_weight", (-(-length // call.lanes), parts.shape[0]), parts, grad, input,
            mean, rstd,
        )  # fmt: skip
    sums = REDUCTIONS["sum"](parts, 0, False)
    shape = tuple(normalized_shape)
    products, totals = (
        Array(sums.memory, call.wide, shape, None, at * length, sums) for at in range(2)
    )
    return out, cast(products, input.dtype), cast(totals, input.dtype)


def native_batch_norm(
    input: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Each channel of (N, C, *) normalised; also the mean and 1 / sqrt(var + eps), both (C)."""
    input, weight, bias = _whole(input), _parameter(weight, input), _parameter(bias, input)
    n, c = input.shape[:2]
    length = prod(input.shape[2:])
    check_sizes(weight=(weight, c), bias=(bias, c))
    call = _Call(input, n, c, length, weight=weight, bias=bias, eps=eps)
    out = empty(call.device, input.dtype, input.shape)
    mean, rstd = (empty(call.device, call.wide, (c,)) for _ in range(2))
    if c:
        call.run("batch_statistics", (c, 1), mean, rstd, input)
    if prod(input.shape):
        call.run("batch_norm", (-(-n * c // call.each), 1), out, input, weight, bias, mean, rstd)
    return out, mean, rstd


def batch_norm_backward(
    grad: Array, input: Array, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `native_batch_norm` for input, weight and bias."""
    input = _whole(input)
    weight = _parameter(weight, input)
    grad, mean, rstd = (_whole(fitting(a, input)) for a in (grad, mean, rstd))
    rstd = rstd if rstd.dtype is mean.dtype else cast(rstd, mean.dtype)
    n, c = input.shape[:2]
    length = prod(input.shape[2:])
    check_sizes(grad=(grad, n * c * length), weight=(weight, c), mean=(mean, c), rstd=(rstd, c))
    call = _Call(input, n, c, length, weight=weight, grad=grad, statistics=mean.dtype)
    out = empty(call.device, input.dtype, input.shape)
    products, sums = (empty(call.device, call.wide, (c,)) for _ in range(2))
    if c:
        call.run("batch_sums", (c, 1), products, sums, grad, input, mean, rstd)
    if prod(input.shape):
        call.run(
            "batch_input", (-(-n * c // call.each), 1), out, grad, input, weight, mean, rstd,
            products, sums,
        )  # fmt: skip
    narrow = [a if a.dtype is input.dtype else cast(a, input.dtype) for a in (products, sums)]
    return out, narrow[0], narrow[1]


KERNELS = {
    "batch_norm_backward": batch_norm_backward,
    "layer_norm_backward": layer_norm_backward,
    "native_batch_norm": native_batch_norm,
    "native_layer_norm": native_layer_norm,
}
