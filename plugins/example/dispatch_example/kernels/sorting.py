"""Sorting by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_example.array import kernel


def _argsort(input: Any, dim: int, descending: bool, stable: bool) -> Any:
    if input.ndim == 0:
        if dim not in (0, -1):
            raise IndexError(f"dim {dim} of an array without dimensions")
        return np.zeros((), np.int64)
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"dim {dim} of an array of {input.ndim} dimensions")
    if input.dtype.itemsize == 2 and input.dtype.kind not in "iu":
        input = input.astype(np.float32)
    if not descending:
        return np.argsort(input, dim, kind="stable")
    # Backwards twice: descending, and equal elements still in their order.
    back = np.argsort(np.flip(input, dim), dim, kind="stable")
    return np.flip(input.shape[dim] - 1 - back, dim)


KERNELS = {"argsort": kernel(_argsort)}
