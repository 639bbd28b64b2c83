"""One pass of a loader over its dataset, in the calling process."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatch_core.utils.data._core import draw_seed
from dispatch_core.utils.data._order import Key, capture, drawn, replay, skip_batches
from dispatch_core.utils.data._utils.fetch import MapFetcher, StreamFetcher
from dispatch_core.utils.data.dataset import IterableDataset
from dispatch_core.utils.data.sampler import batches

if TYPE_CHECKING:
    from dispatch_core.utils.data.dataloader import DataLoader


@dataclass
class Position:
    """How far a pass has come; with the key, all that it takes to go on from there."""

    epoch: int
    samples: int
    key: Key | None
    ended: bool = False

    def state_dict(self) -> dict[str, Any]:
        """The position as plain data."""
        return {
            "epoch": self.epoch,
            "samples_yielded": self.samples,
            "sampler_key": self.key,
        }


class InProcessIterator:
    """Fetches and collates batch after batch; starts at `position` when that is given."""

    def __init__(self, loader: DataLoader[Any], epoch: int, position: Position | None) -> None:
        if loader.timeout != 0:
            raise AssertionError(
                "timeout only applies to loading in workers: in-process loading requires "
                f"timeout == 0, but got timeout={loader.timeout}"
            )
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true, but batches are not pinned in this version; "
                "leave it out",
                stacklevel=3,
            )
        self._loader = loader
        self._expected_length = loader._IterableDataset_len_called
        self._yielded = 0
        done = position.samples if position is not None else 0
        self._fetcher: MapFetcher | StreamFetcher
        if isinstance(loader.dataset, IterableDataset):
            self.position = Position(epoch, done, None)
            self._begin()
            self._indices: Iterator[Any] = iter(loader._index_sampler)
            self._fetcher = StreamFetcher(
                loader.dataset, loader._auto_collation, loader.drop_last, done
            )
        else:
            key = position.key if position is not None else None
            self._indices, key = self._order(key, done)
            self.position = Position(epoch, done, key)
            self._fetcher = MapFetcher(loader.dataset, loader._auto_collation)

    def _begin(self) -> None:
        # Workers get their random numbers from this seed. It is drawn without workers, too, so that
        # what is drawn after it does not depend on their number.
        self.base_seed = draw_seed(self._loader.generator)

    def _order(self, key: Key | None, done: int) -> tuple[Iterator[Any], Key]:
        """The indices left after `done` samples, and the key of the order they are in."""
        loader = self._loader
        # The loader's own batches are cut anew behind the samples that were taken, so that they may
        # have another size than before; a batch sampler of the user's is asked for its batches.
        source = loader.sampler if loader._cuts_batches else loader._index_sampler

        def start() -> Iterator[Any]:
            self._begin()
            return drawn(iter(source))

        if key is None:
            key = capture(source)
            indices = start()
        else:
            indices = replay(source, key, start)
        if loader._cuts_batches:
            rest = itertools.islice(indices, done, None)
            return batches(rest, loader._batch_length, loader.drop_last), key
        if loader._auto_collation:
            return skip_batches(indices, done), key
        return itertools.islice(indices, done, None), key

    def __iter__(self) -> InProcessIterator:
        return self

    def __next__(self) -> Any:
        try:
            data, count = self._fetcher.fetch(next(self._indices))
        except StopIteration:
            self.position.ended = True
            raise
        batch = self._loader.collate_fn(data)
        self.position.samples += count
        self._yielded += 1
        if self._expected_length is not None and self._yielded > self._expected_length:
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be "
                f"{self._expected_length} (when accessing len(dataloader)), but {self._yielded} "
                "batches have been fetched; correct the dataset's __len__",
                stacklevel=2,
            )
        return batch

    def __len__(self) -> int:
        return len(self._loader)

    def __getstate__(self) -> Any:
        raise NotImplementedError(
            "an iterator of a DataLoader cannot be pickled; save the loader's state_dict() instead"
        )
