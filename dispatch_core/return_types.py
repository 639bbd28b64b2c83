"""The named tuples that operators with several results return: `return_types.max` is that of `max(dim)`."""

from __future__ import annotations

from typing import Any

from dispatch_core._op import OPERATORS as _OPERATORS
from dispatch_core.ops.histogram import _Histogram as histogramdd  # noqa: F401  is no operator


def __getattr__(name: str) -> Any:
    for operator in (f"{name}_dim", name):
        found = _OPERATORS.get(operator)
        kind = None if found is None else found.op.result_type
        if kind is not None and kind.__name__ == name:
            return kind
    raise AttributeError(
        f"module 'dispatch_core.return_types' has no attribute '{name}': no operator of that name has "
        "several named results"
    )


def __dir__() -> list[str]:
    kinds = (declared.op.result_type for declared in _OPERATORS.values())
    return sorted({"histogramdd", *(kind.__name__ for kind in kinds if kind is not None)})
