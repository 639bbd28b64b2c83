"""What code that runs inside a loading worker can find out about it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WorkerInfo:
    """One of `num_workers` workers: its number, its seed and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_here: ContextVar[WorkerInfo | None] = ContextVar("worker_info", default=None)
_process: list[WorkerInfo] = []
"""In a process that is a worker: it, for all its threads."""


def become_worker(info: WorkerInfo, *, process: bool) -> None:
    """Makes the calling thread, or its whole process, that worker."""
    if process:
        _process[:] = [info]
    _here.set(info)


def get_worker_info() -> WorkerInfo | None:
    """The worker that the calling code runs in, None in the main process."""
    return _here.get() or (_process[0] if _process else None)
