"""Checkpoints that keep some results: a layer below autograd asks a policy about every operator."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._graph import WRITES
from dispatch_core._layer import LAYERS, Keys, Layer
from dispatch_core._state import State, Switch
from dispatch_core._tensor import Tensor, wrap
from dispatch_core.layers.kernel import map_tensors
from dispatch_core.utils.checkpoint._frames import Contexts

ON = "selective_checkpoint"


class CheckpointPolicy(enum.Enum):
    """What becomes of an operator's result: kept, kept in host memory, or computed again."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_KEPT = {
    CheckpointPolicy.MUST_SAVE,
    CheckpointPolicy.PREFER_SAVE,
    CheckpointPolicy.MUST_CPU_OFFLOAD,
    CheckpointPolicy.PREFER_CPU_OFFLOAD,
}
_OFFLOADED = {CheckpointPolicy.MUST_CPU_OFFLOAD, CheckpointPolicy.PREFER_CPU_OFFLOAD}


class SelectiveCheckpointContext:
    """What a policy is told beside the operator: whether the call is the first or the repeated one."""

    def __init__(self, *, is_recompute: bool) -> None:
        self.is_recompute = is_recompute


class _Kept:
    """A result that was kept, and when its memory had last been written."""

    def __init__(self, value: Tensor, offload: bool, may_change: bool) -> None:
        self.key = value._k
        self.device = value.device
        self.tensor = value.cpu() if offload else wrap(value._raw, value._k)
        self.moment = WRITES.moment(self._storage())
        self.may_change = may_change

    def _storage(self) -> Any:
        return self.tensor._backend.storage_of(self.tensor._raw)

    def value(self) -> Tensor:
        """The tensor, where it was; RuntimeError where it was written meanwhile."""
        if not self.may_change and WRITES.moment(self._storage()) != self.moment:
            raise RuntimeError(
                "Tensor cached during selective activation checkpoint has been mutated"
            )
        return wrap(self.tensor.to(self.device)._raw, self.key)


class _Cache:
    """The results that one checkpointed call keeps, by operator, in the order of the calls."""

    def __init__(self, policy: Callable[..., Any], may_change: bool) -> None:
        self.policy = policy
        self.may_change = may_change
        self.kept: defaultdict[Op, list[Any]] = defaultdict(list)

    def asked(self, op: Op, args: Sequence[Any], again: bool) -> CheckpointPolicy:
        """What the policy says about a call."""
        found = self.policy(SelectiveCheckpointContext(is_recompute=again), op.front, *args)
        if isinstance(found, bool):
            return CheckpointPolicy.MUST_SAVE if found else CheckpointPolicy.PREFER_RECOMPUTE
        if not isinstance(found, CheckpointPolicy):
            raise TypeError(f"a policy returns a CheckpointPolicy or a bool, got {found!r}")
        return found

    def first(self, op: Op, args: Sequence[Any], run: Callable[[], Any]) -> Any:
        """Compute a call for the first time."""
        result = run()
        policy = self.asked(op, args, again=False)
        if policy in _KEPT:
            offload = policy in _OFFLOADED
            self.kept[op].append(
                map_tensors(result, lambda t: _Kept(t, offload, self.may_change))  # type: ignore[arg-type,return-value]
            )
        return result

    def again(self, op: Op, args: Sequence[Any], run: Callable[[], Any]) -> Any:
        """The result of a repeated call: the one that was kept, or a new one."""
        if self.asked(op, args, again=True) not in _KEPT:
            return run()
        waiting = self.kept[op]
        if not waiting:
            raise RuntimeError(
                f"'{op.name}' is computed once more than was kept: only one backward is allowed on a "
                "region under selective checkpointing, and it must repeat the same operators"
            )
        return _values(waiting.pop(0))


def _values(kept: Any) -> Any:
    if isinstance(kept, _Kept):
        return kept.value()
    if isinstance(kept, tuple):
        found = [_values(each) for each in kept]
        return type(kept)(*found) if hasattr(kept, "_fields") else tuple(found)
    return kept


_HANDLER: ContextVar[Callable[..., Any]] = ContextVar("selective_checkpoint")


class SelectiveCheckpoint(Layer):
    """Takes part while a checkpointed call with a policy runs, or runs again."""

    name = "selective_checkpoint"
    before = ("device", "override", "vmap")
    after = ("autograd", "forward_ad")
    idle = "no selective checkpoint is running"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return ON in state and not op.traits.view and not op.traits.writes and bool(op.tensors)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return _Asking(op, below())


class _Asking(Chain):
    """Has the cache say what becomes of the call; what the operator calls itself is its own affair."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Chain) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        def run() -> Any:
            with Switch(ON, False):
                return self.below.call(*args)

        return _HANDLER.get()(self.op, args, run)

    def describe(self) -> list[str]:
        return ["selective checkpoint: its policy decides", *self.below.describe()]


class _Handled:
    """Context manager: a handler is asked about every operator; for one run, or for any number."""

    def __init__(self, handler: Callable[..., Any], *, once: bool) -> None:
        self.handler = handler
        self.once = once
        self.entered = False
        self._stacks: list[ExitStack] = []

    def __enter__(self) -> None:
        if self.once and self.entered:
            raise RuntimeError(
                "these contexts serve one checkpointed call: have context_fn make new ones each time, as in "
                "context_fn=lambda: create_selective_checkpoint_contexts(...)"
            )
        self.entered = True
        if not any(layer.name == SelectiveCheckpoint.name for layer in LAYERS.layers):
            LAYERS.add(SelectiveCheckpoint())
        stack = ExitStack()
        token = _HANDLER.set(self.handler)
        stack.callback(_HANDLER.reset, token)
        stack.enter_context(Switch(ON, True))
        self._stacks.append(stack)

    def __exit__(self, *exc_info: object) -> None:
        self._stacks.pop().close()


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Callable[..., Any] | Sequence[Callable[..., Any]],
    allow_cache_entry_mutation: bool = False,
) -> Contexts:
    """The two contexts for `checkpoint(..., context_fn=...)` that keep some operators' results.

    `policy_fn_or_list` is a list of operators whose results are kept, as `[dc.matmul]`, or a function
    `(ctx, op, *args) -> CheckpointPolicy`. Views are never kept. Writing a kept result in place raises
    RuntimeError unless `allow_cache_entry_mutation` is set.
    """
    policy = policy_fn_or_list
    if isinstance(policy, (list, tuple)):
        for each in policy:
            if not hasattr(each, "op"):
                raise ValueError(
                    f"Expected op in `op_list` to be an operator's function such as dispatch_core.matmul, "
                    f"but got {each!r}"
                )
        kept = frozenset(each.op for each in policy)
        policy = lambda ctx, op, *args: op.op in kept  # noqa: E731
    if not callable(policy):
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    cache = _Cache(policy, allow_cache_entry_mutation)
    return _Handled(cache.first, once=True), _Handled(cache.again, once=False)
