"""Error rates of recognised text: the fewest changes that make it what was said."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np


class Edits(NamedTuple):
    """The fewest changes that make a hypothesis of a reference, by kind."""

    substitutions: int
    deletions: int
    insertions: int

    @property
    def total(self) -> int:
        """All changes (Levenshtein distance)."""
        return sum(self)


def edits(hypothesis: Sequence[Hashable], reference: Sequence[Hashable]) -> Edits:
    """The changes between two sequences, by kind; where several are as few, one of them.

    Memory grows with the product of the lengths; `edit_distance` takes that of one only.
    """
    first, second = _numbered(hypothesis, reference)
    return _kinds(np.stack(list(_distances(first, second))), first, second)


def _numbered(
    hypothesis: Sequence[Hashable], reference: Sequence[Hashable]
) -> tuple[np.ndarray, list[int]]:
    """Equal things as equal numbers."""
    numbers: dict[Hashable, int] = {}
    first = np.array([numbers.setdefault(t, len(numbers)) for t in hypothesis], np.int64)
    return first, [numbers.setdefault(t, len(numbers)) for t in reference]


def _distances(first: np.ndarray, second: list[int]) -> Iterator[np.ndarray]:
    """Row by row: the distances of each beginning of `second` from all beginnings of `first`."""
    steps = np.arange(len(first) + 1, dtype=np.int32)
    row = steps
    yield row
    for token in second:
        best = row + 1
        best[1:] = np.minimum(best[1:], row[:-1] + (first != token))
        # An insertion costs one more than what stands to the left: a running minimum, tilted.
        row = np.minimum.accumulate(best - steps) + steps
        yield row


def _kinds(table: np.ndarray, first: np.ndarray, second: list[int]) -> Edits:
    substitutions = deletions = insertions = 0
    row, column = len(second), len(first)
    while row or column:
        here = table[row, column]
        different = bool(row and column) and first[column - 1] != second[row - 1]
        if row and column and here == table[row - 1, column - 1] + different:
            substitutions += different
            row, column = row - 1, column - 1
        elif row and here == table[row - 1, column] + 1:
            deletions += 1
            row -= 1
        else:
            insertions += 1
            column -= 1
    return Edits(int(substitutions), deletions, insertions)


def edit_distance(hypothesis: Sequence[Hashable], reference: Sequence[Hashable]) -> int:
    """The fewest insertions, deletions and substitutions between two sequences."""
    for row in _distances(*_numbered(hypothesis, reference)):
        last = row
    return int(last[-1])


def word_error_rate(hypotheses: str | Sequence[str], references: str | Sequence[str]) -> float:
    """Changed words of all texts by words of all references; may exceed 1.

    Words stand between white space. Raises ValueError for texts that do not pair, or references
    without words.
    """
    return _rate(hypotheses, references, str.split, "words")


def char_error_rate(hypotheses: str | Sequence[str], references: str | Sequence[str]) -> float:
    """The same of characters."""
    return _rate(hypotheses, references, list, "characters")


def _rate(
    hypotheses: str | Sequence[str],
    references: str | Sequence[str],
    split: object,
    what: str,
) -> float:
    given = [hypotheses] if isinstance(hypotheses, str) else list(hypotheses)
    wanted = [references] if isinstance(references, str) else list(references)
    if len(given) != len(wanted):
        raise ValueError(f"{len(given)} texts do not pair with {len(wanted)} references")
    pairs = [(split(a), split(b)) for a, b in zip(given, wanted, strict=True)]  # type: ignore[operator]
    total = sum(len(reference) for _, reference in pairs)
    if not total:
        raise ValueError(f"the references have no {what}, so there is nothing to get wrong")
    return sum(edit_distance(a, b) for a, b in pairs) / total
