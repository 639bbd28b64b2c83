"""When a profile is made in a long run, and where it goes."""

from __future__ import annotations

import enum
import gzip
import os
import socket
import time
from collections.abc import Callable
from typing import Any


class ProfilerAction(enum.Enum):
    """What is done during a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3
    """Record, and hand the profile over at the end of the step."""


class ProfilerActivity(enum.Enum):
    """Kinds of device, as PyTorch's users name what is to be profiled; here operators of all are."""

    CPU = 0
    CUDA = 2
    MTIA = 3
    HPU = 4
    XPU = 5
    PrivateUse1 = 6


Schedule = Callable[[int], ProfilerAction]


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Schedule:
    """A function from the number of a step to what is done in it.

    After `skip_first` steps, cycles of `wait` steps without, `warmup` steps that are thrown away and
    `active` steps that are recorded; `repeat` cycles, or without end for 0. AssertionError for
    negative numbers and cycles without active steps.
    """
    if min(wait, warmup, active - 1, repeat, skip_first) < 0:
        raise AssertionError(
            "Invalid profiler schedule arguments: expected wait, warmup, repeat and skip_first of at "
            f"least 0 and active of at least 1, got {wait}, {warmup}, {repeat}, {skip_first}, {active}"
        )
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"a step has a number of at least 0, got {step}")
        if step < skip_first:
            return ProfilerAction.NONE
        cycle, at = divmod(step - skip_first, length)
        if (repeat and cycle >= repeat) or at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def always(step: int) -> ProfilerAction:
    """Record from the beginning to the end."""
    return ProfilerAction.RECORD


def tensorboard_trace_handler(
    dir_name: str | os.PathLike[str], worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """A function for `on_trace_ready` that writes each profile as a trace into a folder."""

    def write(profile: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        path = os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json")
        profile.export_chrome_trace(path)
        if use_gzip:
            with open(path, "rb") as plain, gzip.open(path + ".gz", "wb") as packed:
                packed.write(plain.read())
            os.remove(path)

    return write
