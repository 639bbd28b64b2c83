"""Convolution kernels: forward, transposed (which is the gradient for the input), and weight."""

from __future__ import annotations

from itertools import product
from math import gcd
from typing import NamedTuple

import numpy as np

from dispatch_cpu.kernels._common import Array, Ints, accumulate_in_float32
from dispatch_cpu.kernels._correlate import correlate, correlate_weight


@accumulate_in_float32()
def convolution(
    input: Array,
    weight: Array,
    bias: Array | None,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> Array:
    """Correlate images with kernels.

    input (N, C, *spatial), weight (O, C/groups, *kernel), bias (O) or None -> (N, O, *out).
    """
    out = tuple(
        (size + 2 * pad - dil * (k - 1) - 1) // step + 1
        for size, pad, dil, k, step in zip(
            input.shape[2:], padding, dilation, weight.shape[2:], stride, strict=True
        )
    )
    return correlate(input, weight, bias, padding, out, stride, dilation, groups)


@accumulate_in_float32()
def convolution_weight(
    input: Array,
    grad_output: Array,
    kernel_size: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> Array:
    """The gradient of `convolution` for its weight.

    input (N, C, *spatial), grad_output (N, O, *out) -> (O, C/groups, *kernel_size).
    """
    found = correlate_weight(input, grad_output, kernel_size, padding, stride, dilation, groups)
    return np.ascontiguousarray(found)


@accumulate_in_float32()
def convolution_transpose(
    input: Array,
    weight: Array,
    bias: Array | None,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    dilation: Ints,
    groups: int,
) -> Array:
    """The adjoint of `convolution`: spread each input value over the window it came from.

    input (N, C, *spatial), weight (C, O/groups, *kernel), bias (O) or None -> (N, O, *out).

    The output positions are sorted by their remainder modulo the stride. Those of one remainder
    meet a fixed part of the kernel, so each is a correlation of stride one, and no value is added
    to memory twice.
    """
    n, c = input.shape[:2]
    kernel = weight.shape[2:]
    per_group = weight.shape[1]
    out = tuple(
        (size - 1) * step - 2 * pad + dil * (k - 1) + extra + 1
        for size, step, pad, dil, k, extra in zip(
            input.shape[2:], stride, padding, dilation, kernel, output_padding, strict=True
        )
    )
    swapped = weight.reshape(groups, c // groups, per_group, *kernel).swapaxes(1, 2)
    swapped = swapped.reshape(groups * per_group, c // groups, *kernel)
    phases = [
        _phases(length, step, pad, dil, k)
        for length, step, pad, dil, k in zip(out, stride, padding, dilation, kernel, strict=True)
    ]
    ones = (1,) * len(out)
    if stride == ones:
        (part,) = product(*phases)
        return _phase_values(input, swapped, bias, part, groups)
    result = np.zeros((n, groups * per_group, *out), input.dtype)
    if bias is not None:
        result += bias.reshape(-1, *ones)
    for part in product(*phases):
        rows = tuple(slice(p.first, None, step) for p, step in zip(part, stride, strict=True))
        result[(..., *rows)] = _phase_values(input, swapped, bias, part, groups)
    return result


class _Phase(NamedTuple):
    """The output positions first, first + stride, ... of one dim as a correlation of stride one."""

    first: int
    out: int
    taps: slice
    low: int
    dilation: int


def _phases(length: int, stride: int, padding: int, dilation: int, kernel: int) -> list[_Phase]:
    """Split one output dim by remainder; remainders that no kernel element reaches are left out.

    Output o (before cropping `padding`) sums w[k] x[i] over i * stride + k * dilation = o.
    """
    common = gcd(stride, dilation)
    step = stride // common
    found = []
    for remainder in sorted({k * dilation % stride for k in range(min(step, kernel))}):
        taps = [k for k in range(min(step, kernel)) if (k * dilation - remainder) % stride == 0]
        begin = taps[0]
        count = len(range(begin, kernel, step))
        last = begin + (count - 1) * step
        reversed_taps = slice(last, begin - 1 if begin else None, -step)
        first = (remainder - padding) % stride
        out = max(0, -(-(length - first) // stride))
        low = (begin * dilation - first - padding) // stride + (count - 1) * (dilation // common)
        found.append(_Phase(first, out, reversed_taps, low, dilation // common))
    return found


def _phase_values(
    input: Array, weight: Array, bias: Array | None, part: tuple[_Phase, ...], groups: int
) -> Array:
    taps = weight[(..., *(p.taps for p in part))]
    low = tuple(p.low for p in part)
    out = tuple(p.out for p in part)
    dilation = tuple(p.dilation for p in part)
    return correlate(input, taps, bias, low, out, (1,) * len(part), dilation, groups)
