"""Correlation with one kernel a channel, by shifted multiply-adds."""

from __future__ import annotations

import numpy as np

from dispatch_cpu.kernels._columns import Geometry, padded, reach
from dispatch_cpu.kernels._common import Array


def is_depthwise(x: Array, weight: Array, groups: int) -> bool:
    """Whether every channel is correlated with one kernel of its own."""
    return groups > 1 and groups == x.shape[1] == weight.shape[0]


def _frame(x: Array, g: Geometry) -> tuple[Array, int]:
    """The padded image, and the width at which rows are laid: all of it where rows may run on.

    With a horizontal stride of one, a shifted image is one slice of the flat padded image; what
    lies between two rows of the result is computed too and dropped.
    """
    rows, cols = map(reach, g.out, g.kernel, g.stride, g.dilation)
    if g.stride == (1, 1):
        # one spare row, as the last shifted slice runs past the last row
        return np.ascontiguousarray(padded(x, g.low, (rows + 1, cols))), cols
    return padded(x, g.low, (rows, cols)), g.out[1]


def _shifted(image: Array, g: Geometry, kh: int, kw: int) -> Array:
    """What kernel element (kh, kw) meets, (C, out rows, laid width) or (C, out rows, out cols)."""
    top, left = kh * g.dilation[0], kw * g.dilation[1]
    if g.stride == (1, 1):
        width = image.shape[-1]
        start = top * width + left
        return image.reshape(image.shape[0], -1)[:, start : start + g.out[0] * width]
    rows = slice(top, top + (g.out[0] - 1) * g.stride[0] + 1, g.stride[0])
    cols = slice(left, left + (g.out[1] - 1) * g.stride[1] + 1, g.stride[1])
    return image[:, rows, cols].reshape(image.shape[0], -1)


def depthwise(x: Array, weight: Array, bias: Array | None, g: Geometry) -> Array:
    """Correlate each channel of x (N, C, H, W) with its kernel in weight (C, 1, *kernel)."""
    n, c = x.shape[:2]
    out = np.empty((n, c, *g.out), x.dtype)
    if not out.size:
        return out
    frame, width = _frame(x, g)
    total = np.empty((c, g.out[0] * width), x.dtype)
    part = np.empty_like(total)
    offset = np.zeros((c, 1), x.dtype) if bias is None else bias[:, None]
    for image, result in zip(frame, out, strict=True):
        total[...] = offset
        for kh in range(g.kernel[0]):
            for kw in range(g.kernel[1]):
                np.multiply(_shifted(image, g, kh, kw), weight[:, 0, kh, kw, None], out=part)
                np.add(total, part, out=total)
        result[...] = total.reshape(c, g.out[0], width)[:, :, : g.out[1]]
    return out


def depthwise_weight(x: Array, grad: Array, g: Geometry) -> Array:
    """The gradient of `depthwise` for its weight, (C, 1, *kernel)."""
    c = x.shape[1]
    total = np.zeros((*g.kernel, c), x.dtype)
    if not grad.size:
        return total.transpose(2, 0, 1)[:, None]
    frame, width = _frame(x, g)
    laid = np.zeros((c, g.out[0], width), x.dtype)
    flat = laid.reshape(c, 1, g.out[0] * width)
    for image, g_image in zip(frame, grad, strict=True):
        laid[:, :, : g.out[1]] = g_image
        for kh in range(g.kernel[0]):
            for kw in range(g.kernel[1]):
                shifted = _shifted(image, g, kh, kw)[:, :, None]
                total[kh, kw] += np.matmul(flat, shifted)[:, 0, 0]
    return np.ascontiguousarray(total.transpose(2, 0, 1)[:, None])
