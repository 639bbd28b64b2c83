"""Perplexity: the number of equally likely tokens a model hesitates between."""

from __future__ import annotations

import math
from typing import Any

import dispatch_core as dc
from dispatch_core.extend import Tensor
from dispatch_core.nn import functional as F
from dispatch_text.models.blocks import IGNORED


class Perplexity:
    """exp of the mean negative log-likelihood over all batches so far."""

    def __init__(self, ignore_index: int = IGNORED) -> None:
        self.ignore_index = ignore_index
        self._total = 0.0
        self._count = 0

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Count a batch: logits (..., V), targets (...) of the tokens they predict."""
        if logits.shape[:-1] != targets.shape:
            raise ValueError(
                f"logits {tuple(logits.shape)} predict {tuple(logits.shape[:-1])} tokens, and "
                f"targets have shape {tuple(targets.shape)}"
            )
        flat = targets.flatten()
        wide = logits.detach().flatten(0, -2).to(dc.float32)
        loss = F.cross_entropy(wide, flat, ignore_index=self.ignore_index, reduction="sum")
        self._total += float(loss)
        self._count += int((flat != self.ignore_index).sum())

    def compute(self) -> float:
        """The perplexity; ValueError before any token was counted."""
        if not self._count:
            raise ValueError("no token was counted, so there is no perplexity")
        mean = self._total / self._count
        return math.exp(mean) if mean < 700 else math.inf


@dc.no_grad()
def perplexity(
    model: Any, input_ids: Tensor, *, window: int | None = None, stride: int | None = None
) -> float:
    """Of a causal language model over one long text, ids (L,) or (1, L).

    The text is read in windows of `window` tokens (all at once by default) that move on by
    `stride` (by default all but one of them). Each token but the first is counted once, with what
    stands before it in its window; a small stride gives each more of that.
    """
    ids = input_ids.reshape(1, -1)
    length = ids.shape[1]
    window = length if window is None else window
    stride = window - 1 if stride is None else stride
    if length < 2:
        raise ValueError(f"{length} tokens have no next one to predict")
    if window < 2 or not 1 <= stride < window:
        raise ValueError(
            f"window must be at least 2 and stride from 1 to below it, got {window} and {stride}"
        )
    found = Perplexity()
    counted = 1  # the first token has nothing before it
    for start in range(0, length - 1, stride):
        end = min(start + window, length)
        part = ids[:, start:end]
        targets = part[:, 1:].clone()
        targets[:, : max(0, counted - start - 1)] = IGNORED
        found.update(model(part).logits[:, :-1], targets)
        counted = end
        if end == length:
            break
    return found.compute()
