"""Values, shapes, result dtypes and fields of plain calls, in every dtype."""

from __future__ import annotations

from tests.oracle.checks.common import about
from tests.oracle.comparison import Difference
from tests.oracle.operators import DTYPES, Operator, both, lacks_kernel


def check_values(op: Operator) -> None:
    """Every sample call gives what PyTorch gives."""
    for call in op.calls(large=True):
        with about(call):
            ours, theirs = both(op.path, call)
            if theirs.error is not None:
                raise Difference(f"no sample: theirs {theirs}")
            op.compare(ours, theirs)


def check_dtypes(op: Operator) -> None:
    """Every dtype is taken or refused as PyTorch does, and gives the same values.

    Where PyTorch's cpu lacks a kernel for a dtype, we may have one. A dtype outside of the
    operator's row is refused by its kernel, so calls with nothing to compute do not count.
    """
    for dtype in DTYPES:
        for call in op.calls(dtype):
            if dtype not in op.dtypes and any(a.values.size < 2 for a in call.arrays()):
                continue
            with about(f"{dtype}: {call}"):
                ours, theirs = both(op.path, call)
                if not lacks_kernel(ours, theirs):
                    op.compare(ours, theirs, dtype)
