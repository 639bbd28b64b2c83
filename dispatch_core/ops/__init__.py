"""The declarations of operators, sorted by kind; attributes of this package are the operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._op import operator_named
from dispatch_core.ops import (  # noqa: F401  they declare
    binary,
    contraction,
    create,
    extremes,
    index,
    mixing,
    product,
    random,
    reduce,
    scan,
    search,
    shape,
    sorting,
    special,
    unary,
)


def __getattr__(name: str) -> Callable[..., Any]:
    return operator_named(name).front
