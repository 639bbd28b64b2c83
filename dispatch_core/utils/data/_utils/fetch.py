"""Fetchers: take the samples of one batch (or one sample) out of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import islice
from typing import Any

from dispatch_core.utils.data.dataset import Dataset, IterableDataset


class MapFetcher:
    """Fetches by index; in batches through `__getitems__` where the dataset has it."""

    def __init__(self, dataset: Dataset[Any], batched: bool) -> None:
        self.dataset = dataset
        self.batched = batched

    def fetch(self, index: Any) -> tuple[Any, int]:
        """The sample or the list of samples at `index`, and how many they are."""
        if not self.batched:
            return self.dataset[index], 1
        getitems = getattr(self.dataset, "__getitems__", None)
        if getitems:
            return getitems(index), len(index)
        return [self.dataset[i] for i in index], len(index)


class StreamFetcher:
    """Fetches what comes next; `index` only says how many."""

    def __init__(
        self, dataset: IterableDataset[Any], batched: bool, drop_last: bool, skip: int
    ) -> None:
        self.stream: Iterator[Any] = iter(dataset)
        self.batched = batched
        self.drop_last = drop_last
        self.ended = False
        for _ in islice(self.stream, skip):
            pass

    def fetch(self, index: Sized) -> tuple[Any, int]:
        """The next sample or list of samples, and how many they are; StopIteration at the end."""
        if self.ended:
            raise StopIteration
        if not self.batched:
            return next(self.stream), 1
        samples = list(islice(self.stream, len(index)))
        self.ended = len(samples) < len(index)
        if not samples or (self.drop_last and self.ended):
            raise StopIteration
        return samples, len(samples)
