"""BLEU (Papineni et al. 2002): how many runs of words a translation shares with references."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

Tokens = Sequence[str]


def ngrams(tokens: Tokens, n: int) -> Counter[tuple[str, ...]]:
    """The runs of n tokens, counted."""
    return Counter(tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1))


def bleu_score(
    candidate_corpus: Sequence[Tokens],
    references_corpus: Sequence[Sequence[Tokens]],
    max_n: int = 4,
    weights: Sequence[float] | None = None,
    smoothing: float = 0.0,
) -> float:
    """BLEU of a corpus of tokenized translations, 0 to 1, with torchtext's arguments.

    Each candidate has one or more references. Precisions of runs of 1 to `max_n` tokens are
    multiplied with `weights` as exponents (by default 1 / max_n), and a corpus that is shorter than
    the closest references is punished. `smoothing` is added to counts of runs longer than one token
    (Lin and Och 2004); without it one length without a match makes 0.

    Raises ValueError for corpora of different lengths, an empty one, or a candidate without
    references.
    """
    exponents = [1 / max_n] * max_n if weights is None else list(weights)
    if max_n < 1 or len(exponents) != max_n:
        raise ValueError(f"max_n={max_n} needs as many weights, got {len(exponents)}")
    if len(candidate_corpus) != len(references_corpus) or not len(candidate_corpus):
        raise ValueError(
            f"each candidate needs its references: got {len(candidate_corpus)} candidates and "
            f"{len(references_corpus)} lists of references"
        )
    matches, totals = [0.0] * max_n, [0.0] * max_n
    length = reference_length = 0
    for at, (candidate, references) in enumerate(
        zip(candidate_corpus, references_corpus, strict=True)
    ):
        if not len(references):
            raise ValueError(f"candidate {at} has no reference")
        length += len(candidate)
        closest = min((abs(len(r) - len(candidate)), len(r)) for r in references)
        reference_length += closest[1]
        for n in range(1, max_n + 1):
            allowed: Counter[tuple[str, ...]] = Counter()
            for reference in references:
                allowed |= ngrams(reference, n)
            found = ngrams(candidate, n)
            matches[n - 1] += (found & allowed).total()
            totals[n - 1] += found.total()
    return _combined(matches, totals, exponents, smoothing, length, reference_length)


def _combined(
    matches: list[float],
    totals: list[float],
    exponents: list[float],
    smoothing: float,
    length: int,
    reference_length: int,
) -> float:
    logs = 0.0
    for at, exponent in enumerate(exponents):
        added = smoothing if at else 0.0
        if matches[at] + added <= 0.0:
            return 0.0
        logs += exponent * math.log((matches[at] + added) / (totals[at] + added))
    brevity = 1.0 if length >= reference_length else math.exp(1 - reference_length / length)
    return brevity * math.exp(logs)
