"""Convolutions of one and two dimensions on CPUs: forward, transposed, and for the weight."""

from __future__ import annotations

import struct
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pyopencl as cl

from dispatch_core.extend import dtype
from dispatch_opencl import source
from dispatch_opencl.array import Array, common_device, empty, is_whole
from dispatch_opencl.device import Device
from dispatch_opencl.kernels.cast import cast, fitting
from dispatch_opencl.kernels.reduce import KERNELS as REDUCTIONS
from dispatch_opencl.kinds import CODE, FAMILY, Family, wide_dtype
from dispatch_opencl.launch import typed

Ints = tuple[int, ...]
ROWS = 6
TILE_O, TILE_K = 9, 8
"""Outputs and kernel elements that one work-item sums, as conv.cl has it."""
_ARRANGEMENT = struct.Struct("15q2i")
_CORRELATION = struct.Struct("13q2i")
_LOCAL = (1, 1, 1)


def _text(family: Family, lanes: int) -> str:
    rows = range(ROWS)
    sums = [(r, c) for r in range(3) for c in range(2)]
    text = source.filled(
        source.text("conv.cl"),
        POINTERS=" ".join(
            f"global const T_@F* w{r} = weight + (o + min({r}L, last)) * g.depth;" for r in rows
        ),
        ZEROS=", ".join(f"c{r} = 0" for r in rows),
        STEPS=" ".join(f"c{r} += w{r}[k] * z;" for r in rows),
        BIAS=" ".join(f"c{r} += b[min({r}L, last)];" for r in rows),
        STORES=" ".join(
            f"if ({r} <= last) vstore@N(c{r}, 0, to + (o + {r}) * g.height * g.width + place);"
            for r in rows
        ),
        SPILLS=" ".join(f"vstore@N(c{r}, {r}, t);" for r in rows),
        LOADED=", ".join(f"s{r}{c} = sums[tile + {2 * r + c}]" for r, c in sums),
        KEPT=" ".join(f"sums[tile + {2 * r + c}] = s{r}{c};" for r, c in sums),
    )
    return text.replace("@F", family.name).replace("@N", str(lanes)).replace("@R", str(ROWS))


class _Kernels:
    def __init__(self, device: Device, family: Family) -> None:
        self.lanes = device.profile.lanes(family)
        text = _text(family, self.lanes)
        self.arrange = typed(device.kernel([family], text, "arrange"), 2, _ARRANGEMENT.size)
        self.correlate = typed(device.kernel([family], text, "correlate"), 5, _CORRELATION.size)
        self.weight = typed(device.kernel([family], text, "correlate_weight"), 4, _CORRELATION.size)


_KERNELS: dict[tuple[Device, Family], _Kernels] = {}


def _kernels(device: Device, given: dtype) -> _Kernels:
    key = (device, FAMILY[given])
    found = _KERNELS.get(key)
    if found is None:
        found = _KERNELS[key] = _Kernels(*key)
    return found


class Window(NamedTuple):
    """Geometry of a convolution over images of two dimensions."""

    kernel: Ints
    out: Ints
    stride: Ints
    low: Ints
    """Zeros before the image; negative ones cut off."""
    dilation: Ints
    spread: Ints
    """Distance of the image's elements, with zeros between them (transposed convolutions)."""

    @property
    def sizes(self) -> Ints:
        """Rows and columns of one phase of the arranged image."""
        return tuple(
            o + ((k - 1) * d) // s
            for o, k, s, d in zip(self.out, self.kernel, self.stride, self.dilation, strict=True)
        )

    def table(self, channels: int) -> Any:
        """Where in an arranged image each kernel element begins, for each channel and element."""
        rows, columns = self.sizes
        phases = prod(self.stride)
        plane = rows * columns
        places = []
        for i in range(self.kernel[0]):
            qh, ph = divmod(i * self.dilation[0], self.stride[0])
            for j in range(self.kernel[1]):
                qw, pw = divmod(j * self.dilation[1], self.stride[1])
                places.append((ph * self.stride[1] + pw) * plane + qh * columns + qw)
        within = np.arange(channels)[:, None] * (phases * plane) + np.array(places)
        return within.astype(np.int32).reshape(-1)


def _two(values: Any, fill: int) -> Ints:
    """Values for two dimensions; the first of them has no extent where only one is given."""
    given = tuple(int(v) for v in values)
    return given if len(given) == 2 else (fill, *given)


def _as_images(array: Array) -> Array:
    """(N, C, H, W) of (N, C, W)."""
    if len(array.shape) == 4:
        return array
    n, c, w = array.shape
    a, b, d = array.strides
    return array.view((n, c, 1, w), (a, b, w * d, d), array.offset)


class _Tables(dict[Any, Any]):
    """Tables on their devices, by geometry."""

    def of(self, device: Device, window: Window, channels: int) -> Any:
        """The buffer with the table of a geometry."""
        key = (device, window, channels)
        found = self.get(key)
        if found is None:
            if len(self) > 512:
                self.clear()
            flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
            found = cl.Buffer(device.context, flags, hostbuf=window.table(channels))
            self[key] = found
        return found


_TABLES = _Tables()


def _arranged(images: Array, window: Window, wide: dtype) -> Any:
    """The memory of the arranged images, with room for reading a vector past the end."""
    device = images.memory.device
    kernels = _kernels(device, wide)
    n, c, h, w = images.shape
    if images.strides[0] != c * images.strides[1]:
        images = images.copied()
    rows, columns = window.sizes
    phases = prod(window.stride)
    size = n * c * phases * rows * columns
    memory = device.pool.take((size + 4 * kernels.lanes + columns) * wide.itemsize)
    constants = _ARRANGEMENT.pack(
        n * c, h, w, images.strides[1], images.strides[2], images.strides[3], images.offset,
        *window.low, *window.spread, *window.stride, rows, columns, CODE[images.dtype], 0,
    )  # fmt: skip
    with device.lock:
        kernels.arrange(
            device.queue, (n * c, phases), (1, 1), memory.buffer, images.memory.buffer, constants
        )
    return memory


def _correlated(
    images: Array, weight: Array, bias: Array | None, window: Window, groups: int
) -> Array:
    """Correlate images (N, C, H, W) with weight (O, C/groups, kh, kw) in order: (N, O, *out)."""
    device = images.memory.device
    wide = wide_dtype(images.dtype)
    final = images.dtype
    kernels = _kernels(device, wide)
    lanes = kernels.lanes
    n, c = images.shape[:2]
    o = weight.shape[0]
    weight = cast(weight, wide) if weight.dtype is not wide else weight
    weight = weight if is_whole(weight) and not weight.offset else weight.copied()
    if bias is not None and (bias.dtype is not wide or not is_whole(bias) or bias.offset):
        bias = cast(bias.copied(), wide)
    arranged = _arranged(images, window, wide)
    rows, columns = window.sizes
    phases = prod(window.stride)
    height, width = window.out
    out = empty(device, wide, (n, o, height, width))
    each = c // groups
    depth = each * prod(window.kernel)
    places = (height - 1) * columns + width
    panels = -(-places // lanes)
    wanted = device.profile.workers * 4
    panels_each = max(1, min(8, panels * n * groups // wanted))
    parts = o // groups
    tasks = -(-panels // panels_each) * n * groups
    while tasks * -(-(o // groups) // parts) < wanted and parts > ROWS:
        parts = -(-parts // 2 // ROWS) * ROWS
    plane = phases * rows * columns
    constants = _CORRELATION.pack(
        n, groups, o // groups, depth, places, columns, c * plane, each * plane, height, width,
        panels_each, parts, 0, CODE[wide], bias is not None,
    )  # fmt: skip
    table = _TABLES.of(device, window, each)
    grid = (-(-panels // panels_each), -(-(o // groups) // parts), n * groups)
    with device.lock:
        kernels.correlate(
            device.queue, grid, _LOCAL, out.memory.buffer, arranged.buffer, weight.memory.buffer,
            (arranged if bias is None else bias.memory).buffer, table, constants,
        )  # fmt: skip
    return out if final is wide else cast(out, final)


def _checked(input: Array, weight: Array, bias: Array | None, groups: int, outputs: int) -> None:
    ndim = len(input.shape)
    if ndim != len(weight.shape) or (bias is not None and bias.shape != (outputs,)):
        raise ValueError(f"got shapes {input.shape} and {weight.shape}")
    common_device((input, weight, *(() if bias is None else (bias,))))
    if groups < 1 or input.shape[1] % groups:
        raise ValueError(f"{input.shape[1]} channels in {groups} groups")


def _shape(images: int, outputs: int, out: Ints) -> Ints:
    if any(n < 0 for n in out):
        raise ValueError(f"the kernel is larger than the image: sizes would be {out}")
    return (images, outputs, *out)


def convolution(
    input: Array, weight: Array, bias: Array | None, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Array:  # fmt: skip
    """Correlate (N, C, *spatial) with kernels (O, C/groups, *kernel): (N, O, *out)."""
    _checked(input, weight, bias, groups, weight.shape[0])
    if weight.shape[1] * groups != input.shape[1] or weight.shape[0] % groups:
        raise ValueError(f"got shapes {input.shape} and {weight.shape} in {groups} groups")
    images = _as_images(input)
    kernel = _two(weight.shape[2:], 1)
    steps, pads, gaps = _two(stride, 1), _two(padding, 0), _two(dilation, 1)
    out = tuple(
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, p, d, k, s in zip(images.shape[2:], pads, gaps, kernel, steps, strict=True)
    )
    window = Window(kernel, out, steps, pads, gaps, (1, 1))
    shape = _shape(input.shape[0], weight.shape[0], out[4 - len(input.shape) :])
    if not prod(shape):
        return empty(input.memory.device, input.dtype, shape)
    found = _correlated(images, weight, bias, window, groups)
    return Array(found.memory, found.dtype, shape)


def convolution_transpose(
    input: Array, weight: Array, bias: Array | None, stride: Any, padding: Any,
    output_padding: Any, dilation: Any, groups: int,
) -> Array:  # fmt: skip
    """The adjoint of `convolution`: (N, C, *), weight (C, O/groups, *kernel) -> (N, O, *out).

    A correlation of the input, its elements `stride` apart, with the kernels turned around.
    """
    per_group = weight.shape[1]
    _checked(input, weight, bias, groups, per_group * groups)
    if weight.shape[0] != input.shape[1]:
        raise ValueError(f"got shapes {input.shape} and {weight.shape}")
    images = _as_images(input)
    kernel = _two(weight.shape[2:], 1)
    steps, pads, gaps = _two(stride, 1), _two(padding, 0), _two(dilation, 1)
    extra = _two(output_padding, 0)
    out = tuple(
        (size - 1) * s - 2 * p + d * (k - 1) + e + 1
        for size, s, p, d, k, e in zip(
            images.shape[2:], steps, pads, gaps, kernel, extra, strict=True
        )
    )
    low = tuple(d * (k - 1) - p for d, k, p in zip(gaps, kernel, pads, strict=True))
    shape = _shape(input.shape[0], per_group * groups, out[4 - len(input.shape) :])
    if not prod(shape):
        return empty(input.memory.device, input.dtype, shape)
    window = Window(kernel, out, (1, 1), low, gaps, steps)
    found = _correlated(images, _turned(weight, kernel, groups), bias, window, groups)
    return Array(found.memory, found.dtype, shape)


def _turned(weight: Array, kernel: Ints, groups: int) -> Array:
    """(C, O/groups, *kernel) as (O, C/groups, *kernel) with the kernels turned around."""
    c, per_group = weight.shape[:2]
    sc, so, *spatial = weight.strides
    steps = (spatial[0] * kernel[1], *spatial) if len(spatial) == 1 else tuple(spatial)
    offset = weight.offset + sum((k - 1) * s for k, s in zip(kernel, steps, strict=True))
    turned: Any = weight.view(
        (groups, per_group, c // groups, *kernel),
        (c // groups * sc, so, sc, *(-s for s in steps)),
        offset,
    )
    copy = turned.copied()
    return Array(copy.memory, copy.dtype, (groups * per_group, c // groups, *kernel))


def convolution_weight(
    input: Array, grad_output: Array, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Array:  # fmt: skip
    """The gradient of `convolution` for its weight, (O, C/groups, *kernel_size)."""
    device = common_device((input, grad_output))
    images, grads = _as_images(input), _as_images(fitting(grad_output, input))
    wide = wide_dtype(input.dtype)
    kernels = _kernels(device, wide)
    lanes = kernels.lanes
    kernel = _two(kernel_size, 1)
    n, c = images.shape[:2]
    o, height, width = grads.shape[1:]
    if grads.shape[0] != n or groups < 1 or c % groups or o % groups:
        raise ValueError(f"got shapes {input.shape} and {grad_output.shape} in {groups} groups")
    shape = (o, c // groups, *tuple(int(k) for k in kernel_size))
    if not prod(shape) or not prod(grads.shape):
        return _zeros(device, input.dtype, shape)
    window = Window(
        kernel, (height, width), _two(stride, 1), _two(padding, 0), _two(dilation, 1), (1, 1)
    )
    arranged = _arranged(images, window, wide)
    rows, columns = window.sizes
    # Gradients in rows as long as the image's, zeros behind them, up to a multiple of a vector.
    grad_rows = -(-height * columns // lanes) * lanes
    fitted = _fitted(grads, columns, grad_rows, wide, kernels)
    each = c // groups
    depth = each * prod(kernel)
    tiles = (-(-depth // TILE_K), -(-(o // groups) // TILE_O))
    parts = max(1, min(n, -(-device.profile.workers * 8 // (prod(tiles) * groups))))
    images_each = -(-n // parts)
    parts = -(-n // images_each)
    plane = prod(window.stride) * rows * columns
    constants = _CORRELATION.pack(
        n, groups, o // groups, depth, grad_rows, columns, c * plane, each * plane, height, width,
        0, 0, images_each, CODE[wide], 0,
    )  # fmt: skip
    partial = empty(device, wide, (parts, prod(shape)))
    grid = (*tiles, groups * parts)
    with device.lock:
        kernels.weight(
            device.queue, grid, _LOCAL, partial.memory.buffer, arranged.buffer, fitted.buffer,
            _TABLES.of(device, window, each), constants,
        )  # fmt: skip
    total = partial if parts == 1 else REDUCTIONS["sum"](partial, 0, False)
    total = Array(total.memory, wide, shape)
    return total if input.dtype is wide else cast(total, input.dtype)


def _fitted(grads: Array, columns: int, size: int, wide: dtype, kernels: _Kernels) -> Any:
    """Planes of `size` places: rows of `columns`, the gradients first and then zeros."""
    device = grads.memory.device
    n, o, height, width = grads.shape
    if grads.strides[0] != o * grads.strides[1]:
        grads = grads.copied()
    memory = device.pool.take(n * o * size * wide.itemsize)
    constants = _ARRANGEMENT.pack(
        n * o, height, width, grads.strides[1], grads.strides[2], grads.strides[3], grads.offset,
        0, 0, 1, 1, 1, 1, height, columns, CODE[grads.dtype], size,
    )  # fmt: skip
    with device.lock:
        kernels.arrange(
            device.queue, (n * o, 1), (1, 1), memory.buffer, grads.memory.buffer, constants
        )
    return memory


def _zeros(device: Device, dtype: dtype, shape: Ints) -> Array:
    made = empty(device, dtype, shape)
    size = prod(shape) * dtype.itemsize
    if size:
        cl.enqueue_fill_buffer(device.queue, made.memory.buffer, np.zeros(1, np.uint8), 0, size)
    return made


def is_flat(input: Array, *_: Any) -> str | None:
    """None to take a call, or why not."""
    if not input.memory.device.profile.is_cpu:
        return "written for CPUs"
    return None if len(input.shape) in (3, 4) else "only for one and two dimensions"


KERNELS = {
    "convolution": (convolution, is_flat),
    "convolution_transpose": (convolution_transpose, is_flat),
    "convolution_weight": (convolution_weight, is_flat),
}
