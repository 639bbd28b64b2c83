"""Values, shapes, result dtypes and fields of plain calls, in every dtype."""

from __future__ import annotations

from tests.oracle.checks.common import about
from tests.oracle.comparison import Difference
from tests.oracle.operators import DTYPES, Operator, both


def check_values(op: Operator) -> None:
    """Every sample call gives what PyTorch gives."""
    for call in op.calls(large=True):
        with about(call):
            ours, theirs = both(op.path, call)
            if theirs.error is not None:
                raise Difference(f"no sample: theirs {theirs}")
            op.compare(ours, theirs)


def check_dtypes(op: Operator) -> None:
    """Every dtype is taken or refused as PyTorch does, and gives the same values."""
    for dtype in DTYPES:
        for call in op.calls(dtype):
            with about(f"{dtype}: {call}"):
                op.compare(*both(op.path, call), dtype)
