"""Questions whose answers stand in a text: SQuAD 1.1 and 2.0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dispatch_core.extend import FileFormatError
from dispatch_text._files import PathLike, read_json
from dispatch_text.datasets.base import TextDataset


class Question(NamedTuple):
    """One question; `answers` is empty where the text does not answer it (SQuAD 2.0)."""

    context: str
    question: str
    answers: list[str]
    answer_starts: list[int]
    """Where each answer begins in the context, in characters."""


class SQuAD(TextDataset[Question]):
    """Questions about Wikipedia's articles (Rajpurkar et al. 2016, 2018).

    Reads train-v1.1.json, dev-v1.1.json or, with `version` "2.0", train-v2.0.json, dev-v2.0.json. An
    answer that does not stand in the text where the file says so is a FileFormatError.
    """

    splits = ("train", "dev")
    source = "the Stanford Question Answering Dataset"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: Callable[[Question], Any] | None = None,
        *,
        version: str = "1.1",
    ) -> None:
        super().__init__(root, split, transform)
        if version not in ("1.1", "2.0"):
            raise ValueError(f"version must be '1.1' or '2.0', got {version!r}")
        file = self.find(f"{split}-v{version}.json")
        self.samples = list(_questions(file))
        if not self.samples:
            raise FileFormatError(f"{file}: no questions")


def _questions(file: Path) -> Iterator[Question]:
    for article in _field(file, "the file", read_json(file), "data", list):
        for paragraph in _field(file, "an article", article, "paragraphs", list):
            context = _field(file, "a paragraph", paragraph, "context", str)
            for each in _field(file, "a paragraph", paragraph, "qas", list):
                yield _question(file, context, each)


def _question(file: Path, context: str, given: Any) -> Question:
    asked = _field(file, "a question", given, "question", str)
    where = f"question {given.get('id', asked)!r}"
    texts, starts = [], []
    for answer in _field(file, where, given, "answers", list):
        text = _field(file, where, answer, "text", str)
        start = _field(file, where, answer, "answer_start", int)
        if context[start : start + len(text)] != text or start < 0:
            raise FileFormatError(
                f"{file}: {where}: the answer {text!r} does not stand at {start} of its context"
            )
        texts.append(text)
        starts.append(start)
    return Question(context, asked, texts, starts)


def _field(file: Path, where: str, given: Any, name: str, kind: type) -> Any:
    found = given.get(name) if isinstance(given, dict) else None
    if not isinstance(found, kind):
        raise FileFormatError(
            f"{file}: {where}: '{name}' must be a {kind.__name__}, got {type(found).__name__}"
        )
    return found
