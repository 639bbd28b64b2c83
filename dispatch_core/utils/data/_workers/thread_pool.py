"""Workers that are threads: no copies of the dataset, nothing to be pickled, one interpreter."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any

from dispatch_core.utils.data._workers.loop import run_thread
from dispatch_core.utils.data._workers.messages import Begin, Result, Setup, Task
from dispatch_core.utils.data._workers.supervision import GRACE


class ThreadPool:
    """Worker threads for the passes of a loader, one pass at a time."""

    def __init__(self, setups: Sequence[Setup]) -> None:
        self._outbox: queue.SimpleQueue[tuple[int, Result]] = queue.SimpleQueue()
        self._inboxes: list[queue.SimpleQueue[Any]] = [queue.SimpleQueue() for _ in setups]
        self._latest = [0]
        self._stopped = False
        self._threads = [
            threading.Thread(
                target=run_thread,
                args=(setup, inbox, self._outbox, self._latest),
                name=f"DataLoader worker {setup.worker}",
                daemon=True,
            )
            for setup, inbox in zip(setups, self._inboxes, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> list[int]:
        """The native ids of the threads."""
        return [thread.native_id or 0 for thread in self._threads]

    @property
    def pass_number(self) -> int:
        """The number of the latest pass."""
        return self._latest[0]

    def usable(self) -> bool:
        """Whether all workers are there."""
        return not self._stopped and all(thread.is_alive() for thread in self._threads)

    def begin(self, seed: int, epoch: int, skips: Sequence[int]) -> int:
        """Begins a pass and returns its number; results of earlier ones are not seen any more."""
        self._latest[0] += 1
        for inbox, skip in zip(self._inboxes, skips, strict=True):
            inbox.put(Begin(self.pass_number, seed, epoch, skip))
        return self.pass_number

    def submit(self, worker: int, number: int, index: Any, first: int) -> None:
        """Gives a task to a worker."""
        self._inboxes[worker].put(Task(self.pass_number, number, index, first, None))

    def receive(self, seconds: float | None) -> list[tuple[int, Result]] | None:
        """What workers have made, as soon as one has; None where that takes longer than `seconds`."""
        try:
            found = self._outbox.get(timeout=seconds) if seconds != 0 else self._outbox.get_nowait()
        except queue.Empty:
            return None
        return [found] if found[1].pass_number == self.pass_number else []

    def batch(self, worker: int, result: Result) -> Any:
        """The batch of a result."""
        return result.batch

    def stop(self, grace: float = GRACE) -> None:
        """Ends all workers; one that does not finish its batch within `grace` seconds is left alone."""
        if self._stopped:
            return
        self._stopped = True
        self._latest[0] = -1
        for inbox in self._inboxes:
            inbox.put(None)
        deadline = monotonic() + grace
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - monotonic()))
