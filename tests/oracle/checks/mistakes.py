"""Wrong arguments: the same are refused, with the same class of exception.

As in Python any object has a truth, so flags are not spoilt; None stands for "not given".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.oracle.calls import Array, Call
from tests.oracle.checks.common import about
from tests.oracle.operators import Operator, both, lacks_kernel


def check_errors(op: Operator) -> None:
    """Each argument of some calls spoilt in several ways."""
    calls = op.calls()
    for call in calls[:2] + calls[-1:]:
        for spoilt, absent in _spoilt(call):
            with about(spoilt):
                ours, theirs = both(op.path, spoilt)
                if not (lacks_kernel(ours, theirs) or (absent and ours.error is None)):
                    op.compare(ours, theirs)


def _spoilt(call: Call) -> Iterator[tuple[Call, bool]]:
    """Calls with a mistake, and whether it is None where something was."""
    yield Call(call.args, {**call.kwargs, "nonsense": 1}), False
    yield Call(call.args[:-1], call.kwargs), False
    for at, value in enumerate(call.args):
        for wrong in _wrong(value):
            yield call.with_arg(at, wrong), wrong is None
    for key, value in call.kwargs.items():
        for wrong in _wrong(value):
            yield Call(call.args, {**call.kwargs, key: wrong}), wrong is None


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
