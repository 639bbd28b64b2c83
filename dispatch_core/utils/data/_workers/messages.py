"""What a loader and its workers tell each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from dispatch_core.utils.data._utils.fetch import Recipe
from dispatch_core.utils.data._workers.failures import Failure

Shape: TypeAlias = tuple[int, ...]
Place: TypeAlias = tuple[int, Shape, Shape, Any]
"""Where an array lies: offset in the slot (-1: it follows through the pipe), shape, strides, dtype."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told when it starts."""

    recipe: Recipe
    worker: int
    workers: int
    seed: int
    init: Callable[[int], None] | None
    draws_nothing: bool


@dataclass(frozen=True, slots=True)
class Begin:
    """A pass begins; tasks of earlier ones that were not begun are left out."""

    pass_number: int
    seed: int
    epoch: int
    skip: int
    """How many samples of its stream the worker has yielded already."""


@dataclass(frozen=True, slots=True)
class Task:
    """Make a batch."""

    pass_number: int
    number: int
    index: Any
    first: int
    """The place in the pass that its first sample has."""
    slot: int | None
    """The worker's slot that it may write into; None: it has to make one."""


@dataclass(slots=True)
class Result:
    """What became of a task."""

    pass_number: int
    number: int
    count: int = 0
    """How many samples are in the batch; 0: the worker's stream has ended, or the task was left out."""
    failure: Failure | None = None
    batch: Any = None
    """The batch itself between threads, its pickle between processes."""
    places: tuple[Place, ...] = ()
    """Where the large arrays of the batch are."""
    slot: int | None = None
    created: int = 0
    """The size of the slot if it is new; its file descriptor follows."""
    dropped: int | None = None
    """A slot that the worker does not use any more."""
    unshared: str = ""
    """Why there is no shared memory, said once."""
