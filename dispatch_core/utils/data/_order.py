"""What the order of an epoch follows from: taken at its start, it gives the same order again.

That is how a loader resumes in the middle of an epoch without reading the samples before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from dispatch_core.utils.data._core import Generator, default_generator

Key: TypeAlias = dict[str, Any]
"""Plain data: the state of the random generator, and the sampler's own state where it has one."""


def drawn(indices: Iterator[Any]) -> Iterator[Any]:
    """`indices` with the first one taken already.

    Samplers draw their order, or the seed of a generator of their own, at the first index at the
    latest; so afterwards the order does not depend on the default generator any more.
    """
    return itertools.chain(list(itertools.islice(indices, 1)), indices)


def capture(sampler: Any) -> Key:
    """The key of the order that the next pass over `sampler` has."""
    key: Key = {"generator": generator_of(sampler).get_state()}
    stateful = _stateful(sampler)
    if stateful is not None:
        key["sampler"] = stateful.state_dict()
    return key


def replay(sampler: Any, key: Key, start: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """The pass that `start` begins, in the order of `key`.

    A generator of the sampler's own goes back to the state in the key and continues from there. The
    default generator belongs to the whole program, so it is set back only while the order is drawn,
    and not at all where the program has brought it to that state itself: then this is the pass that
    was about to begin, and what comes after it must draw on.
    """
    stateful = _stateful(sampler)
    if stateful is not None and "sampler" in key:
        stateful.load_state_dict(key["sampler"])
    generator = generator_of(sampler)
    if generator is not default_generator:
        generator.set_state(key["generator"])
        return start()
    present = generator.get_state()
    if present.tolist() == key["generator"].tolist():
        return start()
    generator.set_state(key["generator"])
    try:
        return start()
    finally:
        generator.set_state(present)


def skip_batches(batches: Iterable[Any], samples: int) -> Iterator[Any]:
    """`batches` without the leading ones, as many as hold `samples` samples."""
    iterator = iter(batches)
    while samples > 0:
        batch = next(iterator, None)
        if batch is None:
            break
        samples -= len(batch)
    return iterator


def _parts(sampler: Any) -> Iterator[Any]:
    """The sampler and the samplers that it takes indices from."""
    while sampler is not None:
        yield sampler
        sampler = getattr(sampler, "sampler", None)


def generator_of(sampler: Any) -> Generator:
    """The generator that the order of a sampler is drawn from."""
    for part in _parts(sampler):
        generator: Generator | None = getattr(part, "generator", None)
        if generator is not None:
            return generator
    return default_generator


def _stateful(sampler: Any) -> Any:
    for part in _parts(sampler):
        if hasattr(part, "state_dict") and hasattr(part, "load_state_dict"):
            return part
    return None
