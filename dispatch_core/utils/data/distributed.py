"""`DistributedSampler`: each process of a group takes its own share of the samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized
from typing import Any

from dispatch_core.utils.data._core import Generator, randperm
from dispatch_core.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index from `rank` on, of a random or sequential order.

    All processes shuffle by the same `seed` plus the epoch of `set_epoch`, which must be called
    before each epoch. The order is extended by its own beginning until it divides evenly, or with
    `drop_last` cut short. Raises ValueError for a rank outside [0, num_replicas), RuntimeError when
    either is left out.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "Requires distributed package to be available to find out num_replicas and rank: "
                f"got num_replicas={num_replicas} and rank={rank}; pass both"
            )
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        length = len(dataset)
        self.num_samples = length // num_replicas if drop_last else math.ceil(length / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        length = len(self.dataset)
        indices: list[int] = list(range(length))
        if self.shuffle:
            generator = Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = randperm(length, generator=generator).tolist()
        if length and not self.drop_last:
            indices *= math.ceil(self.total_size / length)
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which with the seed determines the order."""
        self.epoch = epoch

    def state_dict(self) -> dict[str, Any]:
        """What the order depends on besides the arguments."""
        return {"epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        self.epoch = state_dict["epoch"]
