"""The backward engine: walks the graph from newest to oldest node, without recursion or counting.

A consumer is always newer than what it consumes, so a heap of order numbers visits every node after
all gradients for it have arrived. Saved arrays are released on the way unless the graph is retained.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Sequence
from typing import Any

from dispatch_core import _state
from dispatch_core._dispatcher.policy import DTYPE_EMULATION, HOST_FALLBACK
from dispatch_core._graph import WRITES, Leaf, Node, Pick
from dispatch_core._op import operator_named
from dispatch_core._tensor import Tensor, wrap_raw
from dispatch_core.autograd._modes import (
    PLAIN_TENSORS,
    RECORDED_TENSORS,
    TensorMode,
    raw_mode,
)
from dispatch_core.backend.api import Backend

_QUIET = frozenset({"grad", "anomaly", "inference"}) | HOST_FALLBACK.states | DTYPE_EMULATION.states
"""States in which no layer wants to see the operators of the backward pass: raw arrays may be used."""


class Engine:
    """One backward pass."""

    def __init__(
        self,
        *,
        create_graph: bool,
        retain_graph: bool,
        inputs: Sequence[Any] | None,
        accumulate: bool,
    ) -> None:
        self.create_graph = create_graph
        self.retain = retain_graph
        self.accumulate = accumulate
        self.pending: dict[int, tuple[Any, Any]] = {}
        """What has arrived for a node, by the node's order number."""
        self.heap: list[int] = []
        self.leaves: dict[Leaf, Any] = {}
        self.captured: dict[Any, Any] = {}
        self.inputs = None if inputs is None else {id(node) for node in inputs}
        self.useful: set[int] | None = None
        state = _state.STATES[_state.current_state()]
        self.tensors: TensorMode = RECORDED_TENSORS if create_graph else PLAIN_TENSORS
        self.raw_allowed = not create_graph and state <= _QUIET
        self.anomaly = "anomaly" in state
        self.add = operator_named("add").front

    # -- driving -----------------------------------------------------------------------------------

    def run(self, roots: Sequence[tuple[Any, Tensor]]) -> dict[Any, Any]:
        """Send the gradients of the roots back; returns what arrived at `inputs`, by node."""
        if self.inputs is not None:
            self.useful = _leading_to(self.inputs, [node for node, _ in roots])
        number = _state.current_state() or _state.open_context()
        token = _state.set_state(_state.moved(number, "grad", self.create_graph))
        try:
            for node, g in roots:
                self.send(node, g, None)
            self._drain()
            for leaf in sorted(self.leaves, key=lambda leaf: -leaf.order):
                self._finish_leaf(leaf)
        finally:
            _state.reset_state(token)
        return self.captured

    def _drain(self) -> None:
        heap, pending = self.heap, self.pending
        pop = heapq.heappop
        while heap:
            node, g = pending.pop(-pop(heap))
            spec = node.spec
            hooks = node.hooks
            if g.__class__ is Outputs:
                g = g.gathered(spec.output_count(node))
            else:
                if hooks is not None and hooks.on_tensor:
                    g = self._run_hooks(hooks.on_tensor, g, spec)
                if self.inputs is not None and id(node) in self.inputs:
                    self.captured[node] = self.as_tensor(g, spec.backend)
                if node.__class__ is Pick:
                    self._collect(node, self.as_tensor(g, spec.backend))
                    continue
            self._step(node, spec, g, hooks)

    def _step(self, node: Node, spec: Any, g: Any, hooks: Any) -> None:
        if node.saved is FREED:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors "
                "after they have already been freed). Saved intermediate values of the graph are freed "
                "when you call .backward() or autograd.grad(). Specify retain_graph=True if you need "
                "to backward through the graph a second time or if you need to access saved tensors "
                "after calling backward."
            )
        if node.order < WRITES.last and spec.keeps:
            _check_unmodified(node, spec)
        if hooks is not None and hooks.before:
            g = _run_node_hooks(hooks.before, self.as_tensor(g, spec.backend))
        raw = self.raw_allowed and spec.raw
        if raw:
            g, mode = _lowered(g), raw_mode(spec.backend, spec.op_dtype)
        else:
            g, mode = self.as_tensor(g, spec.backend), self.tensors
        try:
            grads = spec.gradients(node, g, mode)
        except Exception as error:
            self._explain(node, error)
            raise
        if self.anomaly:
            self._look_for_nan(node, spec, grads)
        if hooks is not None and hooks.after:
            grads = self._after(hooks.after, grads, g, spec)
        if not self.retain:
            node.saved = FREED
        backend = spec.backend
        useful = self.useful
        for edge, value in zip(node.edges, grads, strict=True):
            if edge is not None and value is not None and (useful is None or id(edge) in useful):
                self.send(edge, value, backend)

    def send(self, edge: Any, value: Any, backend: Backend | None) -> None:
        """Add a gradient to what has arrived for a node or leaf."""
        if edge.__class__ is Leaf:
            if value.__class__ is not Tensor and not isinstance(value, Tensor):
                value = wrap_raw(value, backend)  # type: ignore[arg-type]
            arrived = self.leaves.get(edge)
            self.leaves[edge] = value if arrived is None else self.add(arrived, value)
            return
        order = edge.order
        arrived = self.pending.get(order)
        if arrived is None:
            self.pending[order] = (edge, value)
            heapq.heappush(self.heap, -order)
            return
        known = arrived[1]
        if isinstance(known, Tensor) or isinstance(value, Tensor):
            home = edge.spec.backend
            total: Any = self.add(self.as_tensor(known, home), self.as_tensor(value, home))
        else:
            total = known + value
            if total.__class__ is not backend.array:  # type: ignore[union-attr]
                total = backend.as_array(total)  # type: ignore[union-attr]
        self.pending[order] = (edge, total)

    def _collect(self, picked: Pick, g: Tensor) -> None:
        """Hand the gradient of one output to the operation with several outputs."""
        node = picked.edges[0]
        entry = self.pending.get(node.order)
        if entry is None:
            entry = self.pending[node.order] = (node, Outputs())
            heapq.heappush(self.heap, -node.order)
        outputs = entry[1]
        known = outputs.get(picked.index)
        outputs[picked.index] = g if known is None else self.add(known, g)

    def as_tensor(self, value: Any, backend: Backend) -> Tensor:
        """A gradient as a tensor."""
        return value if isinstance(value, Tensor) else wrap_raw(value, backend)

    # -- leaves --------------------------------------------------------------------------------------

    def _finish_leaf(self, leaf: Leaf) -> None:
        g = self.leaves.pop(leaf)
        if leaf.hooks:
            for hook in list(leaf.hooks.values()):
                changed = hook(g)
                if changed is not None:
                    g = _checked_hook_result(changed, g)
        if self.inputs is not None and id(leaf) in self.inputs:
            self.captured[leaf] = g
            if not self.accumulate:
                return
        elif self.inputs is not None or not self.accumulate:
            return
        if leaf.grad is None:
            leaf.grad = g if self.create_graph or _is_sole_owner(g) else _fresh(g)
        elif self.create_graph:
            leaf.grad = self.add(leaf.grad, g)
        else:
            leaf.grad.add_(g)
        del g
        if leaf.after:
            tensor = leaf.variable
            if tensor is not None:
                for notify in list(leaf.after.values()):
                    notify(tensor)

    # -- hooks and diagnosis -----------------------------------------------------------------------

    def _run_hooks(self, hooks: Any, g: Any, spec: Any) -> Any:
        tensor = self.as_tensor(g, spec.backend)
        for hook in list(hooks.values()):
            changed = hook(tensor)
            if changed is not None:
                tensor = _checked_hook_result(changed, tensor)
        return tensor

    def _after(self, hooks: Any, grads: tuple[Any, ...], g: Any, spec: Any) -> tuple[Any, ...]:
        backend = spec.backend
        results = tuple(None if v is None else self.as_tensor(v, backend) for v in grads)
        incoming = g if isinstance(g, tuple) else (self.as_tensor(g, backend),)
        for hook in list(hooks.values()):
            changed = hook(results, incoming)
            if changed is not None:
                results = tuple(changed) if isinstance(changed, (tuple, list)) else (changed,)
        return results

    def _look_for_nan(self, node: Node, spec: Any, grads: tuple[Any, ...]) -> None:
        for index, value in enumerate(grads):
            if value is None:
                continue
            tensor = self.as_tensor(value, spec.backend)
            if operator_named("isnan").front(tensor).any().item():
                error = RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {index}th output."
                )
                self._explain(node, error)
                raise error

    def _explain(self, node: Node, error: Exception) -> None:
        trace = getattr(node, "trace", None)
        if trace is not None:
            error.add_note(
                f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n"
                f"{trace}"
            )


class _Freed:
    def __repr__(self) -> str:
        return "FREED"


FREED = _Freed()
"""Stands in `node.saved` once the saved arrays have been released."""


class Outputs(dict[int, Tensor]):
    """The gradients that have arrived for an operation with several outputs, by output."""

    def gathered(self, count: int) -> tuple[Tensor | None, ...]:
        """One entry for each output, None where no gradient arrived."""
        return tuple(self.get(i) for i in range(count))


def _lowered(g: Any) -> Any:
    if isinstance(g, Tensor):
        return g._raw
    if isinstance(g, tuple):
        return tuple(None if v is None else v._raw for v in g)
    return g


def _run_node_hooks(hooks: Any, g: Any) -> Any:
    grads = g if isinstance(g, tuple) else (g,)
    for hook in list(hooks.values()):
        changed = hook(grads)
        if changed is not None:
            grads = tuple(changed) if isinstance(changed, (tuple, list)) else (changed,)
    return grads if isinstance(g, tuple) else grads[0]


def _checked_hook_result(changed: Any, g: Tensor) -> Tensor:
    if not isinstance(changed, Tensor):
        raise TypeError(
            f"expected a hook to return a Tensor or None, but got {type(changed).__name__}"
        )
    if changed.shape != g.shape:
        raise RuntimeError(
            f"hook has changed the size of value: expected {list(g.shape)}, got {list(changed.shape)}"
        )
    return changed


def _is_sole_owner(g: Tensor) -> bool:
    """Whether nobody else holds the gradient's memory, so that the leaf may keep it as it is."""
    # The array: one reference from the tensor, one from getrefcount's argument. The tensor: the
    # caller's variable, this parameter, getrefcount's argument.
    sole = sys.getrefcount(g._raw) <= 2 and sys.getrefcount(g) <= 3
    return sole and g._backend.storage_of(g._raw) is g._raw


def _fresh(g: Tensor) -> Tensor:
    return wrap_raw(g._backend.copy(g._raw), g._backend)


def _check_unmodified(node: Node, spec: Any) -> None:
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


def _leading_to(inputs: set[int], roots: Sequence[Any]) -> set[int]:
    """The nodes from which some input can be reached (so that the others can be left out)."""
    seen: dict[int, Any] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        stack.extend(edge for edge in node.edges if edge is not None)
    useful: set[int] = set()
    for node in sorted(seen.values(), key=lambda n: n.order):
        if id(node) in inputs or any(id(e) in useful for e in node.edges if e is not None):
            useful.add(id(node))
    return useful
