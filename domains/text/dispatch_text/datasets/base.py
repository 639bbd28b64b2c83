"""Data sets that lie in files in their published formats; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from dispatch_core.utils.data import Dataset
from dispatch_text._files import PathLike

T = TypeVar("T")


class TextDataset(Dataset[T], Generic[T]):
    """Samples by number. `transform` is applied to each when it is asked for."""

    splits: ClassVar[tuple[str, ...]] = ("train", "test")
    source: ClassVar[str] = ""
    """Where the files are published, for the message when they are missing."""

    def __init__(self, root: PathLike, split: str, transform: Callable[[T], Any] | None) -> None:
        if split not in self.splits:
            raise ValueError(
                f"{type(self).__name__} has the splits {', '.join(self.splits)}, got {split!r}"
            )
        self.root, self.split, self.transform = Path(root), split, transform
        self.samples: Sequence[T] = ()

    def find(self, *names: str) -> Path:
        """The first of several places below the root that is there; FileNotFoundError for none.

        The root may also be the file itself.
        """
        if self.root.is_file():
            return self.root
        for name in names:
            if (self.root / name).exists():
                return self.root / name
        raise FileNotFoundError(
            f"{self.root}: {' nor '.join(names)} is there"
            f"{'' if len(names) == 1 else ' (looked for each)'}; {type(self).__name__} reads files "
            f"and downloads nothing: get them from {self.source} and unpack them there"
        )

    def sample(self, index: int) -> T:
        """The sample at a place from 0 on."""
        return self.samples[index]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        found = self.sample(index % len(self))
        return found if self.transform is None else self.transform(found)

    def __len__(self) -> int:
        return len(self.samples)
