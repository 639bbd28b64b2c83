"""Samplers: the order in which a loader takes the samples of a dataset."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar, cast

from dispatch_core.utils.data._core import (
    Generator,
    Tensor,
    as_tensor,
    draw_seed,
    float64,
    multinomial,
    randint,
    randperm,
)

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)
_CHUNK = 32


class Sampler(Generic[T_co]):
    """An iterable of indices, or of lists of them for whole batches.

    A subclass implements `__iter__` and mostly `__len__`. That a `DataLoader` can resume in the
    middle of an epoch, the order must follow from the attribute `generator` (or from the default
    generator, drawn from no later than at the first index), or the sampler has `state_dict()` and
    `load_state_dict(state)` that bring back an epoch's start.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not implement __iter__()")


class SequentialSampler(Sampler[int]):
    """All indices in order."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order: permutations, or independent draws with `replacement`.

    `num_samples` (default: the dataset's length) may exceed the length; then one permutation
    follows the other. Without a `generator` each epoch has one of its own, seeded from the default
    one. Raises TypeError for a `replacement` that is no bool and ValueError for `num_samples` that
    is not a positive integer.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(f"generator should be a Generator, but got {type(generator).__name__}")
        count: Any = self.num_samples
        if not isinstance(count, int) or count <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={count}"
            )

    @property
    def num_samples(self) -> int:
        """The number of indices; follows a dataset whose length changes."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator = self.generator
        if generator is None:
            generator = Generator()
            generator.manual_seed(draw_seed(None))
        length, count = len(self.data_source), self.num_samples
        if self.replacement:
            for start in range(0, count, _CHUNK):
                size = min(_CHUNK, count - start)
                yield from randint(0, length, (size,), generator=generator).tolist()
        else:
            for start in range(0, count, length):
                order = randperm(length, generator=generator).tolist()
                yield from order[: count - start]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given `indices` in random order, each once."""

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices drawn with probabilities in proportion to `weights`.

    Raises ValueError for `num_samples` that is not a positive integer, a `replacement` that is no
    bool, and weights that are not one-dimensional.
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_positive("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        weights = as_tensor(weights, dtype=float64)
        if len(weights.shape) != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(weights.shape)}"
            )
        self.weights = weights
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; `drop_last` leaves out a shorter last one.

    Raises ValueError for a `batch_size` that is not a positive integer or a `drop_last` that is no
    bool.
    """

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        _check_positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        yield from batches(iter(self.sampler), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        count = len(cast(Sized, self.sampler))
        if self.drop_last:
            return count // self.batch_size
        return (count + self.batch_size - 1) // self.batch_size


def batches(indices: Iterator[int], batch_size: int, drop_last: bool) -> Iterator[list[int]]:
    """Lists of `batch_size` indices, as `BatchSampler` gives them."""
    while batch := list(itertools.islice(indices, batch_size)):
        if drop_last and len(batch) < batch_size:
            return
        yield batch


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")
