"""Named tuples of several results, which `dispatch_core.return_types` has by name."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any


def named_results(name: str, fields: Sequence[str]) -> Any:
    """The class of the results of an operator: printed with a field a line, and found again by pickle."""
    kind = namedtuple(name, fields, module="dispatch_core.return_types")  # type: ignore[misc]
    kind.__repr__ = _shown  # type: ignore[method-assign]
    return kind


def _shown(results: Any) -> str:
    lines = ",\n".join(
        f"{field}={value!r}" for field, value in zip(results._fields, results, strict=True)
    )
    return f"dc.return_types.{type(results).__name__}(\n{lines})"
