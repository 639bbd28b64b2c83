"""What became of a worker process, in words, and ending one within a given time."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from time import monotonic

GRACE = 5.0
"""Seconds that workers get to end by themselves."""
_AFTER_TERMINATE = 1.0

_HINTS = {
    "SIGKILL": "the system does this when memory runs out: use fewer workers or smaller batches",
    "SIGSEGV": "a library that the dataset uses has crashed; libraries with threads of their own may not "
    "survive a fork: try multiprocessing_context='forkserver'",
    "SIGBUS": "memory-mapped data could not be read, or there is no space left behind it",
    "SIGABRT": "a library that the dataset uses has aborted; its message is on stderr",
    "SIGTERM": "somebody has ended it",
}


def what_ended(process: BaseProcess) -> str:
    """The end of a process as a sentence for the user."""
    process.join(GRACE)
    code = process.exitcode
    if code is None:
        return f"DataLoader worker (pid {process.pid}) has closed its pipe, but does not exit"
    start = f"DataLoader worker (pid {process.pid}) exited unexpectedly"
    if code >= 0:
        return (
            f"{start} with exit code {code}; its own message is on stderr. To see an error in the "
            "dataset with its traceback, try num_workers=0"
        )
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = f"; {_HINTS[name]}" if name in _HINTS else ""
    return f"{start}: killed by signal {-code} ({name}){hint}"


def end(processes: Sequence[BaseProcess], grace: float) -> None:
    """Waits until the processes have ended, then ends them, and releases what belongs to them."""
    try:
        _join(processes, grace)
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
        _join(processes, _AFTER_TERMINATE)
        for process in processes:
            if process.is_alive():
                process.kill()
                process.join()
            with contextlib.suppress(ValueError):
                process.close()


def _join(processes: Sequence[BaseProcess], seconds: float) -> None:
    deadline = monotonic() + seconds
    for process in processes:
        process.join(max(0.0, deadline - monotonic()))
