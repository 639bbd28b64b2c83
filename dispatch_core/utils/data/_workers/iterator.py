"""One pass with workers: which of them makes which batch, and in what order they are handed over."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from dispatch_core.utils.data._core import warn
from dispatch_core.utils.data._iterator import Pass, Position
from dispatch_core.utils.data._workers.messages import Result, Setup
from dispatch_core.utils.data._workers.process_pool import ProcessPool
from dispatch_core.utils.data._workers.starting import process_context
from dispatch_core.utils.data._workers.thread_pool import ThreadPool

if TYPE_CHECKING:
    from dispatch_core.utils.data.dataloader import DataLoader

Pool: TypeAlias = ProcessPool | ThreadPool


def _started(loader: DataLoader[Any], seed: int) -> Pool:
    count = loader.num_workers
    setups = [
        Setup(
            loader._recipe,
            worker,
            count,
            seed + worker,
            loader.worker_init_fn,
            loader._draws_nothing,
        )
        for worker in range(count)
    ]
    if loader.worker == "thread":
        return ThreadPool(setups)
    return ProcessPool(setups, process_context(loader.multiprocessing_context))


class PersistentPool:
    """The workers that a loader keeps between its passes, and the pass that has them now."""

    def __init__(self, loader: DataLoader[Any], seed: int) -> None:
        self.pool = _started(loader, seed)
        self._user: weakref.ref[WorkerIterator] | None = None
        weakref.finalize(self, self.pool.stop)

    def is_free(self) -> bool:
        """Whether no pass that still goes on has the workers."""
        user = None if self._user is None else self._user()
        return user is None or user.is_over

    def lend(self, user: WorkerIterator) -> Pool:
        """The workers, for a pass."""
        self._user = weakref.ref(user)
        return self.pool


class WorkerIterator(Pass):
    """Has batches made ahead and hands them over, in order unless the loader says otherwise."""

    def __init__(self, loader: DataLoader[Any], epoch: int, position: Position | None) -> None:
        super().__init__(loader, epoch, position)
        count = loader.num_workers
        self._skips = self._stream_positions(count)
        self._window = max(1, count * (loader.prefetch_factor or 0))
        self._sent = 0
        """The number of the next task."""
        self._due = 0
        """The number of the next batch to be handed over, in order."""
        self._next = self.position.samples
        self._where: dict[int, tuple[int, int]] = {}
        """Of the tasks whose batch was not handed over: the worker, and the place of its first sample."""
        self._arrived: dict[int, Result] = {}
        self._ends: dict[int, int] = {}
        """Out of order: batches handed over whose predecessors were not, and where they end."""
        self._open = [0] * count
        self._active = [True] * count
        self._turn = self.position.turn
        self._exhausted = False
        self._failed: Exception | None = None
        self.is_over = False
        self._pool, self._is_own = self._workers()
        self._finalizer = weakref.finalize(self, self._pool.stop) if self._is_own else None
        try:
            self._pool.begin(self.seed or 0, epoch, self._skips)
            self._fill()
        except BaseException:
            self._abandon(0)
            raise

    def _stream_positions(self, count: int) -> list[int]:
        position = self.position
        if not self._loader._streams:
            return [0] * count
        if not position.streams:
            if position.samples:
                raise ValueError(
                    "this state was saved while a stream was read without workers: resume with "
                    f"num_workers=0, not num_workers={count}"
                )
            position.streams = [0] * count
        if len(position.streams) != count:
            raise ValueError(
                f"this state was saved while a stream was read by {len(position.streams)} workers: "
                f"resume with as many, not with num_workers={count}"
            )
        return list(position.streams)

    def _workers(self) -> tuple[Pool, bool]:
        """Workers for this pass, and whether they end with it."""
        loader, seed = self._loader, self.seed or 0
        kept = loader._pool
        if kept is not None and not kept.pool.usable():
            kept = loader._pool = None
        if loader.persistent_workers and (kept is None or kept.is_free()):
            if kept is None:
                kept = loader._pool = PersistentPool(loader, seed)
            return kept.lend(self), False
        return _started(loader, seed), True

    # -- giving out tasks ---------------------------------------------------------------------------

    def _fill(self) -> None:
        while not self._exhausted and len(self._where) < self._window:
            worker = self._next_worker()
            if worker is None:
                return
            try:
                index = next(self._indices)
            except StopIteration:
                self._exhausted = True
                return
            first = self._next
            if not self._loader._streams:
                self._next += self._samples_of(index)
            self._where[self._sent] = worker, first
            self._open[worker] += 1
            self._pool.submit(worker, self._sent, index, first)
            self._sent += 1

    def _next_worker(self) -> int | None:
        """Who makes the next batch: in turn, or out of order the one that has least to do."""
        count = len(self._active)
        if not any(self._active):
            return None
        if not self._loader.in_order:
            active = [worker for worker in range(count) if self._active[worker]]
            return min(active, key=lambda worker: self._open[worker])
        while not self._active[self._turn]:
            self._turn = (self._turn + 1) % count
        worker = self._turn
        self._turn = (worker + 1) % count
        return worker

    # -- taking results -----------------------------------------------------------------------------

    def __next__(self) -> Any:
        if self.is_over:
            return self._stop_or_complain()
        try:
            try:
                self._check_pool()
                self._take(0)
                number, result = self._wait_for_next()
            except StopIteration:
                self._end()
                raise
            except Exception:
                # What was half read, or from whom, is not known: these workers are of no use any more.
                self._abandon(0)
                raise
            return self._deliver(number, result)
        except Exception:
            raise
        except BaseException:  # such as Ctrl-C, anywhere above
            self._abandon(0)
            raise

    def _take(self, seconds: float | None) -> bool:
        """Takes what workers have sent; False where nothing came within `seconds`."""
        found = self._pool.receive(seconds)
        for worker, result in found or ():
            self._open[worker] -= 1
            if result.unshared:
                self._tell_of_pipes(result.unshared)
            if result.count or result.failure is not None:
                self._arrived[result.number] = result
            else:
                self._active[worker] = False
                del self._where[result.number]
        return found is not None

    def _wait_for_next(self) -> tuple[int, Result]:
        """The next batch to be handed over, and its number."""
        timeout = self._loader.timeout or None
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            self._fill()
            if not self._where:
                raise StopIteration
            number = self._next_number()
            if number in self._arrived:
                return number, self._arrived.pop(number)
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if not self._take(left) and left is not None:
                raise RuntimeError(self._late(number))

    def _next_number(self) -> int:
        if not self._loader.in_order and self._arrived:
            return next(iter(self._arrived))
        return next(iter(self._where))

    def _deliver(self, number: int, result: Result) -> Any:
        worker, first = self._where.pop(number)
        if result.failure is not None:
            if not self._loader.in_order:
                self._advance(number, worker, first, 0)
            self._fill_quietly()
            raise result.failure.exception()
        batch = self._pool.batch(worker, result)
        self._advance(number, worker, first, result.count)
        self._fill_quietly()
        return self._handed_over(batch)

    def _fill_quietly(self) -> None:
        """Gives out further tasks; what fails there is raised where the next batch is asked for."""
        try:
            self._fill()
        except Exception as error:  # noqa: BLE001  it is raised by the next call
            self._failed = error

    def _check_pool(self) -> None:
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def _advance(self, number: int, worker: int, first: int, count: int) -> None:
        position = self.position
        if self._loader._streams:
            position.samples += count
            position.streams[worker] += count
            position.turn = (worker + 1) % len(position.streams)
        elif self._loader.in_order:
            position.samples = first + count
        else:
            # Only an unbroken run of batches can be left out when the pass is resumed.
            self._ends[number] = first + count
            while self._due in self._ends:
                position.samples = self._ends.pop(self._due)
                self._due += 1

    # -- ending -------------------------------------------------------------------------------------

    def _end(self) -> None:
        self.is_over = True
        self.position.ended = True
        if self._finalizer is not None:
            self._finalizer()

    def _abandon(self, grace: float) -> None:
        """Gives up the workers, also those that were to persist."""
        self.is_over = True
        self._arrived.clear()
        self._pool.stop(grace)
        if self._finalizer is not None:
            self._finalizer.detach()

    def _stop_or_complain(self) -> Any:
        if self.position.ended:
            raise StopIteration
        raise RuntimeError(
            "the workers of this iterator were stopped by an earlier error: make a new one with "
            "iter(loader); loader.state_dict() says where it was"
        )

    # -- what the user is told ----------------------------------------------------------------------

    def _late(self, number: int) -> str:
        worker = self._where[number][0]
        kind = "thread" if self._loader.worker == "thread" else "pid"
        return (
            f"DataLoader timed out after {self._loader.timeout} seconds: batch {number} of this pass "
            f"has not come from worker {worker} ({kind} {self._pool.pids[worker]})"
        )

    def _tell_of_pipes(self, reason: str) -> None:
        if not self._loader._told_of_pipes:
            self._loader._told_of_pipes = True
            warn(
                f"batches go through pipes, which is slower, for shared memory could not be had ({reason})"
            )

    def _hint_on_length(self) -> str:
        return (
            ". With workers every one reads the whole stream unless the dataset shares it out by "
            "get_worker_info()"
        )

    @property
    def worker_pids(self) -> Sequence[int]:
        """The process (or thread) ids of the workers."""
        return self._pool.pids
