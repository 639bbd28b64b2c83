"""`vmap` over each tensor argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.oracle.calls import Array, Call
from tests.oracle.checks.common import about
from tests.oracle.comparison import attempt
from tests.oracle.operators import OURS, THEIRS, Operator
from tests.oracle.sides import Side


def check_vmap(op: Operator) -> None:
    """Each array alone has examples, along the first and the last dimension; then all have them."""
    for call in op.calls():
        count = len(call.arrays())
        plans = [({at}, dim) for at in range(count) for dim in (0, -1)]
        if count > 1:
            plans.append((set(range(count)), 0))
        for which, dim in plans:
            with about(f"{call}, in_dims {dim} of {sorted(which)}"):
                ours, theirs = (
                    attempt(lambda s=s, c=call, w=which, d=dim: _mapped(op, s, c, w, d))
                    for s in (OURS, THEIRS)
                )
                if theirs.error is None:
                    op.compare(ours, theirs)


def _mapped(op: Operator, side: Side, call: Call, which: set[int], dim: int) -> Any:
    arrays = call.arrays()
    batches = [side.tensor(_examples(arrays[at], dim)) for at in sorted(which)]
    function = side.function(op.path)

    def one(*examples: Any) -> Any:
        given = dict(zip(sorted(which), examples, strict=True))
        counter = iter(range(len(arrays)))

        def leaf(value: Any) -> Any:
            if isinstance(value, Array):
                at = next(counter)
                return given[at] if at in given else side.tensor(value)
            return side.leaf(value)

        made = call.map(leaf)
        return function(*made.args, **made.kwargs)

    vmap = side.library.func.vmap(one, in_dims=dim, randomness="different")
    return side.run(lambda: vmap(*batches))


def _examples(array: Array, dim: int) -> Array:
    """The array and another like it, stacked along a dimension."""
    values = array.values
    other = values * values.dtype.type(0.75) if array.inexact else np.roll(values, 1, -1)
    return Array(np.stack([values, other], dim), array.dtype)
