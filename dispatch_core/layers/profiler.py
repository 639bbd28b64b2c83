"""The profiler layer: notes every operator call of a thread or task while it is switched on.

    with dc.profiler.profile() as prof:
        model(x).sum().backward()
    print(prof.key_averages().table(sort_by="self_cpu_time_total"))

It is the outermost of the built-in layers and an ordinary one: what it collects lies in a
ContextVar of its own, and when it is off it is in no chain. The backward pass runs through the
dispatcher while the profiler is on (else on raw arrays), so its operators are seen too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import PathLike
from time import perf_counter_ns
from typing import Any

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._keys import FIRST_TENSOR_KEY, tensor_key
from dispatch_core._layer import LAYERS, Keys, Layer
from dispatch_core._state import State, Switch
from dispatch_core._tensor import Tensor
from dispatch_core.backend.registry import BACKENDS

NAME = "profiler"
_COLUMNS = {
    "count": "calls",
    "self_cpu_time_total": "self ms",
    "cpu_time_total": "total ms",
    "cpu_time": "mean us",
}


@dataclass(slots=True, eq=False)
class Event:
    """One operator call, or one range that the user named; times in nanoseconds."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    dtype: str
    device: str
    depth: int
    start: int
    duration: int = 0
    inside: int = 0
    """The part of the duration that events nested in this one took."""

    @property
    def own(self) -> int:
        """The duration without what is nested in it."""
        return self.duration - self.inside


class Profile:
    """What was noted: `events` in order, totals, a table, a trace for a browser."""

    def __init__(self, *, record_shapes: bool, synchronize: bool) -> None:
        self.events: list[Event] = []
        self.record_shapes = record_shapes
        self._devices = synchronize
        self._open: list[Event] = []

    # -- while it runs ---------------------------------------------------------------------------

    def begin(self, name: str, shapes: Any = (), dtype: str = "", device: str = "") -> Event:
        """Note that a call starts."""
        event = Event(name, shapes, dtype, device, len(self._open), perf_counter_ns())
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
        while self._open.pop() is not event:
            pass
        if self._open:
            self._open[-1].inside += event.duration

    # -- afterwards --------------------------------------------------------------------------------

    def key_averages(self, group_by_input_shape: bool = False) -> Averages:
        """Totals by operator and device; with shapes, also by the shapes of the arguments."""
        found: dict[Any, Average] = {}
        for event in self.events:
            shapes = event.shapes if group_by_input_shape else ()
            key = (event.name, event.device, event.dtype if group_by_input_shape else "", shapes)
            found.setdefault(key, Average(event.name, event.device, shapes)).add(event)
        return Averages(found.values())

    def table(self, row_limit: int = 100) -> str:
        """Every call in order, indented by nesting, with shapes, dtype, device and wall time."""
        rows = [("operator", "shapes", "dtype", "device", "self us", "total us")]
        for event in self.events[:row_limit]:
            shapes = " ".join("x".join(map(str, s)) or "()" for s in event.shapes)
            times = (f"{event.own / 1e3:.1f}", f"{event.duration / 1e3:.1f}")
            rows.append(
                ("  " * event.depth + event.name, shapes, event.dtype, event.device, *times)
            )
        left_out = len(self.events) - row_limit
        return _table(rows, 4) + (f"\n... and {left_out} more calls" if left_out > 0 else "")

    def export_chrome_trace(self, path: str | PathLike[str]) -> None:
        """Write the events as a trace that chrome://tracing and Perfetto show."""
        events = [
            {
                "name": e.name,
                "ph": "X",
                "ts": e.start / 1e3,
                "dur": e.duration / 1e3,
                "pid": 0,
                "tid": 0,
                "args": {"shapes": e.shapes, "dtype": e.dtype, "device": e.device},
            }
            for e in self.events
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)

    def __str__(self) -> str:
        return self.key_averages().table()


@dataclass(slots=True)
class Average:
    """The calls of one operator together; times in microseconds, named as PyTorch names them."""

    key: str
    device: str
    shapes: tuple[tuple[int, ...], ...] = ()
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    dtypes: set[str] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Count one call."""
        self.count += 1
        self.cpu_time_total += event.duration / 1e3
        self.self_cpu_time_total += event.own / 1e3
        self.dtypes.add(event.dtype)

    @property
    def cpu_time(self) -> float:
        """The mean duration of a call."""
        return self.cpu_time_total / self.count


class Averages(list[Average]):
    """Totals by operator; prints as a table."""

    def table(self, sort_by: str = "self_cpu_time_total", row_limit: int = 100) -> str:
        """The totals, largest first; ValueError for a column that does not exist."""
        if sort_by not in _COLUMNS:
            raise ValueError(f"table(): sort_by is one of {', '.join(_COLUMNS)}, got {sort_by!r}")
        whole = sum(a.self_cpu_time_total for a in self) or 1.0
        rows = [("operator", "device", "shapes", "self %", *_COLUMNS.values())]
        for a in sorted(self, key=lambda a: -getattr(a, sort_by))[:row_limit]:
            shapes = " ".join("x".join(map(str, s)) or "()" for s in a.shapes)
            share = f"{100 * a.self_cpu_time_total / whole:.1f}"
            times = (f"{a.self_cpu_time_total / 1e3:.3f}", f"{a.cpu_time_total / 1e3:.3f}")
            rows.append((a.key, a.device, shapes, share, str(a.count), *times, f"{a.cpu_time:.1f}"))
        return _table(rows, 3)

    def total_average(self) -> Average:
        """All calls as one entry."""
        total = Average("total", "")
        for each in self:
            total.count += each.count
            total.cpu_time_total += each.self_cpu_time_total
            total.self_cpu_time_total += each.self_cpu_time_total
            total.dtypes |= each.dtypes
        return total

    def __str__(self) -> str:
        return self.table()


def _table(rows: Sequence[Sequence[str]], left: int) -> str:
    """Rows in columns; the first `left` columns are words, the others numbers."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


_current: ContextVar[Profile | None] = ContextVar("profile", default=None)


class Profiler(Layer):
    """Takes part while `profile()` is on."""

    name = NAME
    before = ("views", "devices", "promotion", "autograd", "device")

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return NAME in state

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return Timed(op, keys, below())

    @contextmanager
    def session(  # type: ignore[override]
        self, *, record_shapes: bool = True, synchronize: bool = False
    ) -> Iterator[Profile]:
        """Collect into a new `Profile` until the end."""
        profile = Profile(record_shapes=record_shapes, synchronize=synchronize)
        token = _current.set(profile)
        try:
            yield profile
        finally:
            _current.reset(token)


class Timed(Chain):
    """Calls the chain below and notes how long it took."""

    __slots__ = ("below", "device", "dtype")

    def __init__(self, op: Op, keys: Keys, below: Chain) -> None:
        self.op = op
        self.below = below
        numbers = [n for k in keys for n in (sorted(k) if isinstance(k, frozenset) else (k,))]
        found = [tensor_key(n) for n in numbers if n >= FIRST_TENSOR_KEY]
        self.device = found[0].device if found else ""
        self.dtype = found[0].dtype.name if found else ""

    def call(self, *args: Any) -> Any:
        profile = _current.get()
        if profile is None:
            return self.below.call(*args)
        shapes = shapes_of(args) if profile.record_shapes else ()
        event = profile.begin(self.op.name, shapes, self.dtype, self.device)
        try:
            return self.below.call(*args)
        finally:
            profile.end(event)

    def describe(self) -> list[str]:
        return ["profiler: notes shapes and wall time", *self.below.describe()]


def shapes_of(args: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    """The shapes of the tensors among arguments, also of those in lists."""
    tensors = [t for a in args for t in (a if isinstance(a, (list, tuple)) else (a,))]
    return tuple(tuple(t._raw.shape) for t in tensors if isinstance(t, Tensor))


class profile:  # noqa: N801  PyTorch's name
    """Context manager that notes every operator call of this thread or task; gives a `Profile`.

    Args:
        record_shapes: whether the shapes of arguments are noted.
        synchronize: whether a device is waited for after each call, so that times are those of the
        work
            and not of handing it over; slows an asynchronous device down.

    """

    def __init__(self, *, record_shapes: bool = True, synchronize: bool = False) -> None:
        self._session = PROFILER.session(record_shapes=record_shapes, synchronize=synchronize)
        self._switch = Switch(NAME, True)

    def __enter__(self) -> Profile:
        found: Profile = self._session.__enter__()
        self._switch.__enter__()
        return found

    def __exit__(self, *exc_info: Any) -> None:
        self._switch.__exit__(*exc_info)
        self._session.__exit__(*exc_info)


@contextmanager
def record_function(name: str) -> Iterator[None]:
    """A range with a name of the user's choice in the profile, if one is being made."""
    found = _current.get()
    if found is None:
        yield
        return
    event = found.begin(name)
    try:
        yield
    finally:
        found.end(event)


PROFILER = Profiler()
LAYERS.add(PROFILER)
