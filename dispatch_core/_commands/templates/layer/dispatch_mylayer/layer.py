"""The layer `mylayer`: counts the operators of a thread or task that reach a kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dispatch_core.extend import Below, Chain, KernelChain, Keys, Layer, Op, State, hookimpl

DISPATCH_CORE_API = 1

_counts: ContextVar[Counter[str] | None] = ContextVar("mylayer", default=None)


class Mylayer(Layer):
    """Counts operators, right above their kernels."""

    name = "mylayer"
    before = ("device",)
    after = ("autograd", "promotion")

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return self.name in state

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        chain = below()
        # Other chains call operators in their turn, which come here one by one.
        return Counting(op, chain) if isinstance(chain, KernelChain) else chain

    @contextmanager
    def session(self, **options: Any) -> Iterator[Counter[str]]:
        """Count into a new Counter until the end of the block."""
        counts: Counter[str] = Counter()
        token = _counts.set(counts)
        try:
            yield counts
        finally:
            _counts.reset(token)


class Counting(Chain):
    """Counts the call, then goes on."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Chain) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        counts = _counts.get()
        if counts is not None:
            counts[self.op.name] += 1
        return self.below.call(*args)

    def describe(self) -> list[str]:
        return ["mylayer: counts", *self.below.describe()]


@hookimpl
def dispatch_core_layers() -> Sequence[Layer]:
    """The layer; asked for when it is first switched on."""
    return [Mylayer()]
