"""A vocabulary: tokens and their indices, with torchtext's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dispatch_core.extend import FileFormatError
from dispatch_text._files import PathLike, read_lines


class Vocab:
    """Tokens by index and indices by token.

    `default_index` is what a token that is not there gets; without one it is a RuntimeError. A
    vocabulary is called with a list of tokens and gives their indices.
    """

    def __init__(self, tokens: Iterable[str] = (), default_index: int | None = None) -> None:
        self._tokens: list[str] = []
        self._indices: dict[str, int] = {}
        for token in tokens:
            self.append_token(token)
        self._default = default_index
        if default_index is not None:
            self.set_default_index(default_index)

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._indices

    def __iter__(self) -> Iterator[str]:
        return iter(self._tokens)

    def __getitem__(self, token: str) -> int:
        found = self._indices.get(token, self._default)
        if found is None:
            raise RuntimeError(
                f"token {token!r} is not in the vocabulary of {len(self)}; "
                "set_default_index(...) says what such tokens get"
            )
        return found

    def __call__(self, tokens: Iterable[str]) -> list[int]:
        return self.lookup_indices(tokens)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocab):
            return NotImplemented
        return self._tokens == other._tokens and self._default == other._default

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Vocab({len(self)} tokens, default_index={self._default})"

    def lookup_indices(self, tokens: Iterable[str]) -> list[int]:
        """The index of each token."""
        return [self[token] for token in tokens]

    def lookup_token(self, index: int) -> str:
        """The token at an index; RuntimeError where there is none."""
        if not 0 <= index < len(self):
            raise RuntimeError(f"index {index} is outside of a vocabulary of {len(self)} tokens")
        return self._tokens[index]

    def lookup_tokens(self, indices: Iterable[int]) -> list[str]:
        """The token at each index."""
        return [self.lookup_token(int(index)) for index in indices]

    def get_stoi(self) -> dict[str, int]:
        """A copy of token -> index."""
        return dict(self._indices)

    def get_itos(self) -> list[str]:
        """A copy of the tokens in order."""
        return list(self._tokens)

    def get_default_index(self) -> int | None:
        """What a token that is not there gets."""
        return self._default

    def set_default_index(self, index: int | None) -> None:
        """Say what a token that is not there gets; None: an error."""
        if index is not None and not 0 <= index < len(self):
            raise RuntimeError(f"default index {index} is outside of {len(self)} tokens")
        self._default = index

    def append_token(self, token: str) -> None:
        """Add a token at the end; RuntimeError if it is there already."""
        self.insert_token(token, len(self))

    def insert_token(self, token: str, index: int) -> None:
        """Add a token at an index; those behind it move on by one."""
        if not isinstance(token, str):
            raise TypeError(f"a token is a str, got {type(token).__name__}")
        if token in self._indices:
            raise RuntimeError(f"token {token!r} is in the vocabulary already")
        if not 0 <= index <= len(self):
            raise RuntimeError(f"index {index} is outside of 0 to {len(self)}")
        self._tokens.insert(index, token)
        for at in range(index, len(self)):
            self._indices[self._tokens[at]] = at

    def save(self, path: PathLike) -> None:
        """Write one token a line, as the `vocab.txt` of BERT; ValueError for one with a newline."""
        broken = [token for token in self if "\n" in token or "\r" in token]
        if broken:
            raise ValueError(f"token {broken[0]!r} has a newline and cannot be a line of {path}")
        text = "".join(f"{token}\n" for token in self)
        Path(path).write_bytes(text.encode())

    @classmethod
    def load(cls, path: PathLike, unknown: str | None = None) -> Vocab:
        """Read one token a line; `unknown` is the token whose index others get.

        Raises FileFormatError for a token that is there twice or an `unknown` that is not there.
        """
        made = cls()
        for number, token in read_lines(path):
            if token in made:
                raise FileFormatError(f"{path}: line {number}: token {token!r} is there already")
            made.append_token(token)
        if unknown is not None:
            if unknown not in made:
                raise FileFormatError(
                    f"{path}: the token for unknown words, {unknown!r}, is missing"
                )
            made.set_default_index(made[unknown])
        return made


def vocab(
    ordered_dict: Mapping[str, int],
    min_freq: int = 1,
    specials: Sequence[str] = (),
    special_first: bool = True,
) -> Vocab:
    """A vocabulary of the tokens that occur at least `min_freq` times, in the mapping's order."""
    kept = [t for t, count in ordered_dict.items() if count >= min_freq and t not in specials]
    return Vocab([*specials, *kept] if special_first else [*kept, *specials])


def build_vocab_from_iterator(
    iterator: Iterable[Iterable[str]],
    min_freq: int = 1,
    specials: Sequence[str] = (),
    special_first: bool = True,
    max_tokens: int | None = None,
) -> Vocab:
    """A vocabulary of lists of tokens: the most frequent first, equally frequent ones by alphabet.

    `max_tokens` bounds the size, `specials` included.
    """
    counts: Counter[str] = Counter()
    for tokens in iterator:
        counts.update(tokens)
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    for special in specials:
        ordered.pop(special, None)
    if max_tokens is not None:
        if max_tokens < len(specials):
            raise ValueError(f"max_tokens={max_tokens} is less than the {len(specials)} specials")
        ordered = dict(list(ordered.items())[: max_tokens - len(specials)])
    return vocab(ordered, min_freq, specials, special_first)
