"""`OperatorSpec`: what all recorded calls of one operator and key combination share.

It knows which gradients are wanted, what must be saved for them, and how to call the formulas - on raw
arrays or on tensors, as the engine's mode says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._graph import Node
from dispatch_core._keys import FIRST_TENSOR_KEY, GRAD, flags_of, tensor_key
from dispatch_core._layer import Keys
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import proxied
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


def layout_of(value: Any) -> Any:
    """Strides and offset in elements of a tensor, as formulas ask for by `..._layout`; else None."""
    return value._backend.layout_of(value._raw) if isinstance(value, Tensor) else None


class OperatorSpec:
    """The recorded form of an operator for one combination of keys."""

    __slots__ = (
        "are_tensors",
        "backend",
        "broadcasts",
        "calls",
        "casts",
        "keeps",
        "keeps_arrays",
        "kept_outputs",
        "mode",
        "name",
        "op",
        "op_dtype",
        "parts",
        "plan",
        "raw",
        "save_plan",
        "saves_layouts",
        "saves_out",
        "saves_shapes",
        "shape_plan",
        "targets",
        "uniform",
    )

    def __init__(self, op: Op, keys: Keys, targets: frozenset[int]) -> None:
        gradient = op.gradient
        if gradient is None:
            raise TypeError(f"operator '{op.name}' has no gradient to record")
        self.op = op
        self.name = backward_name(op.name)
        self.targets = targets
        self.uniform = all(
            n & GRAD for key in keys for n in (key if isinstance(key, frozenset) else (key,))
        )
        """Whether every tensor among the arguments requires a gradient."""
        by_place = dict(zip(op.selectors, keys, strict=True))
        parts, self.keeps = gradient.needed(targets)
        dtypes = {
            at: tensor_key(n).dtype
            for at, n in by_place.items()
            if not isinstance(n, frozenset) and n >= FIRST_TENSOR_KEY
        }
        self.parts = tuple(part.bound(dtypes) for part in parts)
        backend, computed = site(op, keys)
        self.casts = tuple(
            (op.tensors.index(at), dtypes[at])
            for at in sorted(targets)
            if dtypes.get(at, computed) is not computed and not op.has_list
        )
        """Edge number and dtype of the arguments whose dtype is another than the operator computes in."""
        single = not op.has_list and op.traits.outputs == 1 and not self.casts
        self.calls = (
            tuple((op.tensors.index(part.targets[0]), part.call) for part in self.parts)
            if single and all(len(part.targets) == 1 for part in self.parts)
            else None
        )
        """Edge number and formula of each gradient, where the engine may call them one by one."""
        self.mode: Any = None
        """The engine's raw mode for these nodes, once it has been looked up."""
        self.keeps_arrays = any(i in self.keeps for i in (*op.tensors, len(op.params)))
        """Whether formulas need some argument or result itself, not only shapes and plain arguments."""
        self.saves_shapes = any(i > gradient.out_at for i in self.keeps)
        self.saves_layouts = any(i >= gradient.layouts_at for i in self.keeps)
        self.broadcasts = op.family.broadcasts
        flags = flags_of(keys)
        if flags:
            backend = proxied(backend.device, flags)
        self.backend: Backend = backend
        self.op_dtype = computed
        # A move's gradient is on another device than its result: tensors know where they are.
        self.raw = (
            computed in backend.raw_operators
            and op.family.kind != "transfer"
            and op.traits.raw_gradient
        )
        lists = {at for at in op.tensors if op.params[at].kind is ParamKind.LIST}
        self.are_tensors = tuple(
            at in lists or by_place[at] >= FIRST_TENSOR_KEY for at in op.tensors
        )
        self.plan = tuple((at, at in targets, at in lists) for at in op.tensors)
        self.shape_plan = tuple(zip(op.tensors, self.are_tensors, strict=True))
        self.save_plan = tuple((at, at in self.keeps, at in lists) for at in op.tensors)
        self.saves_out = len(op.params) in self.keeps
        self.kept_outputs = gradient.kept_outputs(parts)

    # -- recording ---------------------------------------------------------------------------------

    def edges_of(self, args: Sequence[Any]) -> tuple[tuple[Any, ...], Any]:
        """The nodes that gradients flow to, one for each tensor argument, and shapes to sum back to."""
        edges: list[Any] = []
        for at, wanted, is_list in self.plan:
            value = args[at]
            if is_list:
                edges += (
                    [t._node if t._k & GRAD else None for t in value]
                    if wanted
                    else [None] * len(value)
                )
            else:
                edges.append(value._node if wanted else None)
        if not self.broadcasts:
            return tuple(edges), None
        shapes = [args[at]._raw.shape if tensor else None for at, tensor in self.shape_plan]
        first = None
        for shape in shapes:
            if shape is not None:
                if first is None:
                    first = shape
                elif shape != first:
                    return tuple(edges), tuple(shapes)
        return tuple(edges), None

    def saved_of(self, args: Sequence[Any], results: Any) -> tuple[Any, ...]:
        """The values that the formulas need, in the layout of `Gradient`."""
        saved = list(args)
        for at, kept, is_list in self.save_plan:
            value = saved[at]
            if not kept:
                saved[at] = None
            elif is_list:
                saved[at] = [t._raw for t in value]
            elif isinstance(value, Tensor):
                saved[at] = value._raw
        if not self.saves_out:
            saved.append(None)
        elif isinstance(results, Tensor):
            saved.append(results._raw)
        else:
            wanted = self.kept_outputs
            saved.append(tuple([t._raw if i in wanted else None for i, t in enumerate(results)]))
        if self.saves_shapes:
            for at, _, is_list in self.save_plan:
                value = args[at]
                if is_list:
                    saved.append([t._raw.shape for t in value])
                else:
                    saved.append(value._raw.shape if isinstance(value, Tensor) else None)
        if self.saves_layouts:
            saved += [layout_of(args[at]) for at, _, _ in self.save_plan]
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
        K, saved = mode.K, mode.saved(node, self)
        edges = node.edges
        found: list[Any] = [None] * len(edges)
        for part in self.parts:
            value = part.call(K, g, saved)
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
        for i, dtype in self.casts:
            if found[i] is not None:
                found[i] = mode.finish(mode.K.cast(found[i], dtype))
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
