"""The tokenizer.json of Hugging Face models, read by the library `tokenizers` (an extra)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dispatch_core.extend import FileFormatError, Tensor
from dispatch_text._files import PathLike, extra, read_json
from dispatch_text.tokenizers.base import Tokenizer, as_ids


class HuggingFaceTokenizer(Tokenizer):
    """A tokenizer.json: normalising, splitting, merging and special tokens in compiled code.

    `path` is the file or the folder of a model. Padding and truncation that the file asks for are
    off: a batch is padded to its longest text, and cut by `max_length` only. `backend` is the
    library's own object.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: it is no tokenizer; the message names the file.
        ImportError: the extra is not installed.

    """

    def __init__(self, path: PathLike) -> None:
        given = Path(path)
        self.path = given / "tokenizer.json" if given.is_dir() else given
        library = extra("tokenizers", "tokenizers", "HuggingFaceTokenizer")
        read_json(self.path)
        self.backend = self._read(library)
        self.backend.no_padding()
        self.backend.no_truncation()
        self._lock = threading.Lock()
        self.special = self._special_tokens()
        pad = self.special.get("pad_token")
        self.pad_id = self.backend.token_to_id(pad) if pad else 0

    def _read(self, library: Any) -> Any:
        try:
            return library.Tokenizer.from_file(str(self.path))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # the library's panics are no Exceptions
            raise FileFormatError(f"{self.path}: no tokenizer: {error}") from error

    def _special_tokens(self) -> dict[str, str]:
        """pad_token, eos_token ... that the files beside it name and the vocabulary has."""
        found: dict[str, str] = {}
        for name in ("special_tokens_map.json", "tokenizer_config.json"):
            file = self.path.parent / name
            for key, value in (read_json(file) if file.exists() else {}).items():
                token = value.get("content") if isinstance(value, dict) else value
                if key.endswith("_token") and isinstance(token, str):
                    if self.backend.token_to_id(token) is None:
                        raise FileFormatError(
                            f"{file}: {key} {token!r} is not in the vocabulary of {self.path}"
                        )
                    found[key] = token
        return found

    def id_of(self, token: str) -> int | None:
        """The id of a token, or of the special one of that role ("eos_token"); None if there is none."""
        found: int | None = self.backend.token_to_id(self.special.get(token, token))
        return found

    def __len__(self) -> int:
        size: int = self.backend.get_vocab_size()
        return size

    def tokenize(self, text: str) -> list[str]:
        return [self.backend.id_to_token(i) for i in self.encode(text, add_special_tokens=False)]

    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True
    ) -> list[int]:
        pairs = None if pair is None else [pair]
        return self.encode_batch([text], pairs, add_special_tokens=add_special_tokens)[0]

    def encode_batch(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        add_special_tokens: bool = True,
    ) -> list[list[int]]:
        return [found.ids for found in self._encodings(texts, pairs, add_special_tokens)]

    def _encodings(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        add_special_tokens: bool,
        max_length: int | None = None,
    ) -> list[Any]:
        given = list(texts) if pairs is None else list(zip(texts, pairs, strict=True))
        with self._lock:  # where texts are cut is a state of the library's object
            # It cuts before it adds what ends a text, so that a cut text still ends well.
            if max_length is not None:
                self.backend.enable_truncation(max_length)
            try:
                # Without offsets, which nobody asks for here.
                found: list[Any] = self.backend.encode_batch_fast(
                    given, add_special_tokens=add_special_tokens
                )
            except Exception as error:  # what the library raises has no class of its own
                raise ValueError(f"the texts cannot be tokenized: {error}") from error
            finally:
                self.backend.no_truncation()
        return found

    def _rows(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        add_special_tokens: bool,
        max_length: int | None,
    ) -> dict[str, list[list[int]]]:
        needed = self.backend.num_special_tokens_to_add(pairs is not None)
        if max_length is not None and add_special_tokens and max_length < needed:
            raise ValueError(
                f"max_length={max_length} has no room for the {needed} special tokens of a text"
            )
        encodings = self._encodings(texts, pairs, add_special_tokens, max_length)
        rows = {"input_ids": [encoding.ids for encoding in encodings]}
        if pairs is not None:
            rows["token_type_ids"] = [encoding.type_ids for encoding in encodings]
        return rows

    def decode(self, ids: Iterable[int] | Tensor, *, skip_special_tokens: bool = True) -> str:
        text: str = self.backend.decode(as_ids(ids), skip_special_tokens=skip_special_tokens)
        return text

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())
