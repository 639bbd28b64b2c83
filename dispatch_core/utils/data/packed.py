"""`PackedList`: what a dataset knows of its samples, in one piece of memory that workers share."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np

__all__ = ["PackedList"]

T = TypeVar("T")


class PackedList(Sequence[T], Generic[T]):
    """A list that cannot be changed, of which forked workers share the memory.

    Looking at a Python object writes into it (its reference count), so a forked process gets copies
    of the pages of a long list of file names or labels little by little. Here the items are pickled,
    one behind the other, in two arrays; each access makes a new object.
    """

    def __init__(self, items: Iterable[T]) -> None:
        pieces = [pickle.dumps(item, pickle.HIGHEST_PROTOCOL) for item in items]
        self._ends = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
        self._bytes = np.frombuffer(b"".join(pieces), np.uint8)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return pickle.loads(self._bytes[self._ends[place] : self._ends[place + 1]].data)

    def __repr__(self) -> str:
        return (
            f"<PackedList of {len(self)} items in {self._bytes.nbytes + self._ends.nbytes:,} bytes>"
        )
