"""Sentences with a tag for each word, in columns: the formats of the CoNLL shared tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from dispatch_core.extend import FileFormatError
from dispatch_text._files import PathLike, read_lines
from dispatch_text.datasets.base import TextDataset

Columns = tuple[list[str], ...]


def read_columns(file: Path, count: int | None = None) -> list[Columns]:
    """The sentences of a file: a line a word with columns between spaces or tabs, then a blank line.

    Documents' marks (-DOCSTART-) and comments (# ...) are left out. Raises FileFormatError where a
    line has another number of columns than `count`, or than the line before.
    """
    found: list[Columns] = []
    rows: list[list[str]] = []
    for number, line in read_lines(file):
        if not line.strip():
            _end(rows, found)
            rows = []
        elif not line.startswith(("-DOCSTART-", "# ")):
            fields = line.split("\t") if "\t" in line else line.split()
            count = len(fields) if count is None else count
            if len(fields) != count:
                raise FileFormatError(
                    f"{file}: line {number}: {len(fields)} columns, expected {count}"
                )
            rows.append(fields)
    _end(rows, found)
    if not found:
        raise FileFormatError(f"{file}: no sentences")
    return found


def _end(rows: list[list[str]], found: list[Columns]) -> None:
    if rows:
        found.append(tuple(list(column) for column in zip(*rows, strict=True)))


class CoNLL(TextDataset[Columns]):
    """Sentences of any file with columns: a list of each column's entries, the words' first."""

    splits = ("",)

    def __init__(self, file: PathLike, transform: Callable[[Columns], Any] | None = None) -> None:
        super().__init__(file, "", transform)
        self.samples = read_columns(self.root)


class _Task(TextDataset[Columns]):
    columns: ClassVar[int]
    files: ClassVar[dict[str, tuple[str, ...]]]

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: Callable[[Columns], Any] | None = None,
    ) -> None:
        super().__init__(root, split, transform)
        self.samples = read_columns(self.find(*self.files[split]), self.columns)


class CoNLL2000Chunking(_Task):
    """(words, parts of speech, chunks), from train.txt and test.txt."""

    columns = 3
    files: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": ("train.txt",),
        "test": ("test.txt",),
    }
    source = "the CoNLL-2000 shared task"


class CoNLL2003(_Task):
    """(words, parts of speech, chunks, names), from eng.train, eng.testa and eng.testb."""

    splits = ("train", "valid", "test")
    columns = 4
    files: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": ("eng.train", "train.txt"),
        "valid": ("eng.testa", "valid.txt"),
        "test": ("eng.testb", "test.txt"),
    }
    source = "the CoNLL-2003 shared task"
