"""How one batch is made: samples taken out of a dataset, each under its key, and put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

from dispatch_core.utils.data._utils.collate import Place, batch_memory
from dispatch_core.utils.data._utils.keys import SampleKeys, each_with_its_key, start_key
from dispatch_core.utils.data.dataset import Dataset, IterableDataset


@dataclass(frozen=True)
class Recipe:
    """What the batches of a loader are made of, wherever that is done."""

    dataset: Any
    collate_fn: Callable[[Any], Any]
    batched: bool
    drop_last: bool

    @property
    def streams(self) -> bool:
        """Whether the dataset says itself what comes next."""
        return isinstance(self.dataset, IterableDataset)

    def fetcher(self, skip: int) -> MapFetcher | StreamFetcher:
        """What takes the samples of one pass, without the first `skip` of a stream."""
        if self.streams:
            return StreamFetcher(self.dataset, self.batched, self.drop_last, skip)
        return MapFetcher(self.dataset, self.batched)


class BatchMaker:
    """Makes the batches of one pass; of a stream without its first `skip` samples."""

    def __init__(self, recipe: Recipe, keys: SampleKeys | None, skip: int) -> None:
        self._recipe = recipe
        self._keys = keys
        self._taken = skip
        self._fetcher: MapFetcher | StreamFetcher | None = None

    def make(self, index: Any, first: int, place: Place | None = None) -> tuple[Any, int]:
        """The batch of `index`, whose first sample is the pass's `first`-th, and its length.

        StopIteration where a stream has ended. Stacks are written where `place` says.
        """
        if self._recipe.streams:
            first = self._taken
        if self._keys is None:
            batch, count = self._made(index, place)
        else:
            with self._keys.batch(first):
                batch, count = self._made(index, place)
        self._taken += count
        return batch, count

    def _made(self, index: Any, place: Place | None) -> tuple[Any, int]:
        if self._fetcher is None:
            self._fetcher = self._recipe.fetcher(self._taken)
        data, count = self._fetcher.fetch(index)
        token = batch_memory.set(place)
        try:
            return self._recipe.collate_fn(data), count
        finally:
            batch_memory.reset(token)


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
        return each_with_its_key(self.dataset, index), len(index)


class StreamFetcher:
    """Fetches what comes next; `index` only says how many."""

    def __init__(
        self, dataset: IterableDataset[Any], batched: bool, drop_last: bool, skip: int
    ) -> None:
        self.batched = batched
        self.drop_last = drop_last
        self.ended = False
        start_key(-skip)
        self.stream: Iterator[Any] = iter(dataset)
        for place in range(-skip, 0):
            start_key(place)
            next(self.stream, None)

    def fetch(self, index: Sized) -> tuple[Any, int]:
        """The next sample or list of samples, and how many they are; StopIteration at the end."""
        if self.ended:
            raise StopIteration
        samples: list[Any] = []
        for offset in range(len(index) if self.batched else 1):
            start_key(offset)
            try:
                samples.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.batched and self.drop_last and self.ended):
            raise StopIteration
        return samples if self.batched else samples[0], len(samples)
