"""What a profile consists of: single calls, and the calls of each operator together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Shapes = tuple[tuple[int, ...], ...]

_COLUMNS = {
    "count": "calls",
    "self_cpu_time_total": "self ms",
    "cpu_time_total": "total ms",
    "cpu_time": "mean us",
    "self_cpu_memory_usage": "self KiB",
    "cpu_memory_usage": "total KiB",
    "flops": "MFLOP",
}


@dataclass(slots=True, eq=False)
class Event:
    """One operator call, or one range that the user named; times in nanoseconds, memory in bytes."""

    name: str
    shapes: Shapes
    dtype: str
    device: str
    depth: int
    start: int
    duration: int = 0
    inside: int = 0
    """The part of the duration that events nested in this one took."""
    memory: int = 0
    """The memory of results that was new, those of nested events included."""
    memory_inside: int = 0
    flops: int = 0
    stack: tuple[str, ...] = ()
    """The lines of the user's program that led here, innermost first."""
    thread: int = 0

    @property
    def own(self) -> int:
        """The duration without what is nested in it."""
        return self.duration - self.inside

    # PyTorch's names; its times are in microseconds.

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def input_shapes(self) -> list[list[int]]:
        """The shapes of the arguments, where they were noted."""
        return [list(shape) for shape in self.shapes]

    @property
    def cpu_time_total(self) -> float:
        """The duration in microseconds."""
        return self.duration / 1e3

    @property
    def self_cpu_time_total(self) -> float:
        """The duration without what is nested, in microseconds."""
        return self.own / 1e3

    @property
    def cpu_memory_usage(self) -> int:
        """The memory of results that was new, in bytes."""
        return self.memory

    @property
    def self_cpu_memory_usage(self) -> int:
        """The same without nested events."""
        return self.memory - self.memory_inside


class Events(list[Event]):
    """Events in order; a call of it, as PyTorch's users write, gives itself."""

    def __call__(self) -> Events:
        return self


@dataclass(slots=True)
class Average:
    """The calls of one operator together; times in microseconds, named as PyTorch names them."""

    key: str
    device: str
    shapes: Shapes = ()
    stack: tuple[str, ...] = ()
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    cpu_memory_usage: int = 0
    self_cpu_memory_usage: int = 0
    flops: int = 0
    dtypes: set[str] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Count one call."""
        self.count += 1
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        self.flops += event.flops
        self.dtypes.add(event.dtype)

    @property
    def cpu_time(self) -> float:
        """The mean duration of a call."""
        return self.cpu_time_total / self.count

    @property
    def input_shapes(self) -> list[list[int]]:
        """The shapes of the arguments, where the calls were grouped by them."""
        return [list(shape) for shape in self.shapes]


class Averages(list[Average]):
    """Totals by operator; prints as a table."""

    def table(
        self,
        sort_by: str | None = "self_cpu_time_total",
        row_limit: int = 100,
        header: str | None = None,
    ) -> str:
        """The totals, largest first (None: in the order of the calls).

        Columns of memory, FLOPs and stacks are there if something was noted. ValueError for a
        column that does not exist.
        """
        if sort_by is not None and sort_by not in _COLUMNS:
            raise ValueError(f"table(): sort_by is one of {', '.join(_COLUMNS)}, got {sort_by!r}")
        shown = list(self)
        if sort_by is not None:
            shown.sort(key=lambda a: -getattr(a, sort_by))
        optional = [
            name
            for name in ("self_cpu_memory_usage", "cpu_memory_usage", "flops")
            if any(getattr(a, name) for a in self)
        ]
        columns = ["count", "self_cpu_time_total", "cpu_time_total", "cpu_time", *optional]
        stacks = any(a.stack for a in self)
        whole = sum(a.self_cpu_time_total for a in self) or 1.0
        titles = [_COLUMNS[name] for name in columns]
        rows = [
            ["operator", "device", "shapes", "self %", *titles, *(["source"] if stacks else [])]
        ]
        for each in shown[: row_limit if row_limit >= 0 else None]:
            share = f"{100 * each.self_cpu_time_total / whole:.1f}"
            cells = [_cell(each, name) for name in columns]
            source = [" < ".join(each.stack)] if stacks else []
            rows.append([each.key, each.device, written(each.shapes), share, *cells, *source])
        text = as_table(rows, 3)
        return text if header is None else f"{header}\n{text}"

    def total_average(self) -> Average:
        """All calls as one entry."""
        total = Average("total", "")
        for each in self:
            total.count += each.count
            total.cpu_time_total += each.self_cpu_time_total
            total.self_cpu_time_total += each.self_cpu_time_total
            total.cpu_memory_usage += each.self_cpu_memory_usage
            total.self_cpu_memory_usage += each.self_cpu_memory_usage
            total.flops += each.flops
            total.dtypes |= each.dtypes
        return total

    def __str__(self) -> str:
        return self.table()


def averaged(events: Iterable[Event], by_shape: bool, stack_depth: int) -> Averages:
    """Totals by operator and device, perhaps also by shapes and by the lines that called."""
    found: dict[tuple[object, ...], Average] = {}
    for event in events:
        shapes = event.shapes if by_shape else ()
        stack = event.stack[:stack_depth]
        key = (event.name, event.device, event.dtype if by_shape else "", shapes, stack)
        if key not in found:
            found[key] = Average(event.name, event.device, shapes, stack)
        found[key].add(event)
    return Averages(found.values())


def written(shapes: Shapes) -> str:
    """Shapes as a table shows them."""
    return " ".join("x".join(map(str, s)) or "()" for s in shapes)


def _cell(average: Average, name: str) -> str:
    value = getattr(average, name)
    if name == "count":
        return str(value)
    if name == "cpu_time":
        return f"{value:.1f}"
    if name.endswith("memory_usage"):
        return f"{value / 1024:.1f}"
    return f"{value / 1e6:.3f}" if name == "flops" else f"{value / 1e3:.3f}"


def as_table(rows: Sequence[Sequence[str]], left: int) -> str:
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
