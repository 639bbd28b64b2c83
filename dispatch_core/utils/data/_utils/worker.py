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


worker_info: ContextVar[WorkerInfo | None] = ContextVar("worker_info", default=None)


def get_worker_info() -> WorkerInfo | None:
    """The worker that the calling code runs in, None in the main process."""
    return worker_info.get()
