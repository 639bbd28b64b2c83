"""NaN, infinities, zeros of both signs and large numbers."""

from __future__ import annotations

import numpy as np

from tests.oracle.calls import FLOATS, Array, stored
from tests.oracle.checks.common import about
from tests.oracle.operators import Operator, both

ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 1e-30)


def check_edges(op: Operator) -> None:
    """Odd values in place of the first elements of every floating array."""
    for dtype in ("float32", "float64"):
        if dtype not in op.dtypes or "linalg" in op.row["category"]:
            continue
        for call in op.calls(dtype):
            shift = 0
            for _ in range(3):
                odd = call.map(lambda a, n=shift: _odd(a, n))
                with about(f"odd values {shift}: {call}"):
                    op.compare(*both(op.path, odd), dtype)
                shift += 5


def _odd(value: object, shift: int) -> object:
    if not isinstance(value, Array) or value.dtype not in FLOATS:
        return value
    flat = value.values.copy().reshape(-1)
    count = min(len(flat), len(ODD))
    flat[:count] = stored(np.roll(ODD, shift)[:count], value.dtype)
    return Array(flat.reshape(value.values.shape), value.dtype)
