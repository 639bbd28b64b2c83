"""Wrong arguments: the same are refused, with the same class of exception.

As in Python any object has a truth, so flags are not spoilt; None stands for "not given".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.oracle.calls import Array, Call
from tests.oracle.checks.common import about
from tests.oracle.comparison import Outcome
from tests.oracle.operators import Operator, both, lacks_kernel


def check_errors(op: Operator) -> None:
    """Each argument of some calls spoilt in several ways."""
    calls = op.calls()
    for call in calls[:2] + calls[-1:]:
        for spoilt, wrong in _spoilt(call):
            ours, theirs = both(op.path, spoilt)
            if not (lacks_kernel(ours, theirs) or _excused(op, spoilt, wrong, ours, theirs)):
                with about(spoilt):
                    op.compare(ours, theirs)


def _excused(op: Operator, call: Call, wrong: Any, ours: Outcome, theirs: Outcome) -> bool:
    """Whether a difference says nothing of the operator."""
    taken = [o.error is None for o in (ours, theirs)]
    if all(taken):  # two draws differ
        return op.row["category"] in ("random", "nn.dropout") or op.path.endswith("rrelu")
    if wrong is None and taken[0]:
        return True
    if not isinstance(wrong, Array):  # what Python functions ask of anything, ours of tensors only
        asked = isinstance(theirs.error, AttributeError) and isinstance(ours.error, TypeError)
        return asked or (op.path.startswith("Tensor.") and call.args[:1] == (wrong,))
    if any(taken):  # dtypes that the row does not promise, or nothing to compute with them
        empty = any(a.values.size == 0 for a in call.arrays())
        return wrong.dtype not in op.dtypes or (empty and wrong.dtype != op.default)
    # Of a tensor with too few dimensions PyTorch misses some dimension, or says how many it wants.
    return not wrong.values.shape and all(isinstance(o.error, _RANK) for o in (ours, theirs))


_RANK = (IndexError, RuntimeError, ValueError)


def _spoilt(call: Call) -> Iterator[tuple[Call, Any]]:
    """Calls with a mistake, and the mistake."""
    yield Call(call.args, {**call.kwargs, "nonsense": 1}), "nonsense"
    yield Call(call.args[:-1], call.kwargs), ""
    for at, value in enumerate(call.args):
        for wrong in _wrong(value):
            yield call.with_arg(at, wrong), wrong
    for key, value in call.kwargs.items():
        for wrong in _wrong(value):
            yield Call(call.args, {**call.kwargs, key: wrong}), wrong


def _wrong(value: Any) -> Iterator[Any]:
    if isinstance(value, Array):
        values = value.values
        yield None
        yield "text"
        yield Array(np.stack([np.roll(values, n) for n in range(7)], -1), value.dtype)
        yield Array(np.zeros((), values.dtype), value.dtype)
        yield Array(values.astype("complex64"), "complex64")
        yield Array(values.real.astype("float64"), "float64")
        yield Array(values.astype("bool"), "bool")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from (100, -100, "text", None)
    elif isinstance(value, str):
        yield from ("nonsense", 3)
    elif isinstance(value, (tuple, list)) and value and isinstance(value[0], int):
        yield from ((100, *value[1:]), (-100, *value[1:]), (*value, 1), "text")
