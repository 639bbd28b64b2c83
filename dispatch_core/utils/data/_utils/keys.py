"""Random numbers of a sample follow from its key alone: who loads it, and when, makes no difference.

The key is (seed of the pass, epoch, place of the sample in the pass), for streams with the worker's
number. It starts the default generators of the framework, Python's `random` and numpy's global one.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from dispatch_core.utils.data._core import KeyedDefaults

_WORD = (1 << 64) - 1


def mixed(*words: int) -> int:
    """A number of 64 bits in which every bit of the words counts (splitmix64 over them)."""
    state = 0
    for word in words:
        state = ((state ^ word) + 0x9E3779B97F4A7C15) & _WORD
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & _WORD
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & _WORD
        state ^= state >> 31
    return state


def pythons_generator() -> Any:
    """Python's module `random`, which programs without it need not load."""
    return importlib.import_module("random")


class SampleKeys:
    """Starts the generators for one sample after the other.

    `shared_too=False` leaves Python's and numpy's global generators alone: other threads use them.
    """

    def __init__(self, *words: int, shared_too: bool) -> None:
        self._base = mixed(*words)
        self._first = 0
        self._defaults = KeyedDefaults()
        self._random = pythons_generator() if shared_too else None

    @contextlib.contextmanager
    def batch(self, first: int) -> Iterator[None]:
        """Context in which a batch is loaded whose first sample is the pass's `first`-th."""
        self._first = first
        token = sample_keys.set(self)
        try:
            with self._defaults:
                self.start(0)
                yield
        finally:
            sample_keys.reset(token)

    def start(self, offset: int, part: int = 0) -> None:
        """Begin with a sample of the batch (or with one of several `part`s of it)."""
        key = mixed(self._base + ((self._first + offset) << 8) + part)
        self._defaults.restart(key)
        if self._random is not None:
            self._random.seed(key)
            np.random.seed(key & 0xFFFFFFFF)  # noqa: NPY002  the global one is what it is about


sample_keys: ContextVar[SampleKeys | None] = ContextVar("sample_keys", default=None)
"""The keys of the batch that is being loaded here."""


def start_key(offset: int) -> None:
    """Begin with a sample of the batch that is being loaded here."""
    keys = sample_keys.get()
    if keys is not None:
        keys.start(offset)


def each_with_its_key(dataset: Any, indices: Iterable[Any], part: int = 0) -> list[Any]:
    """The samples at `indices`, each loaded under its own key."""
    keys = sample_keys.get()
    if keys is None:
        return [dataset[index] for index in indices]
    samples = []
    for offset, index in enumerate(indices):
        keys.start(offset, part)
        samples.append(dataset[index])
    return samples


@contextlib.contextmanager
def global_generators_kept() -> Iterator[None]:
    """Context after which Python's and numpy's global generators are where they were."""
    random = pythons_generator()
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
