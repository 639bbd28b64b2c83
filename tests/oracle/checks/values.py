"""Values, shapes, result dtypes and fields of plain calls, in every dtype."""

from __future__ import annotations

import numpy as np

from tests.oracle.calls import Array, Call
from tests.oracle.checks.common import about
from tests.oracle.comparison import TOLERANCES, Difference, Outcome, attempt
from tests.oracle.operators import DTYPES, OURS, THEIRS, Operator, both, lacks_kernel


def check_values(op: Operator) -> None:
    """Every sample call gives what PyTorch gives."""
    for call in op.calls(large=True):
        with about(call):
            ours, theirs = both(op.path, call)
            if theirs.error is not None:
                raise Difference(f"no sample: theirs {theirs}")
            op.compare(ours, theirs)


def check_dtypes(op: Operator) -> None:
    """Every dtype of the row is taken and gives the same values; others where both take them.

    A dtype that is not in the row is one that PyTorch does not count as supported: some of its
    calls are refused by chance, as where there is something to compute. Where PyTorch's cpu lacks a
    kernel for a dtype, we may have one.
    """
    for dtype in DTYPES:
        for call in op.calls(dtype):
            with about(f"{dtype}: {call}"):
                ours, theirs = both(op.path, call)
                refused = ours.error is not None or theirs.error is not None
                if dtype not in op.dtypes and refused:
                    continue
                if lacks_kernel(ours, theirs) or _exacter(op, call, dtype, ours):
                    continue
                op.compare(ours, theirs, dtype)


def _exacter(op: Operator, call: Call, dtype: str, ours: Outcome) -> bool:
    """Whether ours, of 16-bit floats, is what PyTorch's float64 gives, which its own may not be."""
    if dtype not in ("float16", "bfloat16") or ours.error is not None:
        return False

    def wide(value: object) -> object:
        if isinstance(value, Array) and value.dtype == dtype:
            return Array(value.values.astype("float64"), "float64")
        return value

    exact = attempt(lambda: THEIRS.call(THEIRS.function(op.path), call.map(wide)))
    found = [OURS.numpy(t) for t in OURS.tensors(ours.result)]
    wanted = [THEIRS.numpy(t) for t in THEIRS.tensors(exact.result)]
    rtol, atol = TOLERANCES[dtype]
    return bool(wanted) and all(
        a.shape == b.shape and np.allclose(a, b, rtol, atol, equal_nan=True)
        for a, b in zip(found, wanted, strict=True)
    )
