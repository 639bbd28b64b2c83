"""Inputs that are not contiguous, and results that share memory with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.oracle.calls import Array, Call
from tests.oracle.checks.common import about
from tests.oracle.comparison import attempt
from tests.oracle.operators import OURS, THEIRS, Operator, both
from tests.oracle.sides import Side


def check_layouts(op: Operator) -> None:
    """Transposed and spaced memory gives the same values; some of PyTorch's functions refuse it."""
    for call in op.calls():
        for layout in ("transposed", "strided"):
            laid = call.map(lambda a, n=layout: replace(a, layout=n) if isinstance(a, Array) else a)
            ours, theirs = both(op.path, laid)
            if theirs.error is not None and ours.error is None:
                continue
            with about(f"{layout}: {call}"):
                op.compare(ours, theirs)


def check_views(op: Operator) -> None:
    """Which results change when an argument does, and their strides."""
    for call in op.calls():
        if not any(isinstance(a, Array) and a.values.size for a in call.args):
            continue
        with about(call):
            ours, theirs = (attempt(lambda s=s, c=call: _shared(op, s, c)) for s in (OURS, THEIRS))
            op.comparison().outcomes(ours, theirs)


def _shared(op: Operator, side: Side, call: Call) -> Any:
    """Of each result: whether it sees a write into the first tensor, and where it lies if so."""
    made = call.map(side.leaf)
    first = next(a for a in made.args if side.is_tensor(a))
    function = side.function(op.path)
    results = side.tensors(side.run(lambda: function(*made.args, **made.kwargs)))
    before = [side.numpy(r).copy() for r in results]
    filling = not side.numpy(first).flatten()[0] if side.dtype(first) == "bool" else 77
    side.run(lambda: first.fill_(filling))
    found = []
    for result, old in zip(results, before, strict=True):
        seen = bool(old.size) and not (side.numpy(result) == old).all()
        steps = [s for s, n in zip(result.stride(), result.shape, strict=True) if n != 1]
        found.append([seen, steps if seen else [], result is first])
    return found
