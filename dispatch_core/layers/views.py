"""Views and their history: a view follows its root when the root's history changes by an in-place write.

A view remembers its root, the node the root had, and the steps that lead from root to view. When some
view or the root itself is written in place while gradients are recorded, the root gets a new node; the
other views notice at their next use that the root's node is not the one they remember, and are made
anew from the root by their steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core import _tensor
from dispatch_core._dispatcher.chains import Chain, chain_of
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dual import OFF, ON, become_dual, level_of
from dispatch_core._graph import Leaf, Node, move_retained, tick
from dispatch_core._keys import FIRST_TENSOR_KEY, GRAD, VIEW
from dispatch_core._layer import Keys, Layer
from dispatch_core._state import State, Switch, is_on
from dispatch_core._tensor import Tensor
from dispatch_core.layers.spec import Mode

Step = tuple[Op, tuple[Any, ...]]


def steps_of(view: Tensor) -> list[Step]:
    """The operators that lead from the root to a view, in order."""
    found: list[Step] = []
    link: Any = view._base
    while link is not None:
        _, _, link, op, params = link
        found.append((op, params))
    found.reverse()
    return found


def replay(tensor: Tensor, steps: Sequence[Step]) -> Tensor:
    """The same view of another tensor."""
    for op, params in steps:
        tensor = chain_of(op, (tensor, *params)).call(tensor, *params)
    return tensor


def refresh(view: Tensor) -> None:
    """Give a view the history, and the tangent, that follow from its root's present ones."""
    root, remembered, *way = view._base
    level = level_of(view)
    if level_of(root) > level and not is_on(OFF):
        with Switch("grad", True):  # a value with a tangent was written into the root
            become_dual(view, replay(root, steps_of(view)))
        return
    if root._node is remembered or level >= 0:  # the parts of a dual tensor follow by themselves
        return
    if root._node is None or _only_reshaped(root._node, remembered):
        return  # the root was detached, or given another shape: what the view shows is as it was
    if _is_reshaped(root._node):
        raise RuntimeError(_RESHAPED)
    view._base = (root, root._node, *way)
    if root._node.__class__ is Leaf:
        return
    with Switch("grad", True):
        fresh = replay(root, steps_of(view))
    view._node = fresh._node
    view._k = view._k & ~GRAD | fresh._k & GRAD


def _is_reshaped(node: Any) -> bool:
    return getattr(node, "only_shape", False)


def _only_reshaped(node: Any, since: Any) -> bool:
    """Whether nothing but the tensor's own shape has changed since it had the node `since`."""
    while node is not since and _is_reshaped(node):
        node = node.edges[0]
    return node is since


_RESHAPED = (
    "the tensor of which this is a view was given another shape in place (t_, transpose_, unsqueeze_, "
    "squeeze_) after the view was made, and was written to; make the view after that"
)

_tensor.SLOTS.refresh = refresh


def rebase(view: Tensor, value: Tensor) -> None:
    """Record that `value` was just written into `view`: the root's history continues from there."""
    root, remembered, *way = view._base
    if root._node is not remembered and _is_reshaped(root._node):
        raise RuntimeError(_RESHAPED)
    node = Node()
    node.spec = WriteSpec(root, steps_of(view))
    node.order = tick()
    node.edges = (
        root._node if root._k & GRAD else None,
        value._node if value._k & GRAD else None,
    )
    node.saved = ()
    node.shapes = None
    node.hooks = None
    move_retained(root._node, node)
    root._node = node
    root._k |= GRAD
    view._base = (root, None, *way)
    refresh(view)


class WriteSpec:
    """The recorded form of "a value was written into a view of the root"."""

    __slots__ = ("backend", "mode", "op_dtype", "raw", "shape", "steps", "strides")

    calls = None
    name = "CopySlices"
    keeps: frozenset[int] = frozenset()
    keeps_arrays = False

    def __init__(self, root: Tensor, steps: list[Step]) -> None:
        self.backend = root._backend
        self.op_dtype = root.dtype
        self.raw = root.dtype in self.backend.raw_operators
        self.mode: Any = None
        self.shape = root._raw.shape
        self.strides = self.backend.layout_of(root._raw)[0]
        self.steps = steps

    def gradients(self, node: Node, g: Any, mode: Mode) -> tuple[Any, ...]:
        """What was overwritten gets no gradient; the written value gets that of its place."""
        rest = value = None
        if node.edges[1] is not None:
            # Strides mean something in the memory of the root only.
            strided = any(op.name == "as_strided" for op, _ in self.steps)
            value = self._copy(g, mode) if strided else g
            for op, params in self.steps:
                value = getattr(mode.K, op.name)(value, *params)
            value = mode.finish(mode.K.clone(value))
        if node.edges[0] is not None:
            rest = part = self._copy(g, mode)
            for op, params in self.steps:
                part = getattr(mode.K, op.name)(part, *params)
            self._write(part, mode.K.zeros_like(part))
            rest = mode.finish(rest)
        return rest, value

    def _copy(self, g: Any, mode: Mode) -> Any:
        """A copy laid out in memory as the root is: only there are all the steps views."""
        extent = 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        store = mode.K.new_zeros(g, (extent if 0 not in self.shape else 0,))
        copy = mode.K.as_strided(store, tuple(self.shape), self.strides, 0)
        self._write(copy, g)
        return copy

    def _write(self, target: Any, value: Any) -> None:
        if isinstance(target, Tensor):
            target.copy_(value)
        else:
            self.backend.write(target, value)


class Views(Layer):
    """Takes part when gradients are recorded, or tangents computed, and an argument is a view."""

    name = "views"
    before = ("devices", "promotion", "autograd")
    idle = "no argument is a view, or grad mode is off"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return not state.isdisjoint(("grad", ON)) and any(_is_view(number) for number in keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return RefreshDual(op, keys, below) if ON in state else Refresh(op, keys, below)


def _is_view(number: Any) -> bool:
    if isinstance(number, frozenset):
        return any(n & VIEW for n in number)
    return number >= FIRST_TENSOR_KEY and bool(number & VIEW)


class Refresh(Chain):
    """Looks whether the roots of the views among the arguments were written since."""

    __slots__ = ("at", "below", "below_call", "lists")

    def __init__(self, op: Op, keys: Keys, below: Below) -> None:
        self.op = op
        self.below = below
        self.below_call = below().call
        tensors = [i for i in op.selectors if op.params[i].kind is not ParamKind.LIST]
        by_place = dict(zip(op.selectors, keys, strict=True))
        self.at = tuple(i for i in tensors if _is_view(by_place[i]))
        self.lists = tuple(i for i in op.selectors if op.params[i].kind is ParamKind.LIST)

    def call(self, *args: Any) -> Any:
        for i in self.at:
            base = args[i]._base
            if base[0]._node is not base[1]:
                return self._refreshed(args)
        for i in self.lists:
            for t in args[i] or ():
                if t._k & VIEW and t._base[0]._node is not t._base[1]:
                    return self._refreshed(args)
        return self.below_call(*args)

    def _refreshed(self, args: tuple[Any, ...]) -> Any:
        for value in args:
            for t in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(t, Tensor) and t._k & VIEW:
                    refresh(t)
        return self.below(self.op.keys_of(args)).call(*args)

    def describe(self) -> list[str]:
        return ["views: follow the history of their root", *self.below().describe()]


class RefreshDual(Refresh):
    """Looks also whether a root got a tangent since."""

    __slots__ = ()

    def call(self, *args: Any) -> Any:
        for i in (*self.at, *self.lists):
            for t in (args[i],) if i in self.at else args[i] or ():
                if t._k & VIEW and _is_stale(t):
                    return self._refreshed(args)
        return self.below_call(*args)


def _is_stale(view: Tensor) -> bool:
    root, remembered, *_ = view._base
    level = level_of(view)
    return level_of(root) > level or (level < 0 and root._node is not remembered)
