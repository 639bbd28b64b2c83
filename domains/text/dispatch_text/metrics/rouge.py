"""ROUGE (Lin 2004): how much of a reference summary a candidate has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dispatch_text.metrics.bleu import ngrams

Tokenize = Callable[[str], Sequence[str]]


class RougeScore(NamedTuple):
    """Shares of what both have: of the candidate, of the reference, their harmonic mean."""

    precision: float
    recall: float
    fmeasure: float


def words(text: str) -> list[str]:
    """Runs of small letters and digits of English text, as ROUGE counts them."""
    return re.findall(r"[a-z0-9]+", text.lower())


def rouge_score(
    candidate: str,
    reference: str,
    kinds: Sequence[str] = ("rouge1", "rouge2", "rougeL", "rougeLsum"),
    tokenize: Tokenize = words,
) -> dict[str, RougeScore]:
    """ROUGE of one text against one reference, each kind with precision, recall and their mean.

    "rougeN" counts runs of N tokens, "rougeL" the longest common subsequence, "rougeLsum" the union
    of those of each line of the reference with all lines of the candidate. No stemming.

    Raises ValueError for a kind that is none of these.
    """
    scores = {}
    for kind in kinds:
        run = re.fullmatch(r"rouge([1-9])", kind)
        if run:
            n = int(run[1])
            found, wanted = ngrams(tokenize(candidate), n), ngrams(tokenize(reference), n)
            scores[kind] = _score((found & wanted).total(), found.total(), wanted.total())
        elif kind == "rougeL":
            first, second = list(tokenize(candidate)), list(tokenize(reference))
            common = len(_common(second, first))
            scores[kind] = _score(common, len(first), len(second))
        elif kind == "rougeLsum":
            scores[kind] = _by_lines(candidate, reference, tokenize)
        else:
            raise ValueError(
                f"unknown kind '{kind}'; known are rouge1 ... rouge9, rougeL, rougeLsum"
            )
    return scores


def _score(common: float, candidate: int, reference: int) -> RougeScore:
    precision = common / candidate if candidate else 0.0
    recall = common / reference if reference else 0.0
    both = precision + recall
    return RougeScore(precision, recall, 2 * precision * recall / both if both else 0.0)


def _common(reference: list[str], candidate: list[str]) -> list[int]:
    """The places in `reference` of a longest common subsequence."""
    numbers = {token: at for at, token in enumerate(dict.fromkeys(reference + candidate))}
    second = np.array([numbers[t] for t in candidate], np.int64)
    table = np.zeros((len(reference) + 1, len(candidate) + 1), np.int32)
    for at, token in enumerate(reference, 1):
        met = table[at - 1, :-1] + (second == numbers[token])
        table[at, 1:] = np.maximum.accumulate(np.maximum(table[at - 1, 1:], met))
    found, row, column = [], len(reference), len(candidate)
    while row and column:
        if reference[row - 1] == candidate[column - 1]:
            found.append(row - 1)
            row, column = row - 1, column - 1
        elif table[row, column - 1] > table[row - 1, column]:
            column -= 1
        else:
            row -= 1
    return found[::-1]


def _by_lines(candidate: str, reference: str, tokenize: Tokenize) -> RougeScore:
    lines = [list(tokenize(line)) for line in candidate.split("\n") if line]
    wanted = [list(tokenize(line)) for line in reference.split("\n") if line]
    left = Counter(token for line in lines for token in line)
    needed = Counter(token for line in wanted for token in line)
    common = 0
    for line in wanted:
        for at in sorted({at for other in lines for at in _common(line, other)}):
            token = line[at]
            if left[token] > 0 and needed[token] > 0:
                common += 1
                left[token] -= 1
                needed[token] -= 1
    return _score(common, sum(map(len, lines)), sum(map(len, wanted)))
