"""What the engine asks of the nodes of a graph: which there are, and whether what they saved is still so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._graph import WRITES, Node

TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they "
    "have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


class _Freed:
    def __repr__(self) -> str:
        return "FREED"


FREED = _Freed()
"""Stands in `node.saved` once the saved arrays have been released."""


def check_unmodified(node: Node, spec: Any) -> None:
    """RuntimeError where an array that a node saved was written to since."""
    backend = spec.backend
    for value in node.saved:
        for raw in value if isinstance(value, (list, tuple)) else (value,):
            if not isinstance(raw, backend.array):
                continue
            storage = backend.storage_of(raw)
            if WRITES.moment(storage) > node.order:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: a tensor of shape {list(raw.shape)} saved by {node.name()} "
                    f"is at version {WRITES.version(storage)}, written after it was saved. Hint: "
                    "enable anomaly detection to find the operation that failed to compute its "
                    "gradient, with autograd.set_detect_anomaly(True)."
                )


def reachable(roots: Sequence[Any]) -> list[Any]:
    """The roots, and all nodes and leaves that gradients can flow to from them."""
    seen: dict[int, Any] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        stack.extend(edge for edge in node.edges if edge is not None)
    return list(seen.values())


def leading_to(inputs: set[int], roots: Sequence[Any]) -> set[int]:
    """The nodes from which some input can be reached (so that the others can be left out)."""
    useful: set[int] = set()
    for node in sorted(reachable(roots), key=lambda n: n.order):
        if id(node) in inputs or any(id(e) in useful for e in node.edges if e is not None):
            useful.add(id(node))
    return useful
