"""Workers that are processes: starting them, feeding them, listening to them, stopping them.

Each has a pipe of its own, so one that dies takes no lock and no half message of another with it.
The loader waits for pipes and for the end of processes at once, and never looks at a clock instead.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import sys
import warnings
import weakref
from collections.abc import Sequence
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np

from dispatch_core.utils.data._workers.loop import run_process
from dispatch_core.utils.data._workers.messages import Begin, Result, Setup, Task
from dispatch_core.utils.data._workers.packing import Array, unpacked
from dispatch_core.utils.data._workers.slots import LoaderSlots
from dispatch_core.utils.data._workers.supervision import GRACE, end, what_ended

_OPEN: weakref.WeakSet[Connection] = weakref.WeakSet()
"""The loaders' ends of all pipes in this process."""


class _Worker:
    """One process as the loader sees it."""

    def __init__(self, context: Any, setup: Setup) -> None:
        self.connection, theirs = context.Pipe(duplex=True)
        _OPEN.add(self.connection)
        forked = context.get_start_method() == "fork"
        self.slots = LoaderSlots()
        self.lent: dict[tuple[int, int], int | None] = {}
        """Of the tasks that are not finished: their slots."""
        self.ended = False
        try:
            self.process: BaseProcess = context.Process(
                target=run_process,
                args=(setup, theirs, list(_OPEN) if forked else ()),
                name=f"DataLoader worker {setup.worker}",
                daemon=True,
            )
            with warnings.catch_warnings():
                # Python 3.12 warns of forks beside threads, whose locks the child finds as they are.
                # The framework's own are free in a worker; whose program's are not chooses spawn.
                warnings.filterwarnings(
                    "ignore", "This process .* is multi-threaded", DeprecationWarning
                )
                self.process.start()
            self.pid = self.process.pid or 0
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()

    def hang_up(self) -> None:
        """Ends the pipe, also where a process that the program has forked has a copy of this end."""
        if sys.platform != "win32":
            family, kind = socket.AF_UNIX, socket.SOCK_STREAM
            with (
                contextlib.suppress(OSError),
                socket.fromfd(self.connection.fileno(), family, kind) as ours,
            ):
                ours.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def receive(self) -> Result:
        """The next message; EOFError where the process has ended."""
        result: Result = pickle.loads(self.connection.recv_bytes())
        fd = None
        try:
            if result.created:
                fd = reduction.recv_handle(self.connection)
            self.slots.take(result, fd)
        finally:
            if fd is not None:
                os.close(fd)
        slot = self.lent.pop((result.pass_number, result.number), None)
        if slot != result.slot:
            self.slots.give_back(slot)
        if result.slot is None and result.places:
            result.batch = result.batch, [self._array(*place) for place in result.places]
        return result

    def _array(self, offset: int, shape: tuple[int, ...], strides: Any, dtype: Any) -> Array:
        array: Array = np.empty(shape, dtype)
        self.connection.recv_bytes_into(array.reshape(-1).view(np.uint8))
        return array


class ProcessPool:
    """Worker processes for the passes of a loader, one pass at a time."""

    def __init__(self, setups: Sequence[Setup], context: Any) -> None:
        self._owner = os.getpid()
        self._workers: list[_Worker] = []
        self._stopped = False
        self.pass_number = 0
        try:
            for setup in setups:
                self._workers.append(_Worker(context, setup))
        except BaseException:
            self.stop(0)
            raise

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers."""
        return [worker.pid for worker in self._workers]

    def usable(self) -> bool:
        """Whether all workers are there."""
        return not self._stopped and all(
            not worker.ended and worker.process.is_alive() for worker in self._workers
        )

    def begin(self, seed: int, epoch: int, skips: Sequence[int]) -> int:
        """Begins a pass and returns its number; results of earlier ones are not seen any more."""
        self.pass_number += 1
        for worker, skip in enumerate(skips):
            self._send(worker, Begin(self.pass_number, seed, epoch, skip))
        return self.pass_number

    def submit(self, worker: int, number: int, index: Any, first: int) -> None:
        """Gives a task to a worker."""
        there = self._workers[worker]
        slot = there.slots.lend()
        there.lent[self.pass_number, number] = slot
        self._send(worker, Task(self.pass_number, number, index, first, slot))

    def _send(self, worker: int, message: Any) -> None:
        try:
            self._workers[worker].connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            raise RuntimeError(what_ended(self._workers[worker].process)) from None

    def receive(self, seconds: float | None) -> list[tuple[int, Result]] | None:
        """What workers have sent, as soon as one has; None where that takes longer than `seconds`.

        Raises RuntimeError when a worker with unfinished tasks has ended.
        """
        watched: dict[Any, int] = {}
        for number, worker in enumerate(self._workers):
            if worker.ended and worker.lent:
                raise RuntimeError(what_ended(worker.process))
            if not worker.ended:
                watched[worker.connection] = number
                watched[worker.process.sentinel] = number
        ready = wait(list(watched), seconds) if watched else []
        if not ready:
            return None
        found: list[tuple[int, Result]] = []
        # A pipe comes before its sentinel: what was sent before the end is taken first.
        heard: set[int] = set()
        for each in sorted(ready, key=lambda one: isinstance(one, int)):
            number = watched[each]
            if number not in heard and self._hear(number, each, found):
                heard.add(number)
        return found

    def _hear(self, number: int, source: Any, found: list[tuple[int, Result]]) -> bool:
        """Takes a message of a worker, or notes that it has ended; whether there was one."""
        worker = self._workers[number]
        if isinstance(source, int):
            if not worker.connection.poll():
                worker.ended = True
            return False
        try:
            result = worker.receive()
        except (EOFError, ConnectionResetError):
            worker.ended = True
            return False
        if result.pass_number == self.pass_number:
            found.append((number, result))
        else:
            worker.slots.give_back(result.slot)
        return True

    def batch(self, worker: int, result: Result) -> Any:
        """The batch of a result, on shared memory where it has come that way."""
        if result.slot is not None:
            return unpacked(result.batch, self._workers[worker].slots.arrays(result))
        if result.places:
            return unpacked(*result.batch)
        return unpacked(result.batch, ())

    def stop(self, grace: float = GRACE) -> None:
        """Ends all workers; those that are in the middle of a batch get `grace` seconds for it."""
        # A forked process has a copy of this object, but the workers are not its children.
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        for worker in self._workers:
            worker.hang_up()
        end([worker.process for worker in self._workers], grace)
