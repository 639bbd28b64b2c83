"""Models of SentencePiece (tokenizer.model, spiece.model), read by its library (an extra)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dispatch_core.extend import FileFormatError, Tensor
from dispatch_text._files import PathLike, extra
from dispatch_text.tokenizers.base import Tokenizer, as_ids


class SentencePieceTokenizer(Tokenizer):
    """A trained SentencePiece model: pieces that know where words begin.

    `begin` and `end` say whether ids begin with the model's `<s>` and end with its `</s>`; T5 ends
    its texts, Llama begins them. `backend` is the library's own processor.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: it is no SentencePiece model; the message names the file.
        ImportError: the extra is not installed.

    """

    def __init__(self, path: PathLike, *, begin: bool = False, end: bool = False) -> None:
        library = extra("sentencepiece", "sentencepiece", "SentencePieceTokenizer")
        self.path = Path(path)
        blob = self.path.read_bytes()
        self.backend = library.SentencePieceProcessor()
        try:
            if not blob:
                raise RuntimeError("the file is empty")
            self.backend.LoadFromSerializedProto(blob)
        except (RuntimeError, OSError) as error:
            raise FileFormatError(f"{self.path}: no SentencePiece model: {error}") from error
        self.begin, self.end = begin, end
        for wanted, index, name in (
            (begin, self.backend.bos_id(), "begin"),
            (end, self.backend.eos_id(), "end"),
        ):
            if wanted and index < 0:
                raise ValueError(f"{self.path}: the model has no piece for {name}=True")
        self.pad_id = max(self.backend.pad_id(), 0)

    def __len__(self) -> int:
        size: int = self.backend.GetPieceSize()
        return size

    def tokenize(self, text: str) -> list[str]:
        pieces: list[str] = self.backend.EncodeAsPieces(text)
        return pieces

    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True
    ) -> list[int]:
        parts = (text,) if pair is None else (text, pair)
        return self._wrapped([self.backend.EncodeAsIds(part) for part in parts], add_special_tokens)

    def encode_batch(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        add_special_tokens: bool = True,
    ) -> list[list[int]]:
        columns = [
            self.backend.EncodeAsIds(list(part)) for part in (texts, pairs) if part is not None
        ]
        return [
            self._wrapped(list(parts), add_special_tokens) for parts in zip(*columns, strict=True)
        ]

    def _wrapped(self, parts: list[list[int]], add_special_tokens: bool) -> list[int]:
        found = [self.backend.bos_id()] * (self.begin and add_special_tokens)
        for part in parts:
            found += part + [self.backend.eos_id()] * (self.end and add_special_tokens)
        return found

    def decode(self, ids: Iterable[int] | Tensor, *, skip_special_tokens: bool = True) -> str:
        listed = as_ids(ids)
        for index in listed:
            if not 0 <= index < len(self):
                raise RuntimeError(f"id {index} is outside of 0 to {len(self) - 1}")
        if skip_special_tokens:
            listed = [i for i in listed if not self.backend.IsControl(i)]
        text: str = self.backend.DecodeIds(listed)
        return text
