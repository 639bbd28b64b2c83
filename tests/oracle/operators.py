"""The operators under comparison: a row of the table, its samples, and how its results compare."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

import dispatch_core
from tests.oracle.calls import COMPLEXES, FLOATS, Call, Maker
from tests.oracle.comparison import Comparison, Difference, Outcome, attempt, fields, same_errors
from tests.oracle.samples import SAMPLES
from tests.oracle.settled import CHANCE, LARGE, SETTLED
from tests.oracle.sides import Side

OURS, THEIRS = Side(dispatch_core), Side(torch)

DTYPES = (
    *("float32", "float64", "float16", "bfloat16", "complex64", "complex128"),
    *("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"),
)


@dataclass(frozen=True)
class Operator:
    """One public path of the table."""

    path: str
    row: dict[str, str]

    @cached_property
    def dtypes(self) -> list[str]:
        """The dtypes of the row that both libraries have."""
        return [d for d in DTYPES if d in self.row["dtypes"].split()]

    @cached_property
    def default(self) -> str:
        """The dtype of the checks that need only one."""
        return self.dtypes[0]

    @property
    def writes(self) -> bool:
        """Whether it writes into its first argument."""
        return self.path.endswith("_") and not self.path.endswith("__")

    @cached_property
    def smooth(self) -> list[str]:
        """The dtypes of the checks of derivatives."""
        return [d for d in ("float64", "complex128") if d in self.dtypes]

    def calls(self, dtype: str | None = None, *, large: bool = False) -> list[Call]:
        """The sample calls with arrays of a dtype; those of chance only where asked for."""
        made = SAMPLES[self.path](Maker(self.path, dtype or self.default))
        return [c for c in made if large or all(a.values.size < LARGE for a in c.arrays())]

    def settled(self, side: Side, result: Any) -> Any:
        """What of a result is determined."""
        settle = SETTLED.get(self.path)
        if settle is None:
            return result
        if isinstance(result, list):
            return [settle(side.library, r) if side.is_tensor(r) else r for r in result]
        return settle(side.library, result)

    def compare(self, ours: Outcome, theirs: Outcome, dtype: str = "") -> None:
        """Raise a Difference unless both calls came to the same."""
        if same_errors(ours, theirs):
            return
        comparison = self.comparison(dtype)
        if self.path in SETTLED:
            if fields(ours.result) != fields(theirs.result):
                raise Difference(f"fields: {fields(ours.result)}, theirs {fields(theirs.result)}")
            for a, b in zip(OURS.tensors(ours.result), THEIRS.tensors(theirs.result), strict=True):
                comparison.kinds(a, b)
        comparison.results(self.settled(OURS, ours.result), self.settled(THEIRS, theirs.result))

    def comparison(self, dtype: str = "") -> Comparison:
        """The comparison of results of calls with arrays of a dtype."""
        drawn = self.row["category"] in ("random", "nn.dropout")
        return Comparison(OURS, THEIRS, dtype or self.default, CHANCE if drawn else None)


def lacks_kernel(ours: Outcome, theirs: Outcome) -> bool:
    """Whether we compute where PyTorch's cpu has no kernel for the dtype."""
    return ours.error is None and isinstance(theirs.error, NotImplementedError)


def both(path: str, call: Call) -> tuple[Outcome, Outcome]:
    """What a call comes to on both sides."""
    return tuple(  # type: ignore[return-value]
        attempt(lambda s=side: s.call(s.function(path), call)) for side in (OURS, THEIRS)
    )


def inexact(dtype: str) -> bool:
    """Whether numbers of the dtype are rounded."""
    return dtype in FLOATS or dtype in COMPLEXES


def _read() -> dict[str, Operator]:
    with (Path(__file__).parent / "operators.csv").open() as file:
        rows = list(csv.DictReader(file))
    paths = [r["path"].removeprefix("dc.") for r in rows]
    return {path: Operator(path, row) for path, row in zip(paths, rows, strict=True)}


OPERATORS = _read()
