"""Reductions over segments of a dimension."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dim
from dispatch_core._tensor import Tensor

_REDUCED = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "prod": "prod"}
_EMPTY = {"sum": 0.0, "mean": float("nan"), "max": -float("inf"), "min": float("inf"), "prod": 1.0}


def _cuts(lengths: Any, offsets: Any, size: int, unsafe: bool) -> list[int]:
    """Where the segments begin, and where the last one ends."""
    given = lengths if lengths is not None else offsets
    if given is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    if given.ndim != 1:
        raise NotImplementedError(
            "segment_reduce(): lengths and offsets of more than one dimension are not implemented; "
            "reduce each row of its own"
        )
    numbers: list[int] = given.tolist()
    if lengths is None:
        return numbers
    if not unsafe and (min(numbers, default=0) < 0 or sum(numbers) != size):
        raise RuntimeError(
            f"Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) = {size} "
            f"and none to be negative, but got {numbers}"
        )
    cuts = [0]
    for n in numbers:
        cuts.append(cuts[-1] + n)
    return cuts


def _segmented(make: Any) -> list[Any]:
    lengths = K.add(make(2, low=1, high=2, integer=True), 1)
    return [(make(4, 2), kind, {"lengths": lengths}) for kind in _REDUCED]


@composite(custom(FLOATING, samples=_segmented), method=False)
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Any = None,
    indices: Any = None,
    offsets: Any = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Any = None,
) -> Tensor:
    """A reduction (sum, mean, max, min or prod) of each of the segments that follow each other.

    `lengths` has the sizes of the segments, or `offsets` where they begin and the last one ends.
    `initial` takes part in each reduction, and is the result of an empty one.
    """
    if reduce not in _REDUCED:
        raise RuntimeError(f"unsupported reduction given! {reduce}; use one of {list(_REDUCED)}")
    at = check_dim(axis, data.ndim)
    cuts = _cuts(lengths, offsets, data.shape[at], unsafe)
    shape = tuple(1 if d == at else n for d, n in enumerate(data.shape))
    parts = []
    for start, stop in pairwise(cuts):
        if start == stop:
            empty = _EMPTY[reduce] if initial is None else initial
            parts.append(K.new_full(data, shape, empty))
            continue
        part = K.narrow(data, at, start, stop - start)
        if initial is not None and reduce != "mean":
            part = K.cat([K.new_full(data, shape, initial), part], at)
        found = getattr(K, _REDUCED[reduce])(part, at, True)
        if initial is not None and reduce == "mean":
            found = K.add(found, initial / (stop - start))
        parts.append(found)
    return K.cat(parts, at) if parts else K.narrow(data, at, 0, 0)
