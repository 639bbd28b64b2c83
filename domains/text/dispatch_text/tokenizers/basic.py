"""Own tokenizers: split at white space, by a regular expression, into characters or bytes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Self

from dispatch_core.extend import Tensor
from dispatch_text.tokenizers.base import Tokenizer, as_ids
from dispatch_text.vocabulary import Vocab, build_vocab_from_iterator

PAD, UNKNOWN, BEGIN, END = "<pad>", "<unk>", "<s>", "</s>"


class VocabTokenizer(Tokenizer):
    """Splits text into tokens that a vocabulary numbers.

    Without a vocabulary only `tokenize` works; `fit` makes one of texts. `begin` and `end` say
    whether ids begin with `<s>` and end with `</s>`, as far as the vocabulary has them.
    """

    separator = " "
    """What stands between tokens when ids become text again."""

    def __init__(
        self,
        vocab: Vocab | None = None,
        *,
        lower: bool = False,
        begin: bool = False,
        end: bool = False,
    ) -> None:
        self.lower, self.begin, self.end = lower, begin, end
        self._vocab = vocab
        if vocab is not None:
            self.vocab = vocab

    @property
    def vocab(self) -> Vocab:
        """The vocabulary; RuntimeError before there is one."""
        if self._vocab is None:
            raise RuntimeError(
                f"{type(self).__name__} has no vocabulary: give it one, or fit it to texts"
            )
        return self._vocab

    @vocab.setter
    def vocab(self, vocab: Vocab) -> None:
        for wanted, token in ((self.begin, BEGIN), (self.end, END)):
            if wanted and token not in vocab:
                raise ValueError(f"the vocabulary lacks {token!r}, which begin= or end= asks for")
        self._vocab = vocab
        self.pad_id = vocab.get_stoi().get(PAD, 0)

    def fit(
        self, texts: Iterable[str], *, min_freq: int = 1, max_tokens: int | None = None
    ) -> Self:
        """Number the tokens of texts, the most frequent first, after the special ones."""
        specials = (PAD, UNKNOWN, BEGIN, END)
        made = build_vocab_from_iterator(
            map(self.tokenize, texts), min_freq, specials, max_tokens=max_tokens
        )
        made.set_default_index(made[UNKNOWN])
        self.vocab = made
        return self

    def split(self, text: str) -> list[str]:
        """The tokens of a text that has been normalised."""
        raise NotImplementedError(f"{type(self).__name__} must define split()")

    def tokenize(self, text: str) -> list[str]:
        return self.split(text.lower() if self.lower else text)

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True
    ) -> list[int]:
        tokens = self.tokenize(text)
        if add_special_tokens:
            tokens = [BEGIN] * self.begin + tokens + [END] * self.end
        if pair is not None:
            tokens += self.tokenize(pair) + [END] * (self.end and add_special_tokens)
        return self.vocab(tokens)

    def decode(self, ids: Iterable[int] | Tensor, *, skip_special_tokens: bool = True) -> str:
        tokens = self.vocab.lookup_tokens(as_ids(ids))
        if skip_special_tokens:
            tokens = [token for token in tokens if token not in (PAD, BEGIN, END)]
        return self.separator.join(tokens)


class WhitespaceTokenizer(VocabTokenizer):
    """Splits at white space."""

    def split(self, text: str) -> list[str]:
        return text.split()


class RegexTokenizer(VocabTokenizer):
    r"""The matches of a regular expression; by default words, numbers and single marks.

    Accents are kept as they are written (NFC). With `lower` it is the usual "basic English" split.
    """

    WORDS = r"\w+(?:'\w+)?|[^\w\s]"

    def __init__(
        self,
        vocab: Vocab | None = None,
        *,
        pattern: str = WORDS,
        lower: bool = False,
        begin: bool = False,
        end: bool = False,
    ) -> None:
        super().__init__(vocab, lower=lower, begin=begin, end=end)
        try:
            self.pattern = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error

    def split(self, text: str) -> list[str]:
        matches = self.pattern.finditer(unicodedata.normalize("NFC", text))
        return [match.group() for match in matches if match.group()]


class CharTokenizer(VocabTokenizer):
    """One token a character (a Unicode code point)."""

    separator = ""

    def split(self, text: str) -> list[str]:
        return list(text)


class ByteTokenizer(Tokenizer):
    """One id a byte of UTF-8, three up, with the special ids of ByT5: 0 pads, 1 ends, 2 is unknown.

    No vocabulary, no unknown words. Bytes that are no UTF-8 become U+FFFD when ids become text.
    """

    pad_id = 0
    end_id = 1
    _FIRST = 3

    def __init__(self, *, end: bool = False) -> None:
        self.end = end

    def __len__(self) -> int:
        return 256 + self._FIRST

    def tokenize(self, text: str) -> list[str]:
        return [f"<0x{byte:02X}>" for byte in text.encode()]

    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True
    ) -> list[int]:
        found: list[int] = []
        for part in (text,) if pair is None else (text, pair):
            found += [byte + self._FIRST for byte in part.encode()]
            found += [self.end_id] * (self.end and add_special_tokens)
        return found

    def decode(self, ids: Iterable[int] | Tensor, *, skip_special_tokens: bool = True) -> str:
        out = bytearray()
        for index in as_ids(ids):
            if not 0 <= index < len(self):
                raise RuntimeError(f"id {index} is outside of 0 to {len(self) - 1}")
            if index >= self._FIRST:
                out.append(index - self._FIRST)
            elif not skip_special_tokens:
                out += (b"<pad>", b"</s>", b"<unk>")[index]
        return out.decode("utf-8", errors="replace")
