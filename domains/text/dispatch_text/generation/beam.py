"""Beam search: the most probable texts among those that a fixed number of beginnings leads to."""

from __future__ import annotations

from dataclasses import dataclass, field

import dispatch_core as dc
from dispatch_text.generation.sampling import Sampling
from dispatch_text.generation.steps import Steps


@dataclass(slots=True)
class Finished:
    """The best texts of one prompt that have ended, at most as many as there are beams."""

    beams: int
    length_penalty: float
    texts: list[tuple[float, list[int]]] = field(default_factory=list)
    closed: bool = False

    def score(self, total: float, length: int) -> float:
        """The sum of log-probabilities, for texts of different lengths to be compared."""
        return total / max(1, length) ** self.length_penalty

    def add(self, total: float, tokens: list[int]) -> None:
        """Enter a text of new tokens; the worst one goes when there are too many."""
        self.texts.append((self.score(total, len(tokens)), tokens))
        self.texts.sort(key=lambda each: -each[0])
        del self.texts[self.beams :]

    def close_if_done(self, best_running: float, length: int, early_stopping: bool) -> None:
        """Close where no beam can lead to anything better, or where enough have ended."""
        if len(self.texts) < self.beams:
            return
        self.closed = early_stopping or self.texts[-1][0] >= self.score(best_running, length)


def beam_search(
    steps: Steps,
    sampling: Sampling,
    *,
    num_beams: int,
    max_new_tokens: int,
    ends: list[int],
    length_penalty: float,
    early_stopping: bool,
) -> list[list[int]]:
    """The new tokens of the best text for each prompt, its end included."""
    count = steps.ids.shape[0]
    device = steps.ids.device
    rows = dc.arange(count, device=device).repeat_interleave(num_beams)
    ids = steps.ids.index_select(0, rows)
    finished = [Finished(num_beams, length_penalty) for _ in range(count)]
    # All beams of a prompt are the same at first, so only one may go on.
    totals = [[0.0] + [-1e9] * (num_beams - 1) for _ in range(count)]
    texts: list[list[list[int]]] = [[[] for _ in range(num_beams)] for _ in range(count)]
    steps.reorder(rows)
    for generated in range(max_new_tokens):
        logits = sampling.adjusted(steps.logits(ids).log_softmax(-1), ids, generated, ends)
        size = logits.shape[-1]
        running = dc.tensor(totals, dtype=dc.float32, device=device).reshape(-1, 1)
        joint = (logits + running).reshape(count, num_beams * size)
        # Twice as many, so that enough are left where half of them end.
        best, places = joint.topk(min(2 * num_beams, joint.shape[1]), -1)
        sources, tokens = [], []
        for at, (found, chosen) in enumerate(zip(best.tolist(), places.tolist(), strict=True)):
            candidates = [(t, p // size, p % size) for t, p in zip(found, chosen, strict=True)]
            kept = _advance(candidates, finished[at], texts[at], ends)
            texts[at] = [texts[at][beam] + [token] for _, beam, token in kept]
            totals[at] = [total for total, _, _ in kept]
            sources += [at * num_beams + beam for _, beam, _ in kept]
            tokens += [token for _, _, token in kept]
            finished[at].close_if_done(max(totals[at]), generated + 1, early_stopping)
        if all(each.closed for each in finished):
            break
        order = dc.tensor(sources, device=device)
        steps.reorder(order)
        new = dc.tensor(tokens, dtype=ids.dtype, device=device)[:, None]
        ids = dc.cat([ids.index_select(0, order), new], 1)
    for at, each in enumerate(finished):
        if not each.closed:
            for total, text in zip(totals[at], texts[at], strict=True):
                each.add(total, text)
    return [each.texts[0][1] for each in finished]


def _advance(
    candidates: list[tuple[float, int, int]],
    finished: Finished,
    texts: list[list[int]],
    ends: list[int],
) -> list[tuple[float, int, int]]:
    """Enter the best candidates that end; the best of the others go on, one for each beam."""
    beams = finished.beams
    kept: list[tuple[float, int, int]] = []
    for rank, (total, beam, token) in enumerate(candidates):
        if token in ends:
            if rank < beams and not finished.closed:
                finished.add(total, texts[beam] + [token])
        elif len(kept) < beams:
            kept.append((total, beam, token))
    while len(kept) < beams:  # a vocabulary so small that fewer than two candidates a beam exist
        kept.append((-1e9, *candidates[0][1:]))
    return kept
