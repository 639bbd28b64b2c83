"""Ids that come one by one as text."""

from __future__ import annotations

from dispatch_text.tokenizers.base import Tokenizer

_BROKEN = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Gives the text of ids piece by piece; a character whose bytes are not all there is held back."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._ids: list[int] = []
        self._given = ""

    def push(self, index: int) -> str:
        """What is certain of the text now and was not before."""
        self._ids.append(index)
        text = self.tokenizer.decode(self._ids)
        if text.endswith(_BROKEN) or not text.startswith(self._given):
            return ""
        return self._take(text)

    def end(self) -> str:
        """What was held back."""
        text = self.tokenizer.decode(self._ids)
        return self._take(text) if text.startswith(self._given) else ""

    def _take(self, text: str) -> str:
        piece = text[len(self._given) :]
        self._given = text
        return piece
