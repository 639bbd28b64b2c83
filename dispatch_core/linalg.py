"""Linear algebra under PyTorch's names: solvers, factorisations, norms, products."""

from __future__ import annotations

from typing import Any

from dispatch_core import ops as _ops  # noqa: F401  declares the operators
from dispatch_core._errors import LinAlgError as LinAlgError
from dispatch_core._namespaces import names_of as _names_of

globals().update(_names_of("linalg"))


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'dispatch_core.linalg' has no attribute '{name}'")
