"""The layer `flops`: counts the floating point operations of a thread or task.

with dc.layer("flops") as count:
    model(x).sum().backward()
print(count.total, count.by_operator)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import Any

from dispatch_core.extend import Below, Chain, KernelChain, Keys, Layer, Op, State, Tensor, hookimpl

DISPATCH_CORE_API = 1


class Count:
    """What was counted."""

    def __init__(self) -> None:
        self.by_operator: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All operations together."""
        return self.by_operator.total()


_count: ContextVar[Count | None] = ContextVar("flops", default=None)


class Flops(Layer):
    """Counts what kernels compute, right above them: casts are done, bodies dissolved."""

    name = "flops"
    before = ("device",)
    after = ("autograd", "promotion")

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return self.name in state

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        chain = below()
        cost = _COSTS.get(op.name) or _COSTS_BY_KIND.get(op.family.kind)
        # A body is counted by the operators that it calls.
        return Counting(op, chain, cost) if cost and isinstance(chain, KernelChain) else chain

    @contextmanager
    def session(self, **options: Any) -> Iterator[Count]:
        """Count into a new `Count` until the end."""
        count = Count()
        token = _count.set(count)
        try:
            yield count
        finally:
            _count.reset(token)


class Counting(Chain):
    """Calls the chain below and adds up what it cost."""

    __slots__ = ("below", "cost")

    def __init__(self, op: Op, below: Chain, cost: Callable[..., int]) -> None:
        self.op = op
        self.below = below
        self.cost = cost

    def call(self, *args: Any) -> Any:
        result = self.below.call(*args)
        count = _count.get()
        if count is not None:
            out = result[0] if isinstance(result, tuple) else result
            count.by_operator[self.op.name] += self.cost(args, out)
        return result

    def describe(self) -> list[str]:
        return ["flops: counts", *self.below.describe()]


def _matmul(args: Sequence[Any], out: Tensor) -> int:
    return 2 * prod(out.shape) * int(args[0].shape[-1])


def _convolution(args: Sequence[Any], out: Tensor) -> int:
    return 2 * prod(out.shape) * prod(args[1].shape[1:])


_COSTS: dict[str, Callable[[Sequence[Any], Tensor], int]] = {
    "matmul": _matmul,
    "convolution": _convolution,
}
_COSTS_BY_KIND: dict[str, Callable[[Sequence[Any], Tensor], int]] = {
    "pointwise": lambda args, out: prod(out.shape),
    "reduction": lambda args, out: prod(args[0].shape),
}


@hookimpl
def dispatch_core_layers() -> Sequence[Layer]:
    """The layer."""
    return [Flops()]
