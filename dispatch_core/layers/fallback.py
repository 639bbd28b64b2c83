"""Host fallback: moving a call to the host and back, with a count of what that cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._caller import user_line
from dispatch_core._device import device as Device
from dispatch_core._dispatcher.chains import invoke
from dispatch_core._dispatcher.operator import Op
from dispatch_core._place import moved
from dispatch_core._tensor import Tensor


class FallbackReport:
    """How often each operator fell back to the host, and how many bytes went with it."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.bytes: Counter[tuple[str, str, str]] = Counter()

    def count(self, op: str, device: str, args: Sequence[Any]) -> bool:
        """Note one call; returns whether it is the first of this operator from this source line."""
        place = (op, device, user_line())
        self.calls[place] += 1
        for tensor in args:
            if isinstance(tensor, Tensor):
                size = tensor.dtype.itemsize
                for n in tensor.shape:
                    size *= n
                self.bytes[place] += size
        return self.calls[place] == 1

    def clear(self) -> None:
        """Forget all counts."""
        self.calls.clear()
        self.bytes.clear()

    def __repr__(self) -> str:
        if not self.calls:
            return "no operator fell back to the host"
        lines = ["calls      bytes  operator @ device (from)"]
        for place, calls in self.calls.most_common():
            op, device, where = place
            lines.append(f"{calls:5d} {self.bytes[place]:10d}  {op} @ {device} ({where})")
        return "\n".join(lines)


REPORT = FallbackReport()


def fallback_report() -> FallbackReport:
    """How often operators ran on the host or in a wider dtype; prints as a table.

    `fallback_report().clear()` starts counting anew.
    """
    return REPORT


def host_call(op: Op, args: Sequence[Any], host: str) -> Any:
    """Run an operator on the host for arguments of another device; results come back to it."""
    home: list[Tensor] = []

    def there(value: Any) -> Any:
        if isinstance(value, Tensor):
            home.append(value)
            return moved(value, Device(host))
        if isinstance(value, (list, tuple)):
            return type(value)(there(item) for item in value) if value else value
        return value

    results = invoke(op, [there(a) for a in args])
    device = home[0].device
    return _map(results, lambda t: moved(t, device))


def _map(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    mapped = [_map(item, function) for item in value]
    return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)
