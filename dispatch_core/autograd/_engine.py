"""The backward engine: walks the graph from newest to oldest node, without recursion or counting.

A consumer is always newer than what it consumes, so a heap of order numbers visits every node after
all gradients for it have arrived. Saved arrays are released on the way unless the graph is retained.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from dispatch_core import _state
from dispatch_core._dispatcher.policy import is_choice
from dispatch_core._dual import OFF as FORWARD_OFF
from dispatch_core._dual import level_of
from dispatch_core._graph import RETAIN, WRITES, Leaf, Node, Pick
from dispatch_core._op import K as OPERATORS
from dispatch_core._op import operator_named
from dispatch_core._tensor import Tensor, is_plain, wrap_raw
from dispatch_core.autograd._hook_results import checked_result, exchanged, run_node_hooks
from dispatch_core.autograd._modes import (
    PLAIN_TENSORS,
    RECORDED_TENSORS,
    TensorMode,
    raw_mode,
)
from dispatch_core.autograd._nodes import FREED, TWICE, check_unmodified, leading_to, reachable
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import backend_of
from dispatch_core.ops.rows import is_row_sparse

_UNSEEING = frozenset({"grad", "anomaly", "anomaly_nan", "inference", FORWARD_OFF})
"""What may be on, choices of policies beside, without any layer wanting to see the backward pass."""


class _Quiet(dict[int, bool]):
    """State number -> whether formulas may run on raw arrays in it."""

    def __missing__(self, number: int) -> bool:
        names = _state.STATES[number] - _UNSEEING
        found = self[number] = all(map(is_choice, names))
        return found

    def __contains__(self, number: object) -> bool:
        return self[number]  # type: ignore[index]


QUIET = _Quiet()


def _switched(on: bool) -> _state.Switch:
    return _state.Switch("grad", on)


_PASS: ContextVar[Engine] = ContextVar("backward_pass")


_PARTIAL: ContextVar[bool] = ContextVar("backward_to_some", default=False)


def is_partial() -> bool:
    """Whether the backward pass that runs goes to chosen inputs only."""
    return _PARTIAL.get()


def pass_now() -> Engine:
    """The backward pass that has called the hook which asks."""
    return _PASS.get()


class Engine:
    """One backward pass."""

    __slots__ = (
        "accumulate",
        "after",
        "captured",
        "check_nan",
        "create_graph",
        "heap",
        "inputs",
        "leaves",
        "number",
        "pending",
        "raw_allowed",
        "retain",
        "roots",
        "tensors",
        "useful",
    )

    def __init__(
        self,
        retain_graph: bool,
        create_graph: bool = False,
        inputs: Sequence[Any] | None = None,
        accumulate: bool = True,
    ) -> None:
        self.retain = retain_graph
        self.create_graph = create_graph
        self.accumulate = accumulate
        self.pending: dict[int, tuple[Any, Any]] = {}
        """What has arrived for a node, by the node's order number."""
        self.heap: list[int] = []
        self.after: list[Callable[[], None]] | None = None
        """What a hook asked to have run when the pass is through."""
        self.leaves: dict[Leaf, list[Any]] = {}
        """What has arrived for a leaf, in a list that holds the only reference, and its backend."""
        self.captured: dict[Any, Any] = {}
        self.roots: Sequence[Any] = ()
        self.inputs = None if inputs is None else {id(node) for node in inputs}
        self.useful: set[int] | None = None
        self.tensors: TensorMode = RECORDED_TENSORS if create_graph else PLAIN_TENSORS
        self.number = number = _state.current_state() or _state.open_context()
        self.raw_allowed = not create_graph and number in QUIET
        self.check_nan = "anomaly_nan" in _state.STATES[number]

    def when_done(self, callback: Callable[[], None]) -> None:
        """Have `callback()` run when the pass is through."""
        if self.after is None:
            self.after = []
        self.after.append(callback)

    def visited(self, nodes: Sequence[Any]) -> list[bool]:
        """Whether the pass comes to each of some nodes, if every formula on the way gives a gradient."""
        way = self.useful
        if way is None:
            way = {id(node) for node in reachable(self.roots)}
        return [id(node) in way for node in nodes]

    # -- driving -----------------------------------------------------------------------------------

    def run(self, roots: Sequence[tuple[Any, Tensor]]) -> dict[Any, Any]:
        """Send the gradients of the roots back; returns what arrived at `inputs`, by node."""
        self.roots = [node for node, _ in roots]
        if self.inputs is not None:
            self.useful = leading_to(self.inputs, self.roots)
        partial = _PARTIAL.set(self.inputs is not None)
        token = _state.set_state(_state.moved(self.number, "grad", self.create_graph))
        try:
            for node, g in roots:
                self.raw_allowed = self.raw_allowed and is_plain(g)
                self.send(node, g, None)
            self._drain()
            self._finish_leaves()
        finally:
            _state.reset_state(token)
            _PARTIAL.reset(partial)
        return self.captured

    # One loop on purpose: a function for each step would cost more than the step.
    def run_plain(self, root: Any, g: Any) -> None:  # noqa: C901, PLR0915
        """The common case in one loop: formulas on raw arrays, all leaves wanted, nobody watching.

        What one node needs beyond that is done for it by the general steps.
        """
        heap, pending, leaves, retain = self.heap, self.pending, self.leaves, self.retain
        pop, push = heapq.heappop, heapq.heappush
        self.roots = (root,)
        self.send(root, g, None)
        ahead: Any = None  # the only gradient under way needs no place in the heap
        while heap or ahead is not None:
            if ahead is None:
                node, g = pending.pop(-pop(heap))
            else:
                node, g = ahead
                ahead = None
            spec = node.spec
            if node.hooks is not None or not spec.raw or spec.calls is None:
                with _switched(False):
                    self._visit(node, spec, g)
                continue
            saved = node.saved
            if saved is FREED:
                raise RuntimeError(TWICE)
            if node.order < WRITES.last and spec.keeps:
                check_unmodified(node, spec)
            mode = spec.mode or _raw_mode_of(spec)
            array = mode.array
            if g.__class__ is not array:
                g = g._raw if isinstance(g, Tensor) else mode.as_array(g)
            K = mode.K
            edges = node.edges
            shapes = node.shapes
            for at, call in spec.calls:
                edge = edges[at]
                if edge is None:
                    continue
                value = call(K, g, saved)
                if shapes is not None and value.shape != shapes[at]:
                    value = K.sum_to(value, shapes[at])
                if value.__class__ is not array:
                    value = mode.as_array(value)
                if edge.__class__ is Leaf:
                    box = leaves.get(edge)
                    if box is None:
                        leaves[edge] = [value, spec.backend]
                    elif box[0].__class__ is array:
                        total = box[0] + value
                        box[0] = total if total.__class__ is array else mode.as_array(total)
                    else:
                        self.send(edge, value, spec.backend)
                    continue
                if ahead is None:
                    if not heap:
                        ahead = (edge, value)
                        continue
                else:
                    order = ahead[0].order
                    pending[order] = ahead
                    push(heap, -order)
                    ahead = None
                order = edge.order
                entry = pending.get(order)
                if entry is None:
                    pending[order] = (edge, value)
                    push(heap, -order)
                elif entry[1].__class__ is array:
                    pending[order] = (edge, entry[1] + value)
                else:
                    self.send(edge, value, spec.backend)
            if not retain and spec.keeps_arrays:
                node.saved = FREED
        value = total = g = None  # so that a leaf may find itself the only holder of its gradient
        self._finish_leaves()

    def _drain(self) -> None:
        heap, pending = self.heap, self.pending
        pop = heapq.heappop
        while heap:
            node, g = pending.pop(-pop(heap))
            self._visit(node, node.spec, g)

    def _visit(self, node: Any, spec: Any, g: Any) -> None:
        """Pass the gradient that has arrived for a node on, whatever the node is."""
        hooks = node.hooks
        if g.__class__ is Outputs:
            g = g.gathered(spec.output_count(node))
        else:
            if hooks is not None and hooks.on_tensor:
                g = self._run_hooks(hooks.on_tensor, g, _home(node, spec))
            if self.inputs is not None and id(node) in self.inputs:
                self.captured[node] = self.as_tensor(g, _home(node, spec))
            if node.__class__ is Pick:
                self._collect(node, self.as_tensor(g, spec.backend))
                return
        useful = self.useful
        if useful is not None and not any(id(edge) in useful for edge in node.edges):
            return  # what was asked for does not lie below: the node is not used up
        self._step(node, spec, g, hooks)

    def _step(self, node: Node, spec: Any, g: Any, hooks: Any) -> None:
        if node.saved is FREED:
            raise RuntimeError(TWICE)
        if node.order < WRITES.last and spec.keeps:
            self._check(node, spec)
        if hooks is not None and hooks.before:
            g = run_node_hooks(hooks.before, self.as_tensors(g, _home(node, spec)))
        if self.raw_allowed and spec.raw:
            g, mode = _lowered(g), spec.mode or _raw_mode_of(spec)
        else:
            g, mode = self.as_tensors(g, _home(node, spec)), self.tensors
        try:
            grads = spec.gradients(node, g, mode)
        except Exception as error:
            self._explain(node, error)
            raise
        if self.check_nan:
            self._look_for_nan(node, spec, grads)
        if hooks is not None and hooks.after:
            grads = self._after(hooks.after, grads, g, spec)
        if not self.retain and spec.keeps_arrays:
            node.saved = FREED
        backend = spec.backend
        useful = self.useful
        for edge, value in zip(node.edges, grads, strict=True):
            if edge is not None and value is not None and (useful is None or id(edge) in useful):
                self.send(edge, value, backend)

    def send(self, edge: Any, value: Any, backend: Backend | None) -> None:
        """Add a gradient to what has arrived for a node or leaf."""
        if edge.__class__ is Leaf:
            known = self.leaves.get(edge)
            if known is None:
                self.leaves[edge] = [value, backend]
            else:
                self.leaves[edge] = [self._sum(known[0], known[1], value, backend), backend]
            return
        order = edge.order
        entry = self.pending.get(order)
        if entry is None:
            self.pending[order] = (edge, value)
            heapq.heappush(self.heap, -order)
        else:
            home = _home(edge, edge.spec)
            self.pending[order] = (edge, self._sum(entry[1], home, value, backend))

    def _sum(self, a: Any, a_backend: Any, b: Any, b_backend: Any) -> Any:
        """The sum of two gradients, raw where both are."""
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            if is_row_sparse(a) and is_row_sparse(b):
                return a.joined(b)
            return OPERATORS.add(self.as_tensor(a, a_backend), self.as_tensor(b, b_backend))
        total = a + b
        return total if total.__class__ is b_backend.array else b_backend.as_array(total)

    def _collect(self, picked: Pick, g: Tensor) -> None:
        """Hand the gradient of one output to the operation with several outputs."""
        node = picked.edges[0]
        entry = self.pending.get(node.order)
        if entry is None:
            entry = self.pending[node.order] = (node, Outputs())
            heapq.heappush(self.heap, -node.order)
        outputs = entry[1]
        known = outputs.get(picked.index)
        outputs[picked.index] = g if known is None else OPERATORS.add(known, g)

    def as_tensor(self, value: Any, backend: Backend) -> Tensor:
        """A gradient as a tensor; those of several outputs are tensors already."""
        return value if isinstance(value, (Tensor, tuple)) else wrap_raw(value, backend)  # type: ignore[return-value]

    def as_tensors(self, value: Any, backend: Backend) -> Any:
        """The gradient of one output as a tensor, or those of several (None where none arrived)."""
        if isinstance(value, tuple):
            return tuple([None if v is None else self.as_tensor(v, backend) for v in value])
        return self.as_tensor(value, backend)

    # -- leaves --------------------------------------------------------------------------------------

    def _finish_leaves(self) -> None:
        """Give every leaf what has arrived for it, the youngest first."""
        leaves = self.leaves
        if len(leaves) > 1:
            leaves = dict(sorted(leaves.items(), key=lambda item: item[0].order))
        self.leaves = {}
        while leaves:
            leaf, box = leaves.popitem()
            if (
                leaf.hooks is None
                and leaf.after is None
                and self.inputs is None
                and self.accumulate
            ):
                self._accumulate(leaf, box)
            else:
                with _switched(self.create_graph):
                    self._finish_leaf(leaf, box)
        if self.after is not None:
            for callback in self.after:
                callback()

    def _finish_leaf(self, leaf: Leaf, box: list[Any]) -> None:
        if leaf.hooks is not None or self.inputs is not None:
            self._show_leaf(leaf, box)
            if self.inputs is not None and id(leaf) not in self.inputs:
                return
        if self.accumulate:
            self._accumulate(leaf, box)
            if leaf.after:
                tensor = leaf.variable
                if tensor is not None:
                    for notify in list(leaf.after.values()):
                        if notify(tensor) is not None:
                            raise RuntimeError(
                                "Tensor post accumulate grad hooks should return None."
                            )

    def _show_leaf(self, leaf: Leaf, box: list[Any]) -> None:
        """Run the hooks on the gradient of a leaf, and note it where it was asked for."""
        box[0] = self.as_tensor(*box)
        for hook in list((leaf.hooks or {}).values()):
            changed = self._ask(hook, box[0])
            if changed is not None:
                box[0] = checked_result(changed, box[0])
        if self.inputs is not None and id(leaf) in self.inputs:
            self.captured[leaf] = box[0]

    def _accumulate(self, leaf: Leaf, box: list[Any]) -> None:
        grad = leaf.grad
        if not self.create_graph and level_of(box[0]) >= 0:  # `.grad` has no tangent, as in PyTorch
            box[0] = box[0].detach()
        if self.create_graph:
            g = self.as_tensor(*box)
            leaf.grad = g if grad is None else OPERATORS.add(grad, g)
        elif grad is None:
            leaf.grad = _owned(box)
        elif is_row_sparse(grad) and is_row_sparse(box[0]):
            leaf.grad = grad.joined(box[0])
        elif isinstance(box[0], Tensor) or not _same_kind(grad, box[0]):
            grad.add_(self.as_tensor(*box))
        else:
            target = grad._raw
            if target.shape != box[0].shape:
                raise RuntimeError(
                    f"a gradient of shape {list(box[0].shape)} arrived for a leaf whose .grad has shape "
                    f"{list(target.shape)}; set .grad to None where .data is exchanged"
                )
            target += box[0]
            WRITES.record(box[1].storage_of(target))

    # -- hooks and diagnosis -----------------------------------------------------------------------

    def _ask(self, hook: Any, g: Tensor) -> Any:
        """What a hook on a tensor returns; it may ask which pass it is in."""
        token = _PASS.set(self)
        try:
            return hook(g)
        finally:
            _PASS.reset(token)

    def _run_hooks(self, hooks: Any, g: Any, backend: Backend) -> Any:
        tensor = self.as_tensor(g, backend)
        # The hook that retains the gradient (-1) keeps what the others have made of it.
        for _, hook in sorted(hooks.items(), key=lambda item: item[0] == RETAIN):
            changed = self._ask(hook, tensor)
            if changed is not None:
                tensor = checked_result(changed, tensor)
        return tensor

    def _after(self, hooks: Any, grads: tuple[Any, ...], g: Any, spec: Any) -> tuple[Any, ...]:
        backend = spec.backend
        results = tuple(None if v is None else self.as_tensor(v, backend) for v in grads)
        incoming = self.as_tensors(g if isinstance(g, tuple) else (g,), backend)
        for hook in list(hooks.values()):
            changed = hook(results, incoming)
            if changed is not None:
                results = exchanged(changed, results)
        return results

    def _check(self, node: Node, spec: Any) -> None:
        try:
            check_unmodified(node, spec)
        except RuntimeError as error:
            self._explain(node, error)
            raise

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


def _home(node: Any, spec: Any) -> Backend:
    """The backend of a gradient that arrives for a node: that of its result."""
    if not spec.raw and node.__class__ is not Pick and node.saved is not FREED:
        op = getattr(spec, "op", None)
        if op is not None and op.family.kind == "transfer":
            return backend_of(node.saved[_TARGET].type)
    backend: Backend = spec.backend
    return backend


_TARGET = 1
"""Where a move's node has the device that it leads to: `move(input, target, source)`."""


def _raw_mode_of(spec: Any) -> Any:
    spec.mode = mode = raw_mode(spec.backend, spec.op_dtype)
    return mode


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


def _owned(box: list[Any]) -> Tensor:
    """The gradient in `box` as a tensor whose memory nobody else holds; copied only if it must be.

    References to an object that only `box` holds: the list's own and getrefcount's argument.
    """
    sole = sys.getrefcount(box[0]) <= 2
    if isinstance(box[0], Tensor):
        tensor: Tensor = box[0]
        if is_row_sparse(tensor):
            return tensor
        backend = tensor._backend
        # Here the slot of the tensor is the one holder.
        sole = sole and sys.getrefcount(tensor._raw) <= 2
        if sole and backend.storage_of(tensor._raw) is tensor._raw:
            return tensor
        return wrap_raw(backend.copy(tensor._raw), backend)
    backend = box[1]
    if sole and backend.storage_of(box[0]) is box[0]:
        return wrap_raw(box[0], backend)
    return wrap_raw(backend.copy(box[0]), backend)


def _same_kind(grad: Tensor, raw: Any) -> bool:
    return grad._raw.__class__ is raw.__class__ and bool(grad._raw.dtype == raw.dtype)
