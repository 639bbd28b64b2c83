"""Articles for language models: WikiText, and windows of any long row of ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import dispatch_core as dc
from dispatch_core.extend import FileFormatError, Tensor
from dispatch_core.utils.data import Dataset
from dispatch_text._files import PathLike, read_lines
from dispatch_text.datasets.base import TextDataset


class WikiText2(TextDataset[str]):
    """Lines of good articles of Wikipedia (Merity et al. 2016), blank ones left out.

    Reads wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens, or the .raw files.
    """

    splits = ("train", "valid", "test")
    folder: ClassVar[str] = "wikitext-2"
    source = "the WikiText long term dependency language modeling dataset"

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: Callable[[str], Any] | None = None,
    ) -> None:
        super().__init__(root, split, transform)
        names = (f"wiki.{split}.tokens", f"wiki.{split}.raw")
        folders = ("", f"{self.folder}/", f"{self.folder}-raw/")
        file = self.find(*(folder + name for folder in folders for name in names))
        self.samples = [line.strip() for _, line in read_lines(file) if line.strip()]
        if not self.samples:
            raise FileFormatError(f"{file}: no text")


class WikiText103(WikiText2):
    """The same, fifty times as much."""

    folder = "wikitext-103"


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Stretches of `length` ids of one long row, and the ids that follow each of them.

    They begin every `stride` ids (by default side by side); what is left at the end is dropped.
    """

    def __init__(self, ids: Any, length: int, stride: int | None = None) -> None:
        self.ids = dc.as_tensor(ids, dtype=dc.int64)
        self.length, self.stride = length, length if stride is None else stride
        if length < 1 or self.stride < 1:
            raise ValueError(f"length and stride must be at least 1, got {length} and {stride}")
        if self.ids.ndim != 1 or len(self.ids) <= length:
            raise ValueError(
                f"expected one row of more than {length} ids, got shape {tuple(self.ids.shape)}"
            )

    def __len__(self) -> int:
        return (len(self.ids) - self.length - 1) // self.stride + 1

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        start = index % len(self) * self.stride
        end = start + self.length
        return self.ids[start:end], self.ids[start + 1 : end + 1]
