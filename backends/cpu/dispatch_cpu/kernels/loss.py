"""Loss kernels that are worth more than their composition."""

from __future__ import annotations

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
    dim = 1 if input.ndim > 1 else 0
    log_probs = log_softmax(input, dim)
    planes, at, counts = _chosen(log_probs, target, weight, ignore_index)
    loss = planes[at]
    if counts is not None:
        loss *= counts
        loss[counts == 0] = 0  # also where the log-probability is infinite
    np.negative(loss, out=loss)
    if reduction == "none":
        return loss.reshape(target.shape), log_probs
    total = loss.sum()
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
    planes, at, counts = _chosen(log_probs, target, weight, ignore_index)
    out = np.exp(planes)
    out[at] -= 1
    share: Any = grad.reshape(-1) if reduction == "none" else grad
    if reduction == "mean":
        share = share / (target.size if counts is None else counts.sum())
    if counts is not None:
        share = share * counts
    if np.ndim(share):
        share = share.reshape(planes.shape[0], 1, planes.shape[2])
    out *= np.asarray(share, out.dtype)
    return out.reshape(log_probs.shape)


def _chosen(
    log_probs: Array, target: Array, weight: Array | None, ignore_index: int
) -> tuple[Array, tuple[Array, ...], Array | None]:
    """(N, C, pixels), the index of each target's class in it, and what each counts (None: 1)."""
    shape = log_probs.shape if log_probs.ndim > 1 else (1, *log_probs.shape)
    n, classes = shape[:2]
    planes = log_probs.reshape(n, classes, -1 if log_probs.size else 0)
    chosen = target.reshape(-1).astype(np.int64, copy=False)
    counts = None
    kept = chosen != ignore_index
    if not kept.all():
        chosen = np.where(kept, chosen, 0)
        counts = kept.astype(log_probs.dtype)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= classes):
        wrong = chosen[(chosen < 0) | (chosen >= classes)][0]
        raise IndexError(f"Target {wrong} is out of bounds.")
    if weight is not None:
        counts = weight[chosen] if counts is None else weight[chosen] * counts
    pixels = planes.shape[2]
    if pixels == 1:
        return planes, (np.arange(n), chosen, np.zeros(n, np.int64)), counts
    rows, columns = np.divmod(np.arange(chosen.size), max(pixels, 1))
    return planes, (rows, chosen, columns), counts
