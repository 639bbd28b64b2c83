"""Random numbers: Philox, so the same seed gives the same numbers as on every other device."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core.extend import philox
from dispatch_example.array import kernel


def _random_new(size: Any, kind: str, a: Any, b: Any, seed: int, offset: int, place: Any) -> Any:
    wanted = place.dtype.numpy_dtype
    if kind == "integers":
        return philox.integers(np, seed, offset, a, b, size).astype(wanted)
    if kind == "permutation":
        return philox.permutation(np, seed, offset, a).astype(wanted)
    draw, scale, shift = (philox.uniform, b - a, a) if kind == "uniform" else (philox.normal, b, a)
    values = draw(np, seed, offset, size, wanted)
    return values * wanted.type(scale) + wanted.type(shift)


KERNELS = {"random_new": kernel(_random_new)}
