"""Texts with a class: AG_NEWS, IMDB, SST-2."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from dispatch_core.extend import FileFormatError
from dispatch_text._files import PathLike, read_lines, read_text
from dispatch_text.datasets.base import TextDataset


class AG_NEWS(TextDataset[tuple[int, str]]):  # noqa: N801  torchtext's name
    """News by topic (Zhang et al. 2015): label 1 to 4, title and description.

    Reads train.csv and test.csv: class, title, description, each in quotes.
    """

    classes: ClassVar[tuple[str, ...]] = ("World", "Sports", "Business", "Sci/Tech")
    source = "the AG's corpus of news articles, ag_news_csv"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: Callable[[tuple[int, str]], Any] | None = None,
    ) -> None:
        super().__init__(root, split, transform)
        file = self.find(f"{split}.csv", f"ag_news_csv/{split}.csv")
        self.samples = [self._sample(file, line, row) for line, row in _rows(file)]
        if not self.samples:
            raise FileFormatError(f"{file}: no rows")

    def _sample(self, file: Path, line: int, row: list[str]) -> tuple[int, str]:
        if len(row) != 3:
            raise FileFormatError(
                f"{file}: line {line}: {len(row)} fields, expected class, title and description"
            )
        if row[0] not in ("1", "2", "3", "4"):
            raise FileFormatError(f"{file}: line {line}: class {row[0]!r}, expected 1, 2, 3 or 4")
        return int(row[0]), f"{row[1]} {row[2]}"


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(read_text(file)), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise FileFormatError(f"{file}: line {reader.line_num}: {error}") from error


class IMDB(TextDataset[tuple[int, str]]):
    """Film reviews (Maas et al. 2011): 1 for a bad one or 2 for a good one, text.

    Reads the folders neg and pos of train and test, a file for each review, when it is asked for.
    """

    classes: ClassVar[tuple[str, ...]] = ("neg", "pos")
    source = "the Large Movie Review Dataset, aclImdb_v1.tar.gz"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: Callable[[tuple[int, str]], Any] | None = None,
    ) -> None:
        super().__init__(root, split, transform)
        folder = self.find(split, f"aclImdb/{split}")
        self.files: list[tuple[int, Path]] = []
        for label, name in enumerate(self.classes, 1):
            found = sorted(folder.joinpath(name).glob("*.txt"))
            if not found:
                raise FileNotFoundError(f"{folder / name}: no review (*.txt) is there")
            self.files += [(label, file) for file in found]

    def sample(self, index: int) -> tuple[int, str]:
        label, file = self.files[index]
        return label, read_text(file)

    def __len__(self) -> int:
        return len(self.files)


class SST2(TextDataset[tuple[str, int] | tuple[str]]):
    """Sentences of film reviews: (text, 0 for bad or 1 for good), (text,) in the test split.

    (Socher et al. 2013, as GLUE has them.) Reads train.tsv, dev.tsv and test.tsv.
    """

    splits = ("train", "dev", "test")
    classes: ClassVar[tuple[str, ...]] = ("negative", "positive")
    source = "the GLUE benchmark, SST-2.zip"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: Callable[[tuple[str, int] | tuple[str]], Any] | None = None,
    ) -> None:
        super().__init__(root, split, transform)
        file = self.find(f"{split}.tsv", f"SST-2/{split}.tsv")
        lines = read_lines(file)
        head = ["index", "sentence"] if split == "test" else ["sentence", "label"]
        _, first = next(lines, (1, ""))
        if first.split("\t") != head:
            raise FileFormatError(
                f"{file}: the first line must name the columns {' and '.join(head)}, got {first!r}"
            )
        self.samples = [self._sample(file, number, line) for number, line in lines]
        if not self.samples:
            raise FileFormatError(f"{file}: no rows")

    def _sample(self, file: Path, number: int, line: str) -> tuple[str, int] | tuple[str]:
        fields = line.split("\t")
        if len(fields) != 2:
            raise FileFormatError(f"{file}: line {number}: {len(fields)} columns, expected 2")
        if self.split == "test":
            return (fields[1].strip(),)
        if fields[1] not in ("0", "1"):
            raise FileFormatError(f"{file}: line {number}: label {fields[1]!r}, expected 0 or 1")
        return fields[0].strip(), int(fields[1])
