"""Host fallback: moving a call to the host and back, a report of what that cost, and budgets for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from dispatch_core._device import device as Device
from dispatch_core._dispatcher.chains import invoke
from dispatch_core._dispatcher.operator import Op
from dispatch_core._errors import FallbackBudgetError
from dispatch_core._place import moved
from dispatch_core._tensor import Tensor

Place = tuple[str, str, str]
"""Operator, device (or the two dtypes of an emulation) and source line."""


class Row(NamedTuple):
    """What one operator cost at one source line."""

    operator: str
    device: str
    line: str
    calls: int
    bytes: int


class FallbackReport:
    """How often each operator ran elsewhere than on its device, and how many bytes went with it.

    `calls` and `bytes` are Counters by operator, device (`float16 as float32` for an emulation) and
    source line. The bytes of a fallback are those of its arguments and of its results.
    """

    def __init__(self) -> None:
        self.calls: Counter[Place] = Counter()
        self.bytes: Counter[Place] = Counter()
        self._lock = threading.Lock()

    def count(self, place: Place, args: Sequence[Any]) -> bool:
        """Note one call; returns whether it is the first of this operator from this source line."""
        size = size_of(args)
        with self._lock:
            self.calls[place] += 1
            self.bytes[place] += size
            return self.calls[place] == 1

    def add(self, place: Place, size: int) -> None:
        """Note bytes that came back."""
        with self._lock:
            self.bytes[place] += size

    def clear(self) -> None:
        """Forget all counts."""
        with self._lock:
            self.calls.clear()
            self.bytes.clear()

    def rows(self) -> list[Row]:
        """One row an operator, device and source line, those that moved most first."""
        with self._lock:
            found = [Row(*place, n, self.bytes[place]) for place, n in self.calls.items()]
        return sorted(found, key=lambda row: (-row.bytes, -row.calls, row))

    def __repr__(self) -> str:
        rows = self.rows()
        if not rows:
            return "no operator fell back to the host"
        cells = [("calls", "bytes", "operator", "device", "line")]
        cells += [(f"{r.calls:,}", f"{r.bytes:,}", r.operator, r.device, r.line) for r in rows]
        calls, size = sum(r.calls for r in rows), sum(r.bytes for r in rows)
        cells.append((f"{calls:,}", f"{size:,}", "in all", "", ""))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if at < 2 else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        return "\n".join(lines)


REPORT = FallbackReport()


def fallback_report() -> FallbackReport:
    """How often operators ran on the host or in a wider dtype; prints as a table.

    `.rows()` is the table as a list, `.clear()` starts counting anew.
    """
    return REPORT


class Budget:
    """How many calls may fall back to the host, and how many bytes may move for them.

    `calls` and `bytes` are what was used so far.
    """

    def __init__(
        self,
        max_calls: int | None = None,
        max_bytes: int | None = None,
        operators: Sequence[str] = (),
    ) -> None:
        self.max_calls = _limit("max_calls", max_calls)
        self.max_bytes = _limit("max_bytes", max_bytes)
        self.operators = frozenset(operators)
        """Whose calls count; empty: all."""
        self.calls = 0
        self.bytes = 0
        self._lock = threading.Lock()

    def covers(self, op: str) -> bool:
        """Whether calls of an operator count."""
        return not self.operators or op in self.operators

    def spend(self, op: str, device: str, size: int) -> None:
        """Count a call before its arguments move; FallbackBudgetError where it would be too much."""
        with self._lock:
            calls, total = self.calls + 1, self.bytes + size
            if self.max_calls is not None and calls > self.max_calls:
                self._refuse(op, device, f"it would be call {calls} of at most {self.max_calls}")
            if self.max_bytes is not None and total > self.max_bytes:
                self._refuse(
                    op, device, f"{total:,} bytes would have moved, of at most {self.max_bytes:,}"
                )
            self.calls, self.bytes = calls, total

    def came_back(self, size: int) -> None:
        """Count what a call's results moved."""
        with self._lock:
            self.bytes += size

    def _refuse(self, op: str, device: str, why: str) -> None:
        worst = "".join(f"\n  {r.operator} @ {r.device}: {r.calls:,} calls, {r.bytes:,} bytes, {r.line}"
                        for r in REPORT.rows()[:3])  # fmt: skip
        raise FallbackBudgetError(
            f"'{op}' has no kernel on '{device}', and the budget for running on the host is used up: "
            f"{why}.{' Most so far:' if worst else ''}{worst}\n"
            "To fix it, register a kernel, move the work to another device, or raise the budget of "
            "dispatch_core.fallback()."
        )

    def __repr__(self) -> str:
        used = [f"{self.calls:,} calls", f"{self.bytes:,} bytes"]
        for at, limit in enumerate((self.max_calls, self.max_bytes)):
            if limit is not None:
                used[at] += f" of {limit:,}"
        return f"<{' and '.join(used)} fell back to the host>"


def _limit(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be a whole number from 0 on, or None, got {value!r}")
    return value


class Budgets:
    """The budgets in force: those of the blocks that a thread or task is in, and the process's."""

    entered: ContextVar[tuple[Budget, ...]] = ContextVar("fallback_budgets", default=())
    default: tuple[Budget, ...] = ()

    @classmethod
    def of(cls, op: str) -> list[Budget]:
        """Those that count an operator's calls, innermost first."""
        return [each for each in (*cls.entered.get()[::-1], *cls.default) if each.covers(op)]


def spend(op: str, device: str, args: Sequence[Any]) -> None:
    """Ask every budget for one call of an operator."""
    size = size_of(args)
    for budget in Budgets.of(op):
        budget.spend(op, device, size)


def came_back(place: Place, result: Any) -> None:
    """Count what moved back to the device."""
    size = size_of(result)
    REPORT.add(place, size)
    for budget in Budgets.of(place[0]):
        budget.came_back(size)


def size_of(value: Any) -> int:
    """The bytes of all tensors in a value."""
    return sum(int(t.nbytes) for t in _tensors(value))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)


def host_call(op: Op, args: Sequence[Any], host: str) -> Any:
    """Run an operator on the host for arguments of another device; results come back to it."""
    home: list[Tensor] = []

    def there(value: Any) -> Any:
        if isinstance(value, Tensor):
            home.append(value)
            return moved(value, Device(host))
        if isinstance(value, (list, tuple)):
            return [there(item) for item in value]
        return value

    results = invoke(op, [there(a) for a in args])
    device = home[0].device
    return _map(results, lambda t: moved(t, device))


def _map(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    mapped = [_map(item, function) for item in value]
    return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)
