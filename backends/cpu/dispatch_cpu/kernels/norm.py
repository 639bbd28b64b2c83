"""Normalisation kernels: batch, layer and group norm with gradients, in cache-sized blocks."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from dispatch_cpu.kernels._common import Array, Ints, accumulate_in_float32

BLOCK_BYTES = 1 << 18
SHORT_ROW = 64  # below this a per-channel factor is repeated along the row first


@accumulate_in_float32(keep=(1, 2))
def native_batch_norm(
    input: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Normalise each channel over all other dims; biased variance.

    input (N, C, *), weight and bias (C) or None -> out, mean (C), 1 / sqrt(var + eps) (C).
    The variance joins that of each block to that of the blocks' means (Chan et al. 1983), so
    that one pass over memory suffices and nothing cancels.
    """
    x = _images(input)
    _, c, length = x.shape
    counts, means, squares = [], [], []
    for part in _blocks(x):
        rows = x[part]
        counts.append(rows.shape[0] * length)
        mean = _channel_sums(rows) / x.dtype.type(counts[-1])
        centred = _rows_of(rows) - _per_channel(mean, length)
        means.append(mean)
        squares.append(_channel_products(centred.reshape(rows.shape), centred.reshape(rows.shape)))
    mean, var = _joined(counts, means, squares, c)
    rstd = (1 / np.sqrt(var + eps)).astype(x.dtype)
    mean = mean.astype(x.dtype)
    scale = rstd if weight is None else rstd * weight
    centre, factor = _per_channel(mean, length), _per_channel(scale, length)
    offset = None if bias is None else _per_channel(bias, length)
    out = np.empty_like(x)
    for part in _blocks(x):
        result = _rows_of(out[part])
        np.subtract(_rows_of(x[part]), centre, out=result)
        result *= factor
        if offset is not None:
            result += offset
    return out.reshape(input.shape), mean, rstd


@accumulate_in_float32()
def batch_norm_backward(
    grad: Array, input: Array, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `native_batch_norm` for input, weight and bias.

    grad, input (N, C, *); weight (C) or None; mean, rstd (C) as the forward returned them.
    """
    g, x = _images(grad), _images(input)
    n, c, length = x.shape
    grad_bias = np.zeros(c, x.dtype)
    grad_scaled = np.zeros(c, x.dtype)  # sum of g * (x - mean)
    centre = _per_channel(mean, length)
    for part in _blocks(x):
        centred = _rows_of(x[part]) - centre
        grad_bias += _channel_sums(g[part])
        grad_scaled += _channel_products(g[part], centred.reshape(g[part].shape))
    grad_weight = grad_scaled * rstd
    count = n * length or 1
    first = rstd if weight is None else rstd * weight
    second = -first * rstd * grad_weight / count
    third = -first * grad_bias / count
    out = np.empty_like(x)
    first, second, third = (_per_channel(values, length) for values in (first, second, third))
    for part in _blocks(x):
        result = _rows_of(out[part])
        np.subtract(_rows_of(x[part]), centre, out=result)
        result *= second
        result += _rows_of(g[part]) * first
        result += third
    return out.reshape(input.shape), grad_weight, grad_bias


@accumulate_in_float32(keep=(1, 2))
def native_layer_norm(
    input: Array, normalized_shape: Ints, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Normalise over the last dims. input (*lead, *normalized_shape).

    -> out, mean and 1 / sqrt(var + eps), both (*lead, 1, ..., 1).
    """
    lead = input.shape[: input.ndim - len(normalized_shape)]
    length = prod(normalized_shape)
    x = np.ascontiguousarray(input).reshape(prod(lead), length)
    out = np.empty_like(x)
    mean = np.empty((x.shape[0], 1), x.dtype)
    rstd = np.empty_like(mean)
    for part in _blocks(x):
        result = out[part]
        mean[part, 0] = _row_sums(x[part]) / length
        np.subtract(x[part], mean[part], out=result)
        rstd[part, 0] = 1 / np.sqrt(np.vecdot(result, result) / length + eps)
        result *= rstd[part]
        if weight is not None:
            result *= weight.reshape(-1)
        if bias is not None:
            result += bias.reshape(-1)
    kept = (*lead, *(1,) * len(normalized_shape))
    return out.reshape(input.shape), mean.reshape(kept), rstd.reshape(kept)


@accumulate_in_float32()
def layer_norm_backward(
    grad: Array,
    input: Array,
    normalized_shape: Ints,
    weight: Array | None,
    mean: Array,
    rstd: Array,
) -> tuple[Array, Array, Array]:
    """Gradients of `native_layer_norm` for input, weight and bias (shaped normalized_shape)."""
    length = prod(normalized_shape)
    x = np.ascontiguousarray(input).reshape(-1 if length else 0, length)
    g = np.ascontiguousarray(grad).reshape(x.shape)
    mean, rstd = mean.reshape(-1, 1), rstd.reshape(-1, 1)
    out = np.empty_like(x)
    grad_weight = np.zeros(length, x.dtype)
    grad_bias = np.zeros(length, x.dtype)
    for part in _blocks(x):
        rows, result = g[part], out[part]
        ones = np.ones(rows.shape[0], x.dtype)
        unit = x[part] - mean[part]
        unit *= rstd[part]
        np.multiply(rows, unit, out=result)
        grad_weight += ones @ result
        grad_bias += ones @ rows
        weighted = rows if weight is None else rows * weight.reshape(-1)
        slope = np.vecdot(weighted, unit)[:, None] / length
        level = _row_sums(weighted)[:, None] / length
        unit *= slope
        unit += level
        np.subtract(weighted, unit, out=result)
        result *= rstd[part]
    shape = normalized_shape
    return out.reshape(input.shape), grad_weight.reshape(shape), grad_bias.reshape(shape)


@accumulate_in_float32(keep=(1, 2))
def native_group_norm(
    input: Array, num_groups: int, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Normalise each image's groups of channels. input (N, C, *), weight and bias (C) or None.

    -> out, mean and 1 / sqrt(var + eps), both (N, num_groups).
    """
    x = _images(input)
    n, c, pixels = x.shape
    length = c // num_groups * pixels
    out = np.empty_like(x)
    mean = np.empty((n, num_groups), x.dtype)
    rstd = np.empty_like(mean)
    for part in _blocks(x):
        rows = x[part]
        rows = rows.reshape(len(rows), num_groups, length)
        result = out[part].reshape(rows.shape)
        mean[part] = _row_sums(rows) / length
        np.subtract(rows, mean[part][..., None], out=result)
        rstd[part] = 1 / np.sqrt(np.vecdot(result, result) / length + eps)
        scale = np.repeat(rstd[part], c // num_groups, axis=1)
        images = out[part]
        images *= (scale if weight is None else scale * weight)[..., None]
        if bias is not None:
            images += bias[:, None]
    return out.reshape(input.shape), mean, rstd


@accumulate_in_float32()
def group_norm_backward(
    grad: Array, input: Array, num_groups: int, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `native_group_norm` for input, weight and bias."""
    g, x = _images(grad), _images(input)
    _, c, pixels = x.shape
    per_group = c // num_groups
    length = per_group * pixels or 1
    out = np.empty_like(x)
    gain = np.ones(c, x.dtype) if weight is None else weight
    grad_weight = np.zeros(c, x.dtype)
    grad_bias = np.zeros(c, x.dtype)
    for part in _blocks(x):
        rows, images = out[part].reshape(-1, num_groups, length), out[part]
        shift, scale = mean[part][..., None], rstd[part]
        np.subtract(x[part].reshape(rows.shape), shift, out=rows)
        sums = _row_sums(g[part])
        products = np.vecdot(g[part], images)
        by_channel = np.repeat(scale, per_group, axis=1)
        grad_bias += sums.sum(0)
        grad_weight += (products * by_channel).sum(0)
        level = (sums * gain).reshape(-1, num_groups, per_group).sum(2) / length
        slope = (products * gain).reshape(-1, num_groups, per_group).sum(2) / length
        rows *= (-(scale**3) * slope)[..., None]
        rows -= (scale * level)[..., None]
        images += g[part] * (by_channel * gain)[..., None]
    return out.reshape(input.shape), grad_weight, grad_bias


def _images(x: Array) -> Array:
    """(N, C, *) as contiguous (N, C, pixels)."""
    return np.ascontiguousarray(x).reshape(*x.shape[:2], prod(x.shape[2:]))


def _blocks(x: Array) -> Iterator[slice]:
    """Slices of the first dim that stay in the second-level cache."""
    step = max(1, BLOCK_BYTES // max(1, prod(x.shape[1:]) * x.itemsize))
    for begin in range(0, x.shape[0], step):
        yield slice(begin, min(begin + step, x.shape[0]))


def _row_sums(rows: Array) -> Array:
    """Sums over the last dim, by BLAS: a third of the time of numpy's own reduction."""
    return rows @ np.ones(rows.shape[-1], rows.dtype)


def _joined(
    counts: list[int], means: list[Array], squares: list[Array], channels: int
) -> tuple[Array, Array]:
    """Mean and variance of all from counts, means and sums of squared deviations of the parts."""
    if not sum(counts):
        return np.full(channels, np.nan), np.full(channels, np.nan)
    weights = np.array(counts, np.float64) / sum(counts)
    centres = np.array(means, np.float64)
    mean = weights @ centres
    within = np.array(squares, np.float64).sum(0) / sum(counts)
    return mean, within + weights @ np.square(centres - mean)


def _channel_sums(images: Array) -> Array:
    """Sums of (N, C, pixels) over all but C."""
    n, c, length = images.shape
    if length >= SHORT_ROW:
        return _row_sums(images).sum(0)
    return (np.ones(n, images.dtype) @ _rows_of(images)).reshape(c, length).sum(1)


def _channel_products(a: Array, b: Array) -> Array:
    """Sums of a * b, both (N, C, pixels), over all but C."""
    if a.shape[2] >= SHORT_ROW:
        return np.vecdot(a, b).sum(0)
    return _channel_sums(a * b)


def _per_channel(values: Array, length: int) -> Array:
    """Channel values as a factor of `_rows_of`: short rows meet them repeated."""
    return np.repeat(values, length) if length < SHORT_ROW else values[:, None]


def _rows_of(images: Array) -> Array:
    """(N, C, pixels) as it is, or (N, C * pixels) where a row is short: one long inner loop."""
    n, c, length = images.shape
    return images.reshape(n, c * length) if length < SHORT_ROW else images
