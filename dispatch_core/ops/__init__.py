"""The declarations of operators, sorted by kind; attributes of this package are the operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._op import OPERATORS, SLOTS, operator_named
from dispatch_core.ops import (  # noqa: F401  they declare
    activation,
    arrange,
    bessel,
    binary,
    checked,
    complexes,
    contraction,
    copies,
    create,
    determinant,
    eigen,
    equations,
    erf,
    extremes,
    factor,
    facts,
    floats,
    gamma,
    hashing,
    histogram,
    indefinite,
    index,
    inverse,
    joining,
    logs,
    lowrank,
    memory,
    mixing,
    norms,
    pick,
    places,
    powers,
    product,
    random,
    reduce,
    reflections,
    relabel,
    removed,
    scan,
    search,
    segments,
    shape,
    short_time,
    slopes,
    softmax,
    solve,
    sorting,
    spectral,
    splitting,
    statistics,
    strided,
    triangles,
    unary,
    views,
)

OPERATORS.await_use(
    "dispatch_core.ops.nn",
    "dispatch_core.ops.fft",
    "dispatch_core.ops.signal",
    "dispatch_core.ops.special",
    "dispatch_core.ops.chance",
)


def __getattr__(name: str) -> Callable[..., Any]:
    """An operator, or the namespace of operators that a plugin declares (`ops.example.smoothstep`)."""
    if name not in OPERATORS and not name.startswith("_"):
        namespace = SLOTS.namespace(name)
        if namespace is not None:
            return namespace
    return operator_named(name).front
