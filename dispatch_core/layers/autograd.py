"""The autograd layer: records a node for every call whose arguments require gradients.

One recording class per argument shape wraps the chain below; what is saved follows from the operator's
gradient formulas and from which arguments need a gradient, decided when the chain is composed.
"""

from __future__ import annotations

import traceback
from typing import Any

from dispatch_core._dispatcher import inplace
from dispatch_core._dispatcher.chains import Body, Chain
from dispatch_core._dispatcher.compose import Below, definition
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import Category
from dispatch_core._graph import Leaf, Node, Pick, move_retained
from dispatch_core._keys import FIRST_TENSOR_KEY, GRAD, VIEW, tensor_key
from dispatch_core._layer import Keys, Layer
from dispatch_core._op import operator_named
from dispatch_core._state import State
from dispatch_core._tensor import Tensor, detached
from dispatch_core.layers.recorders import recording_class
from dispatch_core.layers.saving import ON as SAVED_HOOKS
from dispatch_core.layers.saving import Packing
from dispatch_core.layers.spec import OperatorSpec
from dispatch_core.layers.views import rebase

GRAD_MODE = "grad"
ANOMALY = "anomaly"


class Autograd(Layer):
    """Takes part when gradients are recorded and an argument requires one."""

    name = "autograd"
    before = ("device",)
    idle = "no argument requires grad, or grad mode is off"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return GRAD_MODE in state and any(_has_grad(number) for number in keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        gradient = op.gradient
        if gradient is None:
            if not op.traits.differentiable or op.traits.primitive or op.body is None:
                return _detaching(op, below(plain_keys(keys)))
            return definition(op, keys)
        targets = frozenset(
            at
            for at, number in zip(op.selectors, keys, strict=True)
            if at in gradient.differentiable and _has_grad(number)
        )
        found = below(plain_keys(keys))
        if op.traits.view and isinstance(found, Body):
            return found  # so that the views which the body makes remember what they are views of
        inner = _detaching(op, found)
        if not targets:
            return inner
        spec = OperatorSpec(op, keys, targets)
        chain: Chain = recording_class(op, spec, inner)(op, inner, spec)
        if SAVED_HOOKS in state:
            chain = Packing(op, chain, spec)
        return Traced(op, chain) if ANOMALY in state else chain


def _has_grad(number: Any) -> bool:
    if isinstance(number, frozenset):
        return any(n & GRAD for n in number)
    return number >= FIRST_TENSOR_KEY and bool(number & GRAD)


def plain_keys(keys: Keys) -> Keys:
    """The keys of the same arguments without gradient (a view stays a view)."""
    return tuple(_plain(number) for number in keys)


def _plain(number: Any) -> Any:
    if isinstance(number, frozenset):
        return frozenset(_plain(n) for n in number)
    return number & ~GRAD if number >= FIRST_TENSOR_KEY else number


def _detaching(op: Op, chain: Chain) -> Chain:
    """What is not content with raw arrays must see arguments without history."""
    return Detached(op, chain) if chain.reads_history else chain


class Detached(Chain):
    """Calls the chain below with arguments that share memory but carry no history."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Chain) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        return self.below.call(*[_without_history(a) for a in args])

    def describe(self) -> list[str]:
        return self.below.describe()


def _without_history(value: Any) -> Any:
    if isinstance(value, Tensor):
        return detached(value)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
        return [detached(t) for t in value]
    return value


class Traced(Chain):
    """In anomaly mode: remembers with each node the line of the user's program that recorded it."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Chain) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        results = self.below.call(*args)
        for result in results if isinstance(results, tuple) else (results,):
            if result._k & GRAD:
                node = result._node
                remember_line(node.edges[0] if isinstance(node, Pick) else node)
        return results

    def describe(self) -> list[str]:
        return ["anomaly detection: remembers the calling line", *self.below.describe()]


def remember_line(node: Node) -> None:
    """Note where in the user's program a node was recorded."""
    node.trace = "".join(traceback.format_list(traceback.extract_stack()[:-2]))


# -- in-place writes ---------------------------------------------------------------------------------


def check_write(x: Tensor) -> None:
    """Raise where writing into `x` would destroy the meaning of a gradient."""
    if x._k & VIEW:
        root = x._base[0]
        recorded = x.requires_grad
        if root._k & GRAD:
            if root._node.__class__ is Leaf:
                raise RuntimeError(
                    "a view of a leaf Variable that requires grad is being used in an in-place "
                    "operation. Write under `with no_grad():` or work on a clone()."
                )
            if not recorded:
                raise RuntimeError(
                    "A view was created in no_grad mode and is being modified inplace with grad mode "
                    "enabled. Make the view and write into it in the same mode."
                )
    if x._k & GRAD and x._node.__class__ is Leaf:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation. "
            "Write under `with no_grad():` or work on a clone()."
        )


def attach(x: Tensor, value: Tensor) -> None:
    """Make `x`, which was just overwritten by `value`, have the history of `value`."""
    if tensor_key(x._k).dtype.category < Category.FLOATING:
        return
    if x._k & VIEW:
        rebase(x, value)
    elif value._k & GRAD:
        move_retained(x._node, value._node)
        x._node = value._node
        x._k |= GRAD
    else:
        x._node = None
        x._k &= ~GRAD


inplace.SLOTS.check = check_write
inplace.SLOTS.attach = attach
inplace.SLOTS.cast = lambda value, dtype: operator_named("cast").front(value, dtype)
