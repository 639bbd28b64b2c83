"""What runs inside a worker: it makes the batches that it is told to make."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import threading
from collections.abc import Iterable
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from dispatch_core.utils.data._core import manual_seed
from dispatch_core.utils.data._utils.collate import Place as Memory
from dispatch_core.utils.data._utils.fetch import BatchMaker
from dispatch_core.utils.data._utils.keys import SampleKeys, pythons_generator
from dispatch_core.utils.data._utils.worker import WorkerInfo, become_worker
from dispatch_core.utils.data._workers.failures import Failure
from dispatch_core.utils.data._workers.messages import Begin, Result, Setup, Task
from dispatch_core.utils.data._workers.packing import Array, packed
from dispatch_core.utils.data._workers.slots import Arena, WorkerSlots

ORPHANED = 10.0
"""Seconds that a worker may still take for a batch when its loader is gone."""


class BatchLoop:
    """Makes batches of one pass after the other; what goes wrong becomes part of the result."""

    def __init__(self, setup: Setup, *, process: bool) -> None:
        self._setup = setup
        self._process = process
        self._kind = "process" if process else "thread"
        self._maker: BatchMaker | None = None
        self._broken: Failure | None = None
        info = WorkerInfo(setup.worker, setup.workers, setup.seed, setup.recipe.dataset)
        become_worker(info, process=process)
        try:
            if process:
                manual_seed(setup.seed)
                pythons_generator().seed(setup.seed)
                np.random.seed(setup.seed & 0xFFFFFFFF)  # noqa: NPY002  what users' code draws from
            if setup.init is not None:
                setup.init(setup.worker)
        except Exception as error:  # noqa: BLE001  it is raised where the user waits for a batch
            self._broken = Failure.of(error, self._kind)

    def begin(self, begin: Begin) -> None:
        """Starts a pass."""
        keys = None
        if not self._setup.draws_nothing:
            stream = self._setup.worker if self._setup.recipe.streams else 0
            keys = SampleKeys(begin.seed, begin.epoch, stream, shared_too=self._process)
        self._maker = BatchMaker(self._setup.recipe, keys, begin.skip)

    def make(self, task: Task, memory: Memory | None = None) -> Result:
        """The result of a task, with the batch in it."""
        result = Result(task.pass_number, task.number)
        if self._maker is None:
            raise AssertionError("a task came before its pass")
        if self._broken is not None:
            result.failure = self._broken
            return result
        try:
            result.batch, result.count = self._maker.make(task.index, task.first, memory)
        except StopIteration as error:
            if not self._setup.recipe.streams:
                self.fail(result, error)
        except Exception as error:  # noqa: BLE001  it is raised where the user waits for the batch
            self.fail(result, error)
        return result

    def fail(self, result: Result, error: BaseException) -> None:
        """Makes an exception the result."""
        result.batch, result.places = None, ()
        result.failure = Failure.of(error, self._kind)


class ProcessWorker:
    """A worker that is a process, at its end of the pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._slots = WorkerSlots()
        self._latest = 0
        self._told_refusal = False
        self._finished = threading.Event()

    def run(self, setup: Setup) -> None:
        """Works until the loader has closed the pipe."""
        threading.Thread(target=self._listen, name="DataLoader listener", daemon=True).start()
        try:
            loop = BatchLoop(setup, process=True)
            while (message := self._inbox.get()) is not None:
                if isinstance(message, Begin):
                    loop.begin(message)
                elif message.pass_number == self._latest:
                    self._do(loop, message)
                else:
                    self._send(Result(message.pass_number, message.number), None, [])
        except (BrokenPipeError, ConnectionResetError):
            pass  # the loader is gone, and nobody waits for the batch
        finally:
            self._finished.set()

    def _listen(self) -> None:
        """Takes messages out of the pipe at once, so that the loader never waits to write one.

        The end of the pipe means that the loader is gone: then what is left in the inbox is dropped.
        """
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = self._connection.recv()
                if isinstance(message, Begin):
                    self._latest = message.pass_number
                self._inbox.put(message)
        self._latest = -1
        with contextlib.suppress(queue.Empty):
            while True:
                self._inbox.get_nowait()
        self._inbox.put(None)
        if not self._finished.wait(ORPHANED):
            os._exit(1)

    def _do(self, loop: BatchLoop, task: Task) -> None:
        arena = self._slots.open(task.slot)
        result = loop.make(task, arena.take if self._slots.can_write_at_once() else None)
        arrays: list[Array] = []
        if result.failure is None and result.count:
            try:
                batch, result.batch = result.batch, None
                result.batch, arrays = packed(batch)
            except Exception as error:  # noqa: BLE001  whatever a user's class does when pickled
                loop.fail(result, error)
            del batch
        if result.failure is not None or not arrays:
            self._slots.leave(arena, result)
            self._send(result, None, [])
            return
        try:
            shipped = self._slots.ship(arena, arrays, result)
        except OSError as error:
            loop.fail(result, error)
            self._send(result, None, [])
            return
        if shipped is None:
            result.places = tuple((-1, each.shape, (), each.dtype) for each in arrays)
        self._send(result, shipped, arrays)
        arrays.clear()
        if shipped is None:
            self._slots.leave(arena, result)

    def _send(self, result: Result, arena: Arena | None, arrays: Iterable[Array]) -> None:
        """Sends a result; behind it go the descriptor of a new slot, or arrays for which there is none."""
        if arena is not None and result.places:
            result.slot = arena.number
            result.created = 0 if arena.fd is None else arena.size
        if self._slots.refusal() and not self._told_refusal:
            self._told_refusal = True
            result.unshared = self._slots.refusal()
        self._connection.send_bytes(pickle.dumps(result, pickle.HIGHEST_PROTOCOL))
        if arena is not None and arena.fd is not None:
            reduction.send_handle(self._connection, arena.fd, os.getpid())
            arena.discard_new()
        for array in arrays:
            flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            self._connection.send_bytes(flat.data)


def _leave_to_the_loader(signal_number: int, frame: Any) -> None:
    """Ctrl-C reaches all processes of a terminal; the loader's process deals with it, also for this one.

    A function, for programs that the dataset runs would inherit that a signal is ignored.
    """


def run_process(setup: Setup, connection: Connection, others: Iterable[Connection]) -> None:
    """The life of a worker process.

    `others` are ends of pipes that a forked process has inherited: while it has them, the workers at
    their other ends would not notice that their loader is gone.
    """
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, _leave_to_the_loader)
    with contextlib.closing(connection):
        ProcessWorker(connection).run(setup)


def run_thread(
    setup: Setup,
    inbox: queue.SimpleQueue[Any],
    outbox: queue.SimpleQueue[tuple[int, Result]],
    latest: list[int],
) -> None:
    """The life of a worker thread, until None is in its inbox; `latest` holds the pass that counts."""
    loop = BatchLoop(setup, process=False)
    while (message := inbox.get()) is not None:
        if isinstance(message, Begin):
            loop.begin(message)
            continue
        if message.pass_number != latest[0]:
            continue
        try:
            result = loop.make(message)
        except BaseException as error:  # noqa: BLE001  nobody else would hear of a thread's SystemExit
            result = Result(message.pass_number, message.number)
            loop.fail(result, error)
        outbox.put((setup.worker, result))
        del result, message
