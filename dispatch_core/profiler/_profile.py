"""`Profile`: what is noted while it runs, and ways to look at it afterwards."""

from __future__ import annotations

import json
import os
import sys
import threading
from os import PathLike
from time import perf_counter_ns
from typing import Any

from dispatch_core._caller import is_ours
from dispatch_core._tensor import Tensor
from dispatch_core.backend.registry import BACKENDS
from dispatch_core.profiler._events import Averages, Event, Events, as_table, averaged, written
from dispatch_core.profiler._flops import flops_of
from dispatch_core.profiler._schedule import ProfilerAction, Schedule, always

_STACK = 8
"""How many lines of the user's program are noted for a call."""


class Profile:
    """What was noted: `events` in order, totals, a table, a trace for a browser."""

    def __init__(
        self,
        *,
        record_shapes: bool = True,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        synchronize: bool = False,
        schedule: Schedule | None = None,
        on_trace_ready: Any = None,
    ) -> None:
        self.events = Events()
        self.record_shapes = record_shapes
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.with_flops = with_flops
        self.step_num = 0
        self._devices = synchronize
        self._open: list[Event] = []
        self._schedule = schedule or always
        self._on_trace_ready = on_trace_ready
        self._action = self._schedule(0)
        self.recording = self._action is not ProfilerAction.NONE

    # -- while it runs ---------------------------------------------------------------------------

    def begin(self, name: str, shapes: Any = (), dtype: str = "", device: str = "") -> Event:
        """Note that a call starts."""
        event = Event(name, shapes, dtype, device, len(self._open), perf_counter_ns())
        event.thread = threading.get_ident()
        if self.with_stack:
            event.stack = _stack()
        self.events.append(event)
        self._open.append(event)
        return event

    def end(self, event: Event) -> None:
        """Note that a call is over."""
        if self._devices:
            backend = BACKENDS.get(event.device)
            if backend is not None:
                backend.synchronize(None)
        event.duration = perf_counter_ns() - event.start
        while self._open and self._open.pop() is not event:
            pass
        if self._open:
            above = self._open[-1]
            above.inside += event.duration
            above.memory += event.memory
            above.memory_inside += event.memory

    def note(self, event: Event, args: Any, result: Any) -> None:
        """Note what a call has given: new memory, and operations."""
        if self.profile_memory:
            event.memory += _new_memory(args, result)
        if self.with_flops and isinstance(result, Tensor):
            event.flops = flops_of(event.name, args, result)

    def step(self) -> None:
        """Say that a step of the run is over; by the schedule, recording begins, ends or goes on."""
        if self._action is ProfilerAction.RECORD_AND_SAVE:
            self._hand_over()
        self.step_num += 1
        before, self._action = self._action, self._schedule(self.step_num)
        self.recording = self._action is not ProfilerAction.NONE
        starts = before in (ProfilerAction.NONE, ProfilerAction.WARMUP)
        if starts and self._action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            self._forget()

    def finish(self) -> None:
        """The block is over: what was recorded is handed over, where that was not done."""
        saved = self._action is ProfilerAction.NONE
        if not saved and self._action is not ProfilerAction.WARMUP and self._on_trace_ready:
            self._hand_over()
        self.recording = False

    def _hand_over(self) -> None:
        if self._on_trace_ready is not None:
            self._on_trace_ready(self)

    def _forget(self) -> None:
        self.events = Events()
        self._open = []

    # -- afterwards --------------------------------------------------------------------------------

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> Averages:
        """Totals by operator and device; also by the shapes of the arguments, or the lines that called."""
        return averaged(self.events, group_by_input_shape, group_by_stack_n)

    def table(self, row_limit: int = 100) -> str:
        """Every call in order, indented by nesting, with shapes, dtype, device and wall time."""
        rows = [("operator", "shapes", "dtype", "device", "self us", "total us")]
        for event in self.events[:row_limit]:
            times = (f"{event.own / 1e3:.1f}", f"{event.duration / 1e3:.1f}")
            name = "  " * event.depth + event.name
            rows.append((name, written(event.shapes), event.dtype, event.device, *times))
        left_out = len(self.events) - row_limit
        return as_table(rows, 4) + (f"\n... and {left_out} more calls" if left_out > 0 else "")

    def export_chrome_trace(self, path: str | PathLike[str]) -> None:
        """Write the events as a trace that chrome://tracing and Perfetto show."""
        events = [
            {
                "name": e.name,
                "ph": "X",
                "ts": e.start / 1e3,
                "dur": e.duration / 1e3,
                "pid": os.getpid(),
                "tid": e.thread,
                "args": {
                    "shapes": e.shapes,
                    "dtype": e.dtype,
                    "device": e.device,
                    **({"bytes": e.memory} if e.memory else {}),
                    **({"flops": e.flops} if e.flops else {}),
                    **({"stack": e.stack} if e.stack else {}),
                },
            }
            for e in self.events
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)

    def export_stacks(self, path: str | PathLike[str], metric: str = "self_cpu_time_total") -> None:
        """Write the lines that called, outermost first, with a number: for flame graphs.

        ValueError for a metric that does not exist, and where no stacks were noted.
        """
        if metric not in ("self_cpu_time_total", "cpu_time_total", "self_cpu_memory_usage"):
            raise ValueError(f"export_stacks(): there is no metric {metric!r}")
        if not any(event.stack for event in self.events):
            raise ValueError("export_stacks(): no stacks were noted; profile with with_stack=True")
        totals: dict[str, float] = {}
        for event in self.events:
            frames = [*reversed(event.stack), event.name]
            line = ";".join(frame.replace(" ", "_") for frame in frames)
            totals[line] = totals.get(line, 0) + getattr(event, metric)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(
                f"{line} {int(value)}\n" for line, value in totals.items() if value >= 1
            )

    def __str__(self) -> str:
        return self.key_averages().table()


def _stack() -> tuple[str, ...]:
    """The lines of the user's program that led here, innermost first."""
    found: list[str] = []
    frame = sys._getframe(1).f_back
    while frame is not None and len(found) < _STACK:
        if not is_ours(frame):
            code = frame.f_code
            found.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return tuple(found)


def _new_memory(args: Any, result: Any) -> int:
    """The bytes of results that are no argument and share no argument's memory."""
    tensors = [t for a in args for t in (a if isinstance(a, (list, tuple)) else (a,))]
    known = {_storage(t) for t in tensors if isinstance(t, Tensor)}
    total = 0
    for each in result if isinstance(result, (tuple, list)) else (result,):
        if isinstance(each, Tensor) and _storage(each) not in known:
            known.add(_storage(each))
            total += each.numel() * each.element_size()
    return total


def _storage(tensor: Tensor) -> int:
    return id(tensor._backend.storage_of(tensor._raw))
