"""`OperatorSpec`: what all recorded calls of one operator and key combination share.

It knows which gradients are wanted, what must be saved for them, and how to call the formulas - on raw
arrays or on tensors, as the engine's mode says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._graph import Node
from dispatch_core._keys import FIRST_TENSOR_KEY
from dispatch_core._layer import Keys
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend
from dispatch_core.layers.kernel import site


class Mode(Protocol):
    """How formulas are evaluated: their operators, and what they get for a saved array."""

    K: Any
    create_graph: bool

    def saved(self, node: Node, spec: OperatorSpec) -> Sequence[Any]:
        """The node's saved values as the formulas take them."""

    def finish(self, value: Any) -> Any:
        """A formula's result as a gradient of this mode."""

    def lift(self, tensor: Any) -> Any:
        """A tensor made on the way, as formulas of this mode take it."""


def backward_name(op: str) -> str:
    """PyTorch's spelling of a recorded operation (`log_softmax` -> `LogSoftmaxBackward0`)."""
    return "".join(part.capitalize() for part in op.split("_")) + "Backward0"


class OperatorSpec:
    """The recorded form of an operator for one combination of keys."""

    __slots__ = (
        "are_tensors",
        "backend",
        "broadcasts",
        "keeps",
        "name",
        "op",
        "op_dtype",
        "parts",
        "raw",
        "saves_shapes",
        "targets",
    )

    def __init__(self, op: Op, keys: Keys, targets: frozenset[int]) -> None:
        gradient = op.gradient
        if gradient is None:
            raise TypeError(f"operator '{op.name}' has no gradient to record")
        self.op = op
        self.name = backward_name(op.name)
        self.targets = targets
        self.parts, self.keeps = gradient.needed(targets)
        self.saves_shapes = any(i > gradient.out_at for i in self.keeps)
        self.broadcasts = op.family.broadcasts
        backend, computed = site(op, keys)
        self.backend: Backend = backend
        self.op_dtype = computed
        # A move's gradient is on another device than its result: tensors know where they are.
        self.raw = computed in backend.raw_operators and op.family.kind != "transfer"
        self.are_tensors = tuple(
            isinstance(n, frozenset) or n >= FIRST_TENSOR_KEY
            for at, n in zip(op.selectors, keys, strict=True)
            if at in op.tensors
        )

    # -- recording ---------------------------------------------------------------------------------

    def edges_of(self, args: Sequence[Any]) -> tuple[tuple[Any, ...], Any]:
        """The nodes that gradients flow to, one for each tensor argument, and shapes to sum back to."""
        edges: list[Any] = []
        shapes: list[Any] = []
        for at in self.op.tensors:
            value = args[at]
            wanted = at in self.targets
            if isinstance(value, Tensor):
                edges.append(value._node if wanted and value.requires_grad else None)
                shapes.append(value._raw.shape)
            elif self.op.params[at].kind is ParamKind.LIST:
                edges += [t._node if wanted and t.requires_grad else None for t in value]
            else:
                edges.append(None)
                shapes.append(None)
        differ = self.broadcasts and len({s for s in shapes if s is not None}) > 1
        return tuple(edges), tuple(shapes) if differ else None

    def saved_of(self, args: Sequence[Any], results: Any) -> tuple[Any, ...]:
        """The values that the formulas need, in the layout of `Gradient`."""
        op, keeps = self.op, self.keeps
        saved: list[Any] = []
        for at, value in enumerate(args):
            if at in op.tensors and at not in keeps:
                saved.append(None)
            elif isinstance(value, Tensor):
                saved.append(value._raw)
            elif op.params[at].kind is ParamKind.LIST:
                saved.append([t._raw for t in value])
            else:
                saved.append(value)
        if len(args) not in keeps:
            saved.append(None)
        elif isinstance(results, Tensor):
            saved.append(results._raw)
        else:
            saved.append(tuple(t._raw for t in results))
        if self.saves_shapes:
            for at in op.tensors:
                value = args[at]
                if isinstance(value, Tensor):
                    saved.append(value._raw.shape)
                elif op.params[at].kind is ParamKind.LIST:
                    saved.append([t._raw.shape for t in value])
                else:
                    saved.append(None)
        return tuple(saved)

    def saves(self) -> str:
        """The names of what is saved, for `explain`."""
        names = sorted({n for part in self.parts for n in part.needs if n not in ("K", "g", "gs")})
        return ", ".join(names) or "nothing"

    def output_count(self, node: Node) -> int:
        """How many results the operator has."""
        return self.op.traits.outputs

    # -- going back ----------------------------------------------------------------------------------

    def gradients(self, node: Node, g: Any, mode: Mode) -> tuple[Any, ...]:
        """The gradient for each edge of a node; None where none is wanted."""
        env = (mode.K, g, *mode.saved(node, self))
        edges = node.edges
        found: list[Any] = [None] * len(edges)
        for part in self.parts:
            value = part.call(env)
            if len(part.targets) == 1:
                self._place(found, edges, part.targets[0], value, mode)
            else:
                for at, each in zip(part.targets, value, strict=True):
                    if at in self.targets:
                        self._place(found, edges, at, each, mode)
        shapes = node.shapes
        if shapes is not None:
            for i, value in enumerate(found):
                if value is not None and value.shape != shapes[i]:
                    found[i] = mode.finish(mode.K.sum_to(value, shapes[i]))
        return tuple(found)

    def _place(
        self, found: list[Any], edges: Sequence[Any], at: int, value: Any, mode: Mode
    ) -> None:
        op = self.op
        if not op.has_list:
            start = op.tensors.index(at)
            if value is not None and edges[start] is not None:
                found[start] = mode.finish(value)
            return
        length = len(edges) - len(op.tensors) + 1
        start = 0
        for tensor in op.tensors:
            is_list = op.params[tensor].kind is ParamKind.LIST
            if tensor == at:
                values = value if is_list else (value,)
                for i, each in enumerate(values, start):
                    if each is not None and edges[i] is not None:
                        found[i] = mode.finish(each)
                return
            start += length if is_list else 1
