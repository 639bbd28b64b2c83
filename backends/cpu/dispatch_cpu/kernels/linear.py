"""Products with a weight matrix, and rows of one."""

from __future__ import annotations

import numpy as np

from dispatch_cpu.kernels._common import Array, accumulate_in_float32


def linear(input: Array, weight: Array, bias: Array | None) -> Array:
    """Input @ weight.T + bias, by `dot`, which is called in half the time of `@`."""
    if weight.ndim == 2 and input.ndim > 2 and weight.size:
        flat = input.reshape(-1, input.shape[-1])
        out = flat.dot(weight.T).reshape(*input.shape[:-1], weight.shape[0])
    elif input.ndim and 0 < weight.ndim < 3:
        out = input.dot(weight.T)
    else:  # `dot` would multiply by a single number, or sum over another dimension
        raise ValueError("expected an input of at least one dimension, and a weight of one or two")
    if bias is None:
        return out
    if out.ndim == 0 or bias.shape != out.shape[-1:]:
        return np.add(out, bias)
    out += bias
    return out


linear_in_float32 = accumulate_in_float32()(linear)
"""For half precision, whose products numpy computes one by one."""


def embedding_rows(
    weight: Array, indices: Array, padding_idx: int, scale_grad_by_freq: bool
) -> Array:
    """The rows of weight at `indices`; IndexError for one outside of it."""
    if indices.size and (indices.min() < 0 or indices.max() >= weight.shape[0]):
        raise IndexError("index out of range in self")
    return weight.take(indices, 0)
