"""Inference tensors: what was computed in inference mode, and may not get into a recording later.

The key of such a tensor has the flag `inference`, so calls that see none are not slowed by asking.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.chains import Body, Chain, KernelChain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._keys import (
    FIRST_TENSOR_KEY,
    GRAD,
    INFERENCE,
    VIEW,
    flagged,
    flags_of,
    unflagged,
)
from dispatch_core._layer import Keys, Layer
from dispatch_core._state import State
from dispatch_core._tensor import Tensor

_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode "
    "in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor "
    "and use it in autograd, or use `no_grad()` instead of `inference_mode()`."
)


LENT = "inference_lent"
"""Name of states in which a transform records for itself alone, so that it may save inference tensors."""


class Inference(Layer):
    """Takes part in inference mode, and where an argument was made there."""

    name = "inference"
    before = ("autograd", "device")
    after = ("views", "devices", "promotion")
    idle = "not in inference mode, and no argument was made there"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return INFERENCE in state or INFERENCE in flags_of(keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        marked = [_is_marked(key) for key in keys]
        if "grad" in state and LENT not in state:
            _check_saved(op, keys, marked)
        chain = below(tuple(unflagged(key, INFERENCE) for key in keys))
        shows = op.traits.view and not any(marked)
        if isinstance(chain, Body) or shows or not (op.traits.view or INFERENCE in state):
            return chain  # a body's own calls mark what they make
        if isinstance(chain, KernelChain) and chain.key:
            chain.key = flagged(chain.key, INFERENCE)
            return chain
        return Marking(op, chain)


def _is_marked(key: Any) -> bool:
    return INFERENCE in flags_of((key,))


def _check_saved(op: Op, keys: Keys, marked: list[bool]) -> None:
    """RuntimeError where a gradient formula would need an inference tensor."""
    if op.gradient is None:
        return
    recorded = frozenset(
        at
        for at, key in zip(op.selectors, keys, strict=True)
        for number in (key if isinstance(key, frozenset) else (key,))
        if number & GRAD and number >= FIRST_TENSOR_KEY and at in op.gradient.differentiable
    )
    if not recorded:
        return
    needed = op.gradient.needed(recorded)[1]
    if any(yes and at in needed for at, yes in zip(op.selectors, marked, strict=True)):
        raise RuntimeError(_SAVED)


class Marking(Chain):
    """Marks the results that are new."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Chain) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        results = self.below.call(*args)
        for each in results if isinstance(results, tuple) else (results,):
            if isinstance(each, Tensor) and not any(each is a for a in args) and not each._k & VIEW:
                each._k = flagged(each._k, INFERENCE)
        return results

    def describe(self) -> list[str]:
        return ["inference: marks the result", *self.below.describe()]
