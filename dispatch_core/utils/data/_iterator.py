"""One pass of a loader over its dataset: what all passes share, and the pass in the calling process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dispatch_core.utils.data._core import default_generator, draw_seed, warn
from dispatch_core.utils.data._order import (
    Key,
    capture,
    drawn,
    generator_of,
    replay,
    skip_batches,
)
from dispatch_core.utils.data._utils.fetch import BatchMaker
from dispatch_core.utils.data._utils.keys import SampleKeys, global_generators_kept
from dispatch_core.utils.data._utils.pin_memory import pin_memory
from dispatch_core.utils.data.sampler import batches

if TYPE_CHECKING:
    from dispatch_core.utils.data.dataloader import DataLoader


@dataclass
class Position:
    """How far a pass has come; with the key, all that it takes to go on from there."""

    epoch: int
    samples: int
    key: Key | None
    seed: int | None = None
    streams: list[int] = field(default_factory=list)
    """How many samples of each worker's stream were yielded."""
    turn: int = 0
    """Which worker's stream comes next."""
    ended: bool = False

    def state_dict(self) -> dict[str, Any]:
        """The position as plain data."""
        return {
            "epoch": self.epoch,
            "samples_yielded": self.samples,
            "sampler_key": self.key,
            "seed": self.seed,
            "streams": {"samples_yielded": list(self.streams), "turn": self.turn},
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> Position:
        """The position that `state_dict` has told."""
        streams = state.get("streams") or {"samples_yielded": [], "turn": 0}
        return cls(
            state["epoch"],
            state["samples_yielded"],
            state["sampler_key"],
            state.get("seed"),
            list(streams["samples_yielded"]),
            streams["turn"],
        )


class Pass:
    """One pass; starts at `position` when that is given."""

    def __init__(self, loader: DataLoader[Any], epoch: int, position: Position | None) -> None:
        if loader.pin_memory:
            warn(
                "'pin_memory' argument is set as true but no device here reads pinned memory "
                "faster, so batches are not pinned"
            )
        self._loader = loader
        self._expected_length = loader._IterableDataset_len_called
        self._yielded = 0
        self._indices: Iterator[Any]
        start = position or Position(epoch, 0, None)
        self.base_seed = start.seed
        if loader._streams:
            if start.seed is None:
                self._draw_seed()
            self._indices = iter(loader._index_sampler)
            key = None
        else:
            self._indices, key = self._order(start.key, start.samples)
        self.seed = self.base_seed if start.seed is None else start.seed
        self.position = Position(
            epoch, start.samples, key, self.seed, list(start.streams), start.turn
        )

    def _draw_seed(self) -> None:
        # Samples get their random numbers from this seed. A pass that goes on with an earlier seed
        # draws one, too, where the order is drawn from the same generator behind it.
        self.base_seed = draw_seed(self._loader.generator)

    def _order(self, key: Key | None, done: int) -> tuple[Iterator[Any], Key]:
        """The indices left after `done` samples, and the key of the order they are in."""
        loader = self._loader
        # The loader's own batches are cut anew behind the samples that were taken, so that they may
        # have another size than before; a batch sampler of the user's is asked for its batches.
        source = loader.sampler if loader._cuts_batches else loader._index_sampler
        resumed = self.base_seed is not None
        apart = generator_of(source) is not (loader.generator or default_generator)

        def start() -> Iterator[Any]:
            if not (resumed and apart):
                self._draw_seed()
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

    def _samples_of(self, index: Any) -> int:
        return len(index) if self._loader._auto_collation else 1

    def _handed_over(self, batch: Any) -> Any:
        """The batch as the user gets it."""
        self._yielded += 1
        if self._expected_length is not None and self._yielded > self._expected_length:
            warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be "
                f"{self._expected_length} (when accessing len(dataloader)), but {self._yielded} "
                "batches have been fetched; correct the dataset's __len__" + self._hint_on_length()
            )
        return pin_memory(batch) if self._loader.pin_memory else batch

    def _hint_on_length(self) -> str:
        return ""

    def __iter__(self) -> Pass:
        return self

    def __next__(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._loader)

    def __getstate__(self) -> Any:
        raise NotImplementedError(
            "an iterator of a DataLoader cannot be pickled; save the loader's state_dict() instead"
        )


class InProcessIterator(Pass):
    """Fetches and collates batch after batch, with the random numbers that workers would have."""

    def __init__(self, loader: DataLoader[Any], epoch: int, position: Position | None) -> None:
        if loader.timeout != 0:
            raise AssertionError(
                "timeout only applies to loading in workers: in-process loading requires "
                f"timeout == 0, but got timeout={loader.timeout}"
            )
        if position is not None and position.streams:
            raise ValueError(
                "this state was saved while a stream was read by "
                f"{len(position.streams)} workers: resume with as many, not with num_workers=0"
            )
        super().__init__(loader, epoch, position)
        keys = None
        if not loader._draws_nothing:
            keys = SampleKeys(self.seed or 0, epoch, 0, shared_too=True)
        self._globals = nullcontext if keys is None else global_generators_kept
        self._maker = BatchMaker(loader._recipe, keys, self.position.samples)
        self._next = self.position.samples

    def __next__(self) -> Any:
        try:
            index = next(self._indices)
        except StopIteration:
            self.position.ended = True
            raise
        first = self._next
        if not self._loader._streams:
            self._next += self._samples_of(index)
        try:
            with self._globals():
                batch, count = self._maker.make(index, first)
        except StopIteration:
            if self._loader._streams:
                self.position.ended = True
            raise
        if self._loader._streams:
            first = self.position.samples
        self.position.samples = first + count
        return self._handed_over(batch)
