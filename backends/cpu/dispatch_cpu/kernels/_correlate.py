"""Correlation of images with small kernels and its gradient for the kernel, in 1 to 3 dims."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dispatch_cpu.kernels._columns import (
    Geometry,
    batch_columns,
    image_columns,
    padded,
    reach,
    use_batch,
)
from dispatch_cpu.kernels._common import Array, Ints
from dispatch_cpu.kernels._depthwise import depthwise, depthwise_weight, is_depthwise


def correlate(
    x: Array,
    weight: Array,
    bias: Array | None,
    low: Ints,
    out: Ints,
    stride: Ints,
    dilation: Ints,
    groups: int,
) -> Array:
    """Correlate x (N, C, *spatial) with weight (O, C/groups, *kernel) to (N, O, *out).

    `low` zeros stand before each spatial dim (negative: that much is cropped) and as many after it
    as `out` windows need.
    """
    n, o = x.shape[0], weight.shape[0]
    if x.ndim == 5:
        x, low, stride, dilation, planes = _fold_depth(
            x, weight.shape[2], low, out, stride, dilation
        )
        weight = weight.reshape(o, weight.shape[1] * weight.shape[2], *weight.shape[3:])
        flat = correlate(x, weight, bias, low, out[1:], stride, dilation, groups)
        return np.ascontiguousarray(flat.reshape(n, planes, o, *out[1:]).swapaxes(1, 2))
    if x.ndim == 3:
        flat = correlate(
            x[:, :, None],
            weight[:, :, None],
            bias,
            (0, *low),
            (1, *out),
            (1, *stride),
            (1, *dilation),
            groups,
        )
        return flat.reshape(n, o, *out)
    g = Geometry(weight.shape[2:], out, low, stride, dilation, groups)
    if is_depthwise(x, weight, groups):
        return depthwise(x, weight, bias, g)
    if use_batch(g):
        return _correlate_batch(x, weight, bias, g)
    return _correlate_images(x, weight, bias, g)


def correlate_weight(
    x: Array, grad: Array, kernel: Ints, low: Ints, stride: Ints, dilation: Ints, groups: int
) -> Array:
    """The gradient of `correlate` for its weight, (O, C/groups, *kernel)."""
    o, per_group, out = grad.shape[1], x.shape[1] // groups, grad.shape[2:]
    if x.ndim == 5:
        x, low, stride, dilation, planes = _fold_depth(x, kernel[0], low, out, stride, dilation)
        grad = grad.swapaxes(1, 2).reshape(grad.shape[0] * planes, o, *out[1:])
        folded = correlate_weight(x, grad, kernel[1:], low, stride, dilation, groups)
        return folded.reshape(o, per_group, *kernel)
    if x.ndim == 3:
        flat = correlate_weight(
            x[:, :, None],
            grad[:, :, None],
            (1, *kernel),
            (0, *low),
            (1, *stride),
            (1, *dilation),
            groups,
        )
        return flat.reshape(o, per_group, *kernel)
    g = Geometry(kernel, out, low, stride, dilation, groups)
    if is_depthwise(x, grad[:1].swapaxes(0, 1), groups):
        return depthwise_weight(x, grad, g)
    if use_batch(g):
        return _weight_from_batch(x, grad, g)
    return _weight_from_images(x, grad, g)


def _correlate_images(x: Array, weight: Array, bias: Array | None, g: Geometry) -> Array:
    n, o = x.shape[0], weight.shape[0]
    kh, kw = g.kernel
    rows, columns = image_columns(x, g, o)
    per_group, length = o // g.groups, weight.shape[1] * rows * kw
    slabs = [
        weight[:, :, k : k + rows].reshape(g.groups, per_group, length) for k in range(0, kh, rows)
    ]
    offset = None if bias is None else bias.reshape(g.groups, per_group, 1)
    out = np.empty((n, g.groups, per_group, g.positions), x.dtype)
    part = np.empty(out.shape[1:], x.dtype)
    for image, matrices in zip(out, columns, strict=True):
        np.matmul(slabs[0], matrices[0], out=image)
        for slab, matrix in zip(slabs[1:], matrices[1:], strict=True):
            np.matmul(slab, matrix, out=part)
            image += part
        if offset is not None:
            image += offset
    return out.reshape(n, o, *g.out)


def _correlate_batch(x: Array, weight: Array, bias: Array | None, g: Geometry) -> Array:
    n, o = x.shape[0], weight.shape[0]
    per_group, size = o // g.groups, weight.shape[1] * g.kernel[0] * g.kernel[1]
    matrix = weight.reshape(g.groups, per_group, *weight.shape[1:]).transpose(0, 3, 4, 2, 1)
    matrix = matrix.reshape(g.groups, size, per_group)
    out = np.empty((n, g.groups, per_group, g.positions), x.dtype)
    for part, columns in batch_columns(x, g):
        product = np.matmul(columns, matrix)
        if bias is not None:
            product += bias.reshape(g.groups, 1, per_group)
        count = part.stop - part.start
        product = product.reshape(g.groups, count, g.positions, per_group)
        out[part] = product.transpose(1, 0, 3, 2)
    return out.reshape(n, o, *g.out)


def _weight_from_images(x: Array, grad: Array, g: Geometry) -> Array:
    n, o = grad.shape[:2]
    kh, kw = g.kernel
    rows, columns = image_columns(x, g, o)
    channels, per_group = x.shape[1] // g.groups, o // g.groups
    out = np.zeros((kh // rows, g.groups, per_group, channels * rows * kw), x.dtype)
    part = np.empty(out.shape[1:], x.dtype)
    for image, matrices in zip(
        grad.reshape(n, g.groups, per_group, g.positions), columns, strict=True
    ):
        for total, matrix in zip(out, matrices, strict=True):
            np.matmul(image, matrix.swapaxes(1, 2), out=part)
            total += part
    split = out.reshape(kh // rows, o, channels, rows, kw)
    return split.transpose(1, 2, 0, 3, 4).reshape(o, channels, kh, kw)


def _weight_from_batch(x: Array, grad: Array, g: Geometry) -> Array:
    n, o = grad.shape[:2]
    channels, per_group = x.shape[1] // g.groups, o // g.groups
    size = channels * g.kernel[0] * g.kernel[1]
    split = grad.reshape(n, g.groups, per_group, g.positions).transpose(1, 0, 3, 2)
    out = np.zeros((g.groups, size, per_group), x.dtype)
    for part, columns in batch_columns(x, g):
        rows = (part.stop - part.start) * g.positions
        out += np.matmul(columns.swapaxes(1, 2), split[:, part].reshape(g.groups, rows, per_group))
    split = out.reshape(g.groups, *g.kernel, channels, per_group).transpose(0, 4, 3, 1, 2)
    return split.reshape(o, channels, *g.kernel)


def _fold_depth(
    x: Array, kernel: int, low: Ints, out: Ints, stride: Ints, dilation: Ints
) -> tuple[Array, Ints, Ints, Ints, int]:
    """Turn depth into images and channels: (N * out, C * kernel, H, W), and what remains to do."""
    n, c, _, height, width = x.shape
    planes = out[0]
    depth = reach(planes, kernel, stride[0], dilation[0])
    x = padded(x, (low[0], 0, 0), (depth, height, width))
    s = x.strides
    steps = (s[0], s[2] * stride[0], s[1], s[2] * dilation[0], s[3], s[4])
    windows = as_strided(x, (n, planes, c, kernel, height, width), steps, writeable=False)
    folded = windows.reshape(n * planes, c * kernel, height, width)
    return folded, low[1:], stride[1:], dilation[1:], planes
