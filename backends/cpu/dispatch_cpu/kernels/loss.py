"""Loss kernels that are worth more than their composition."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dispatch_cpu.kernels._common import Array, accumulate_in_float32
from dispatch_cpu.kernels.softmax import log_softmax


@accumulate_in_float32()
def cross_entropy_classes(
    input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str
) -> tuple[Array, Array]:
    """-weight[target] * log_softmax(input)[target], reduced, and the log-softmax.

    input (N, C, *) or (C), target of class numbers (N, *) or (). Raises IndexError for a class
    outside [0, C) that is not `ignore_index`.
    """
    log_probs = log_softmax(input, 1 if input.ndim > 1 else 0)
    places, counts = _chosen(log_probs, target, weight, ignore_index)
    loss = log_probs.reshape(-1).take(places)
    if counts is not None:
        loss *= counts
        loss[counts == 0] = 0  # also where the log-probability is infinite
    if reduction == "none":
        return np.negative(loss, out=loss).reshape(target.shape), log_probs
    total = -np.add.reduce(loss)
    if reduction == "mean":
        total = total / (loss.size if counts is None else counts.sum())
    return np.asarray(total, input.dtype), log_probs


@accumulate_in_float32()
def cross_entropy_backward(
    grad: Array,
    log_probs: Array,
    target: Array,
    weight: Array | None,
    ignore_index: int,
    reduction: str,
) -> Array:
    """The gradient of `cross_entropy_classes` for its input: (softmax - one-hot) * share."""
    places, counts = _chosen(log_probs, target, weight, ignore_index)
    out = np.exp(log_probs, order="C")
    flat = out.reshape(-1)
    flat[places] -= 1
    share: Any = grad.reshape(-1) if reduction == "none" else grad
    if reduction == "mean":
        share = share / (target.size if counts is None else counts.sum())
    if counts is not None:
        share = share * counts
    if np.ndim(share):
        n, classes, pixels = _planes(log_probs)
        planes = out.reshape(n, classes, pixels)
        planes *= np.asarray(share, out.dtype).reshape(n, 1, pixels)
    else:
        out *= np.asarray(share, out.dtype)
    return out  # type: ignore[no-any-return]


def _planes(log_probs: Array) -> tuple[int, int, int]:
    """(N, C, pixels) of (N, C, *) or (C)."""
    shape = log_probs.shape if log_probs.ndim > 1 else (1, *log_probs.shape)
    return shape[0], shape[1], prod(shape[2:])


def _chosen(
    log_probs: Array, target: Array, weight: Array | None, ignore_index: int
) -> tuple[Array, Array | None]:
    """Where each target's class lies in the elements in order, and what each counts (None: 1)."""
    n, classes, pixels = _planes(log_probs)
    chosen = target.reshape(-1).astype(np.int64, copy=False)
    counts = None
    if _lies_within(ignore_index, chosen):
        kept = chosen != ignore_index
        chosen = np.where(kept, chosen, 0)
        counts = kept.astype(log_probs.dtype)
    if chosen.size and (_least(chosen) < 0 or _most(chosen) >= classes):
        wrong = chosen[(chosen < 0) | (chosen >= classes)][0]
        raise IndexError(f"Target {wrong} is out of bounds.")
    if weight is not None:
        counts = weight[chosen] if counts is None else weight[chosen] * counts
    if pixels == 1:
        return chosen + np.arange(0, n * classes, classes or 1), counts
    rows, columns = np.divmod(np.arange(chosen.size), max(pixels, 1))
    return (rows * classes + chosen) * pixels + columns, counts


def _lies_within(value: int, x: Array) -> bool:
    return x.size > 0 and _least(x) <= value <= _most(x)


def _least(x: Array) -> int:
    """The smallest element; a search for its place takes a fifth of the time of a reduction."""
    return x.item(x.argmin())  # type: ignore[no-any-return]


def _most(x: Array) -> int:
    return x.item(x.argmax())  # type: ignore[no-any-return]
