"""What goes wrong in workers, and with them, and that nothing is left behind."""

import faulthandler
import gc
import multiprocessing
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core._errors import UnpicklableError
from dispatch_core.utils.data import DataLoader, Dataset, IterableDataset, Sampler
from dispatch_core.utils.data._utils.worker import get_worker_info

each_kind = pytest.mark.parametrize("kind", ["process", "thread"])
linux = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches processes by pidfd")
LONG = 120
"""Seconds after which something that should have happened long ago counts as never."""


class Calling(Dataset):
    """Samples are what a function of the index gives or does."""

    def __init__(self, function, count=8):
        self.function = function
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.function(index)
        return index


class WithTwo(Exception):
    def __init__(self, first, second):
        super().__init__(first, second)


class WithMessage(Exception):
    message = "fixed"

    def __init__(self, message):
        super().__init__(message)
        self.message = message


def raising(error, at=2):
    def function(index):
        if index == at:
            raise error

    return function


def crash(number):
    faulthandler.disable()  # pytest's would write where everybody stands
    os.kill(os.getpid(), number)


def gone(pids):
    """Waits until no process has one of these ids."""
    for pid in pids:
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                assert select.select([descriptor], [], [], LONG)[0], f"process {pid} is still there"
            finally:
                os.close(descriptor)


# ---------------------------------------------------------------- exceptions


@each_kind
@pytest.mark.parametrize(
    ("error", "kind_of_error"),
    [
        (ValueError("no such thing"), ValueError),
        (KeyError("no such thing"), KeyError),
        (OSError(2, "no such thing"), FileNotFoundError),
        (WithMessage("no such thing"), WithMessage),
        (WithTwo("no such thing", 2), RuntimeError),
        (type("Local", (Exception,), {})("no such thing"), RuntimeError),
        (StopIteration("no such thing"), RuntimeError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_exceptions_keep_their_class_and_traceback(kind, error, kind_of_error):
    iterator = iter(DataLoader(Calling(raising(error)), 2, num_workers=2, worker=kind))
    assert next(iterator).tolist() == [0, 1]
    with pytest.raises(kind_of_error) as caught:
        next(iterator)
    text = str(caught.value)
    assert type(caught.value) is kind_of_error
    assert text.startswith(
        f"Caught {type(error).__name__} in DataLoader worker {kind} 1.\nOriginal"
    )
    assert "in function\n    raise error" in text
    assert "no such thing" in text
    # The others come all the same.
    assert [batch.tolist() for batch in iterator] == [[4, 5], [6, 7]]


def test_where_a_pass_is_after_an_error():
    loader = DataLoader(Calling(raising(ValueError("bad"))), 2, num_workers=2)
    iterator = iter(loader)
    next(iterator)
    with pytest.raises(ValueError, match="bad"):
        next(iterator)
    assert loader.state_dict()["samples_yielded"] == 2
    next(iterator)
    assert loader.state_dict()["samples_yielded"] == 6


def test_an_error_out_of_order():
    loader = DataLoader(Calling(raising(ValueError("bad"))), 2, num_workers=2, in_order=False)
    iterator, found = iter(loader), []
    for _ in range(4):
        try:
            found += next(iterator).tolist()
        except ValueError:
            continue
    assert sorted(found) == [0, 1, 4, 5, 6, 7]
    assert loader.state_dict()["samples_yielded"] == 8


def failing(*args):
    raise LookupError(f"not with {len(args)}")


@each_kind
@pytest.mark.parametrize("where", ["collate_fn", "worker_init_fn"])
def test_errors_in_functions(kind, where):
    loader = DataLoader(range(4), num_workers=2, worker=kind, **{where: failing})
    with pytest.raises(LookupError, match=r"(?s)Caught LookupError .*in failing.*not with 1"):
        next(iter(loader))


class Breaking(IterableDataset):
    def __iter__(self):
        yield get_worker_info().id
        raise BufferError("torn")


@each_kind
def test_errors_in_streams(kind):
    iterator = iter(DataLoader(Breaking(), None, num_workers=2, worker=kind))
    assert [next(iterator), next(iterator)] == [0, 1]
    for _ in range(2):
        with pytest.raises(BufferError, match="torn"):
            next(iterator)
    assert list(iterator) == []


@each_kind
def test_errors_in_samplers(kind):
    class Odd(Sampler):
        def __iter__(self):
            yield from range(12)
            raise ArithmeticError("odd")

    iterator = iter(DataLoader(range(12), 2, sampler=Odd(), num_workers=1, worker=kind))
    with pytest.raises(ArithmeticError, match="odd"):
        list(iterator)
    with pytest.raises(RuntimeError, match="were stopped by an earlier error"):
        next(iterator)


def test_batches_that_cannot_be_sent():
    loader = DataLoader(range(4), collate_fn=lambda samples: lambda: samples, num_workers=1)
    with pytest.raises(
        (AttributeError, TypeError), match="(?s)DataLoader worker process 0.*(pickle|local)"
    ):
        next(iter(loader))


class Unreadable:
    def __reduce__(self):
        return failing, (1, 2, 3)


def test_batches_that_cannot_be_read():
    loader = DataLoader(range(4), collate_fn=lambda samples: Unreadable(), num_workers=1)
    with pytest.raises(LookupError, match="not with 3"):
        next(iter(loader))


def test_system_exit_in_a_thread_is_told():
    loader = DataLoader(Calling(lambda index: sys.exit(3)), num_workers=1, worker="thread")
    with pytest.raises(RuntimeError, match="Caught SystemExit in DataLoader worker thread 0"):
        next(iter(loader))


# ---------------------------------------------------------------- workers that die or hang


@pytest.mark.parametrize("persistent", [False, True])
def test_a_killed_worker(persistent):
    hanging = [True]

    def function(index):
        if index >= 4 and hanging:
            time.sleep(LONG)

    loader = DataLoader(Calling(function, 40), 2, num_workers=2, persistent_workers=persistent)
    iterator = iter(loader)
    next(iterator)
    pids = list(iterator.worker_pids)
    os.kill(pids[1], signal.SIGKILL)
    start = time.monotonic()
    message = rf"worker \(pid {pids[1]}\) exited unexpectedly: killed by signal 9 \(SIGKILL\)"
    with pytest.raises(RuntimeError, match=message):
        list(iterator)
    assert time.monotonic() - start < 5
    gone(pids)
    with pytest.raises(RuntimeError, match=r"make a new one with iter\(loader\)"):
        next(iterator)
    hanging.clear()
    assert len(list(loader)) == 20
    assert set(iterator.worker_pids).isdisjoint(iter(loader).worker_pids)


def test_a_worker_killed_between_passes():
    loader = DataLoader(range(8), 2, num_workers=2, persistent_workers=True)
    iterator = iter(loader)
    assert len(list(iterator)) == 4
    os.kill(iterator.worker_pids[0], signal.SIGKILL)
    gone(iterator.worker_pids[:1])
    assert len(list(loader)) == 4


@pytest.mark.parametrize(
    ("function", "end"),
    [
        (lambda index: sys.exit(3), "exit code 3"),
        (lambda index: os._exit(0), "exit code 0"),
        (lambda index: crash(signal.SIGSEGV), r"signal 11 \(SIGSEGV\).* fork"),
        (lambda index: crash(signal.SIGBUS), r"signal 7 \(SIGBUS\)"),
    ],
)
def test_a_worker_that_ends_itself(function, end):
    loader = DataLoader(Calling(function), num_workers=1)
    with pytest.raises(RuntimeError, match=r"\(pid \d+\) exited unexpectedly.*" + end):
        next(iter(loader))


def test_a_hanging_worker_is_late():
    loader = DataLoader(Calling(lambda index: time.sleep(LONG)), num_workers=1, timeout=0.3)
    iterator = iter(loader)
    pids = list(iterator.worker_pids)
    with pytest.raises(RuntimeError, match=rf"timed out after 0.3 seconds.*\(pid {pids[0]}\)"):
        next(iterator)
    gone(pids)


def test_a_stopped_worker_is_late():
    loader = DataLoader(
        Calling(lambda index: os.kill(os.getpid(), signal.SIGSTOP)), num_workers=1, timeout=0.3
    )
    iterator = iter(loader)
    pids = list(iterator.worker_pids)
    with pytest.raises(RuntimeError, match="timed out after 0.3 seconds"):
        next(iterator)
    gone(pids)


def test_a_hanging_thread_is_late():
    import threading

    gate = threading.Event()
    loader = DataLoader(
        Calling(lambda index: gate.wait(LONG)), num_workers=1, timeout=0.3, worker="thread"
    )
    with pytest.raises(RuntimeError, match=r"timed out after 0.3 seconds.*\(thread \d+\)"):
        next(iter(loader))
    gate.set()


def test_a_timeout_that_is_kept():
    loader = DataLoader(range(8), 2, num_workers=2, timeout=LONG)
    assert len(list(loader)) == 4


# ---------------------------------------------------------------- interrupts and exits


@pytest.fixture
def interruptible():
    """Ctrl-C as a program at a terminal meets it, also where a shell started this one to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@linux
def test_ctrl_c_stops_the_workers(interruptible):
    parent = os.getpid()

    def interrupt(index):
        if index == 3:
            os.kill(parent, signal.SIGINT)
            time.sleep(LONG)

    iterator = iter(DataLoader(Calling(interrupt), num_workers=1))
    pids = list(iterator.worker_pids)
    with pytest.raises(KeyboardInterrupt):
        list(iterator)
    del iterator  # where it came between two calls, the iterator goes on and has its workers
    gone(pids)


def test_ctrl_c_is_left_to_the_loader(interruptible):
    def interrupt(index):
        os.kill(os.getpid(), signal.SIGINT)

    assert len(list(DataLoader(Calling(interrupt), num_workers=2))) == 8


@linux
def test_an_abandoned_iterator_stops_its_workers():
    loader = DataLoader(range(100), num_workers=2)
    iterator = iter(loader)
    next(iterator)
    pids = list(iterator.worker_pids)
    del iterator
    gone(pids)
    loader = DataLoader(range(100), num_workers=2, persistent_workers=True)
    iterator = iter(loader)
    pids = list(iterator.worker_pids)
    del iterator
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
    del loader
    gone(pids)


def test_stopping_does_not_wait_for_what_was_made_ahead():
    started = multiprocessing.get_context("fork").Value("i", 0)

    def count(index):
        started.value += 1

    iterator = iter(DataLoader(Calling(count, 1000), 10, num_workers=1, prefetch_factor=50))
    next(iterator)
    del iterator
    assert started.value < 1000


def test_copies_of_a_loader_in_a_forked_process_leave_the_workers_alone():
    iterator = iter(DataLoader(range(50), num_workers=2))
    next(iterator)
    child = os.fork()
    if child == 0:
        iterator._finalizer()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(iterator)) == 49


def test_processes_that_the_program_forks_do_not_keep_workers_alive(monkeypatch):
    iterator = iter(DataLoader(range(50), num_workers=1))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    with monkeypatch.context() as patched:
        patched.setattr(BaseProcess, "terminate", lambda process: pytest.fail("it did not hear"))
        iterator._pool.stop(LONG)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0


ENDINGS = {
    "exit": "",
    "exit, persistent": "# PERSISTENT",
    "error": "raise SystemExit(7)",
    "killed": "sys.stdout.flush(); os.kill(os.getpid(), 9)",
    "killed in a batch": "sys.stdout.flush(); os.kill(os.getpid(), 9)  # HANGING",
}


@linux
@pytest.mark.parametrize(
    ("method", "ending"),
    [*(("fork", ending) for ending in ENDINGS), ("forkserver", "exit"), ("forkserver", "killed")],
)
def test_the_end_of_the_program_ends_the_workers(method, ending):
    ending = ENDINGS[ending]
    program = f"""
import os, sys, time
from dispatch_core.utils.data import DataLoader
import dispatch_core.utils.data._workers.loop as loop
loop.ORPHANED = 0.2
collate = (lambda s: time.sleep({LONG})) if {"HANGING" in ending} else None
if __name__ == "__main__":
    loader = DataLoader(range(100), 2, collate_fn=collate, num_workers=2,
        persistent_workers={"PERSISTENT" in ending}, multiprocessing_context="{method}")
    iterator = iter(loader)
    {"" if "HANGING" in ending else "next(iterator)"}
    print(*iterator.worker_pids)
    {ending}
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == {"": 0, "#": 0, "r": 7, "s": -9}[ending[:1]]
    gone(map(int, done.stdout.split()))


# ---------------------------------------------------------------- what cannot be sent


class Locked(Dataset):
    def __init__(self, lock):
        self.lock = lock
        self.images = np.zeros((100, 100))
        self.labels = dc.zeros(1000)

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return index


def test_what_cannot_be_pickled_is_told_at_construction():
    options = {"num_workers": 1, "multiprocessing_context": "spawn"}
    local = lambda x: x  # noqa: E731
    for name in ("collate_fn", "worker_init_fn"):
        with pytest.raises(
            UnpicklableError, match=rf"its {name}, but .*lambda.* cannot be pickled"
        ):
            DataLoader(range(3), **options, **{name: local})
    with pytest.raises(UnpicklableError, match=r"its dataset.*worker='thread'"):
        DataLoader(Calling(local), **options)
    with pytest.raises(UnpicklableError, match=r"its dataset.*generator"):
        DataLoader(Locked(number for number in range(3)), **options)
    for same in (AttributeError, TypeError, pickle.PicklingError):
        assert issubclass(UnpicklableError, same)

    DataLoader(range(3), collate_fn=local, num_workers=1, worker="thread")
    loader = DataLoader(range(3), collate_fn=local, num_workers=1, multiprocessing_context="fork")
    with pytest.raises(UnpicklableError, match="collate_fn"):
        loader.multiprocessing_context = "forkserver"
    context = multiprocessing.get_context("spawn")
    DataLoader(Locked(context.Lock()), **options)
    DataLoader(Locked(context.Queue()), num_workers=1, multiprocessing_context=context)


def test_a_loader_does_not_settle_the_start_method():
    program = (
        "import multiprocessing as m; from dispatch_core.utils.data import DataLoader;"
        "DataLoader(range(3), num_workers=1); m.set_start_method('spawn')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# ---------------------------------------------------------------- nothing is left


def belongings():
    """Descriptors, shared mappings, children and threads of this process."""
    gc.collect()  # what failed tests have left in tracebacks
    maps = Path("/proc/self/maps").read_text()
    import threading

    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "mappings": maps.count("dispatch-core-loader"),
        "children": len(multiprocessing.active_children()),
        "threads": threading.active_count(),
        "named": len(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else 0,
    }


LARGE = [np.zeros((100, 100)) for _ in range(8)]


def passes(count):
    """Passes of all kinds: whole, abandoned, failed, persistent, in threads."""
    failing_at_5 = Calling(raising(ValueError("bad"), 5))
    kept = DataLoader(LARGE, 2, num_workers=1, persistent_workers=True)
    for number in range(count):
        case = number % 5
        if case == 0:
            assert len(list(DataLoader(LARGE, 2, num_workers=2))) == 4
        elif case == 1:
            next(iter(DataLoader(LARGE, 2, num_workers=1)))
        elif case == 2:
            with pytest.raises(ValueError, match="bad"):
                list(DataLoader(failing_at_5, 2, num_workers=1))
        elif case == 3:
            assert len(list(kept)) == 4
        else:
            assert len(list(DataLoader(LARGE, 2, num_workers=2, worker="thread"))) == 4


def leaves_nothing(count):
    passes(5)
    before = belongings()
    passes(count)
    after = belongings()
    assert after == before


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts by /proc")
def test_passes_leave_nothing():
    leaves_nothing(50)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts by /proc")
def test_a_thousand_passes_leave_nothing():
    leaves_nothing(1000)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts by /proc")
def test_a_start_that_fails_leaves_nothing(monkeypatch):
    list(DataLoader(range(2), num_workers=1))
    before = belongings()
    context = multiprocessing.get_context("fork")
    original, started = context.Process.start, []

    def start(process):
        if started:
            raise OSError("no more processes")
        started.append(process)
        original(process)

    monkeypatch.setattr(context.Process, "start", start)
    with pytest.raises(OSError, match="no more processes"):
        iter(DataLoader(range(2), num_workers=3, multiprocessing_context=context))
    monkeypatch.undo()
    assert belongings() == before
