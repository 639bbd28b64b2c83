"""Loss kernels that are worth more than their composition."""

from __future__ import annotations

import numpy as np

from dispatch_cpu.kernels._common import Array, accumulate_in_float32
from dispatch_cpu.kernels.softmax import log_softmax


@accumulate_in_float32()
def cross_entropy_indices(input: Array, target: Array) -> tuple[Array, Array]:
    """Minus the log-probability of each sample's class.

    input (N, C, *) or (C), target of class numbers (N, *) or () -> losses shaped like target, and
    the log-probabilities shaped like input, which the gradient needs. Raises IndexError for a
    class outside [0, C); samples to be ignored have to be given some valid class.
    """
    dim = 1 if input.ndim > 1 else 0
    classes = input.shape[dim]
    outside = (target < 0) | (target >= classes)
    if outside.any():
        raise IndexError(f"Target {target[outside][0]} is out of bounds for {classes} classes.")
    log_probs = log_softmax(input, dim)
    picked = np.take_along_axis(log_probs, np.expand_dims(target, dim), dim)
    return -np.squeeze(picked, dim), log_probs
