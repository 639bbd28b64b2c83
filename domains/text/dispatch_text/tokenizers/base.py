"""What all tokenizers do: text to ids and back, and texts to a padded batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from dispatch_core.extend import Tensor
from dispatch_text.collate import pad


class Tokenizer(ABC):
    """Text to ids and back.

    Called with one text or several it gives tensors for a model: "input_ids" and "attention_mask"
    of shape (N, L), int64, padded with `pad_id`; with pairs of texts "token_type_ids" too.
    """

    pad_id: int = 0
    padding_side: str = "right"

    @abstractmethod
    def __len__(self) -> int:
        """The number of ids."""

    @abstractmethod
    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True
    ) -> list[int]:
        """The ids of a text (and of a second one behind it)."""

    @abstractmethod
    def decode(self, ids: Iterable[int] | Tensor, *, skip_special_tokens: bool = True) -> str:
        """The text of ids."""

    @abstractmethod
    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text as they stand in the vocabulary, without special ones."""

    def encode_batch(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        add_special_tokens: bool = True,
    ) -> list[list[int]]:
        """The ids of each text."""
        seconds: Sequence[str | None] = [None] * len(texts) if pairs is None else pairs
        return [
            self.encode(text, pair, add_special_tokens=add_special_tokens)
            for text, pair in zip(texts, seconds, strict=True)
        ]

    def decode_batch(
        self, rows: Iterable[Iterable[int] | Tensor], *, skip_special_tokens: bool = True
    ) -> list[str]:
        """The text of each row of ids."""
        return [self.decode(row, skip_special_tokens=skip_special_tokens) for row in rows]

    def token_types(self, ids: list[int], text: str, pair: str) -> list[int]:
        """0 for the ids of the first text, 1 for those of the second; models with pairs need it."""
        first = len(self.encode(text))
        return [0] * first + [1] * (len(ids) - first)

    def __call__(
        self,
        texts: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        *,
        max_length: int | None = None,
        padding_side: str | None = None,
        pad_to_multiple_of: int = 1,
        add_special_tokens: bool = True,
        device: Any = None,
    ) -> dict[str, Tensor]:
        """The batch of one text or several, each cut to `max_length` ids.

        Raises ValueError for no text, or one that gives no ids; the message has its place.
        """
        texts, pairs = _listed(texts), None if pairs is None else _listed(pairs)
        if not texts:
            raise ValueError("there is nothing to tokenize: the list of texts is empty")
        if pairs is not None and len(pairs) != len(texts):
            raise ValueError(f"{len(texts)} texts do not pair with {len(pairs)} second ones")
        if max_length is not None and max_length < 1:
            raise ValueError(f"max_length must be at least 1, got {max_length}")
        rows = self._rows(texts, pairs, add_special_tokens, max_length)
        for at, row in enumerate(rows["input_ids"]):
            if not row:
                raise ValueError(f"text {at} gives no tokens: {texts[at]!r}")
        side = padding_side or self.padding_side
        ids, mask = pad(rows["input_ids"], self.pad_id, side, pad_to_multiple_of)
        batch = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in rows:
            batch["token_type_ids"] = pad(rows["token_type_ids"], 0, side, pad_to_multiple_of)[0]
        return {key: value.to(device) for key, value in batch.items()} if device else batch

    def _rows(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        add_special_tokens: bool,
        max_length: int | None,
    ) -> dict[str, list[list[int]]]:
        """The ids (and kinds of ids) of each text, not longer than `max_length`."""
        ids = self.encode_batch(texts, pairs, add_special_tokens=add_special_tokens)
        rows = {"input_ids": ids}
        if pairs is not None:
            rows["token_type_ids"] = [
                self.token_types(row, text, pair)
                for row, text, pair in zip(ids, texts, pairs, strict=True)
            ]
        return {key: [row[:max_length] for row in found] for key, found in rows.items()}


def _listed(texts: str | Sequence[str]) -> list[str]:
    listed = [texts] if isinstance(texts, str) else list(texts)
    for at, text in enumerate(listed):
        if not isinstance(text, str):
            raise TypeError(f"text {at} is a {type(text).__name__}, expected a str")
    return listed


def as_ids(ids: Iterable[int] | Tensor) -> list[int]:
    """A row of ids as a list; ValueError for a tensor of several rows."""
    if not isinstance(ids, Tensor):
        return [int(index) for index in ids]
    if ids.ndim != 1:
        raise ValueError(f"expected one row of ids, got shape {tuple(ids.shape)}; see decode_batch")
    found: list[int] = ids.tolist()
    return found
