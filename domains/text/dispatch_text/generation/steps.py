"""What `generate` asks of a model: the logits of the next token, sequence by sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import dispatch_core as dc
from dispatch_core.extend import Tensor
from dispatch_text.generation.cache import KeyValueCache


class Steps(ABC):
    """A generation in progress. `ids` (N, L) are what it begins with."""

    ids: Tensor

    @abstractmethod
    def logits(self, ids: Tensor) -> Tensor:
        """Of the token behind `ids` (N, L), all that there is so far: (N, V)."""

    @abstractmethod
    def reorder(self, rows: Tensor) -> None:
        """Go on with the sequences `rows`; a row may come several times."""


class Generator(Protocol):
    """A model that `generate` takes."""

    config: Any

    def steps(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = True
    ) -> Steps:
        """Begin a generation."""


class CausalSteps(Steps):
    """Of a decoder: the text itself goes on. Padding stands on the left."""

    def __init__(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, use_cache: bool
    ) -> None:
        if attention_mask is not None and not bool((attention_mask[:, -1] != 0).all()):
            raise ValueError(
                "a text ends in padding, so nothing can follow it: pad on the left "
                "(tokenizer(texts, padding_side='left'))"
            )
        self.model, self.ids, self.mask = model, input_ids, attention_mask
        self.cache = KeyValueCache() if use_cache else None

    def logits(self, ids: Tensor) -> Tensor:
        if self.mask is not None and self.mask.shape[1] < ids.shape[1]:
            more = ids.shape[1] - self.mask.shape[1]
            ones = dc.ones(ids.shape[0], more, dtype=self.mask.dtype, device=ids.device)
            self.mask = dc.cat([self.mask, ones], 1)
        new = ids if self.cache is None else ids[:, self.cache.length :]
        out = self.model(new, attention_mask=self.mask, past_key_values=self.cache)
        return out.logits[:, -1]

    def reorder(self, rows: Tensor) -> None:
        if self.cache is not None:
            self.cache.reorder(rows)
        if self.mask is not None:
            self.mask = self.mask.index_select(0, rows)


class Seq2SeqSteps(Steps):
    """Of an encoder with a decoder: the text is encoded once, and another begins."""

    def __init__(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, use_cache: bool
    ) -> None:
        self.model, self.mask = model, attention_mask
        self.encoded = model.encode(input_ids, attention_mask)
        self.cache = KeyValueCache() if use_cache else None
        self.ids = model.shifted(input_ids[:, :1])

    def logits(self, ids: Tensor) -> Tensor:
        new = ids if self.cache is None else ids[:, self.cache.length :]
        out = self.model(
            attention_mask=self.mask,
            decoder_input_ids=new,
            past_key_values=self.cache,
            encoder_output=self.encoded,
        )
        return out.logits[:, -1]

    def reorder(self, rows: Tensor) -> None:
        if self.cache is not None:
            self.cache.reorder(rows)
        self.encoded = self.encoded.index_select(0, rows)
        if self.mask is not None:
            self.mask = self.mask.index_select(0, rows)
