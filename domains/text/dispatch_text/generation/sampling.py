"""From logits to the next token: penalties, temperature, truncation, the draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dispatch_core as dc
from dispatch_core.extend import Tensor
from dispatch_text.ops import keep_top_k, keep_top_p


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is chosen of logits.

    Without `do_sample` the most probable one. Otherwise logits are divided by `temperature`, cut
    to the `top_k` largest and to the most probable that reach `top_p`, and one is drawn.
    `repetition_penalty` above 1 makes tokens that are there already less likely (Keskar et al.
    2019). `min_new_tokens` keeps a text from ending before.
    """

    do_sample: bool = False
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    min_new_tokens: int = 0
    generator: Any = None

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(
                f"temperature must be above 0, got {self.temperature}; do_sample=False always takes "
                "the most probable token"
            )
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {self.top_k}")
        if self.top_p is not None and not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if not self.repetition_penalty > 0.0:
            raise ValueError(f"repetition_penalty must be above 0, got {self.repetition_penalty}")

    def adjusted(self, logits: Tensor, ids: Tensor, generated: int, ends: list[int]) -> Tensor:
        """Logits (N, V) after penalties, in float32."""
        logits = logits.to(dc.float32)
        if self.repetition_penalty != 1.0:
            found = logits.gather(1, ids)
            punished = dc.where(
                found < 0, found * self.repetition_penalty, found / self.repetition_penalty
            )
            logits = logits.scatter(1, ids, punished)
        if generated < self.min_new_tokens and ends:
            index = dc.tensor(ends, device=logits.device)
            logits = logits.index_fill(1, index, -float("inf"))
        return logits

    def choose(self, logits: Tensor) -> Tensor:
        """One token for each row (N, V) -> (N,)."""
        if not self.do_sample:
            return logits.argmax(-1)
        logits = logits / self.temperature
        if self.top_k is not None:
            logits = keep_top_k(logits, self.top_k)
        if self.top_p is not None and self.top_p < 1.0:
            logits = keep_top_p(logits, self.top_p)
        return dc.multinomial(logits.softmax(-1), 1, generator=self.generator).squeeze(1)
