"""vmap against a loop: an operator on all examples at once gives what it gives on each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import complex64, float64, int64
from dispatch_core._op import Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.func import vmap
from dispatch_core.testing._checks.common import about, cases, close, fail
from dispatch_core.testing._samples import (
    Sample,
    accepted_dtypes,
    accepts,
    sample_dtype,
    tensors_in,
)

_SORTED = frozenset({"search_sorted", "searchsorted", "bucketize"})
"""Operators on a sorted argument, which it must stay."""


def applies(declared: Declared) -> bool:
    """Whether an operator takes tensors and gives the same for the same."""
    op = declared.op
    drawn = op.traits.random or op.family.kind == "random"
    return bool(op.tensors) and not drawn and not op.traits.writes


def check_batching(declared: Declared, device: str) -> None:
    """All tensors batched, and each alone; on two examples."""
    op = declared.op
    chosen = [d for d in (float64, complex64, int64) if accepts(op, d)] or accepted_dtypes(op)[:1]
    for given, sample in cases(op, device, chosen[:2]):
        for which in _choices(sample):
            with about(f"{op.name}{sample}, batched: {which or 'all'}"):
                _check(declared, sample, which, sample_dtype(op, given, sample))


def _choices(sample: Sample) -> Iterator[int | None]:
    """None: all tensors are batched; else the number of the only one."""
    count = len(sample.tensors())
    if count:
        yield None
    if count > 1:
        yield from range(count)


def _check(declared: Declared, sample: Sample, which: int | None, computed: Any) -> None:
    given = sample.tensors()
    chosen = range(len(given)) if which is None else (which,)
    others = {i: _another(declared.op, given[i]) for i in chosen}
    stacked = [K.stack([t, others[i]]) if i in others else t for i, t in enumerate(given)]

    def one(*tensors: Tensor) -> Any:
        rest = iter(tensors)
        return sample.map(lambda _: next(rest)).call(declared.front)

    def seconds() -> Any:
        return one(*[others.get(i, t) for i, t in enumerate(given)])

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: .* has no batching rule")
        try:
            expected = [one(*given), seconds()]
        except Exception:  # noqa: BLE001  the second example is none for this operator
            return
        try:
            found = vmap(
                lambda *t: tuple(tensors_in(one(*t))),
                in_dims=tuple(0 if i in others else None for i in range(len(given))),
            )(*stacked)
        except RuntimeError as error:
            if str(error).startswith("vmap: nonzero") or "values cannot be read" in str(error):
                return
            raise
    columns = [
        K.stack(list(c))
        for c in zip(*[tensors_in(e) for e in expected], strict=True)
        if c[0].shape == c[1].shape
    ]
    if len(columns) != len(found):
        fail(f"{len(found)} results, expected {len(columns)}")
    close(found, tuple(columns), computed)


def _another(op: Op, t: Tensor) -> Tensor:
    """A second example: other numbers of the same domain."""
    if t.dtype.is_floating_point or t.dtype.is_complex:
        return t * 0.5
    if op.name in _SORTED:
        return t + 1
    return K.flip(t, tuple(range(t.ndim)))
