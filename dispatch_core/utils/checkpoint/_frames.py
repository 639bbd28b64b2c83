"""One checkpointed call: what it would save is computed again when backward asks for it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from contextvars import ContextVar, Token
from typing import Any, Self

from dispatch_core._graph import WRITES
from dispatch_core._random import replayed, states_now
from dispatch_core._tensor import Tensor
from dispatch_core._tree import flatten
from dispatch_core.amp.autocast_mode import AutocastOfNow
from dispatch_core.autograd import enable_grad
from dispatch_core.autograd.graph import saved_tensors_hooks
from dispatch_core.profiler import profile

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """The recomputed call did not save what the original one saved."""


class _Enough(BaseException):
    """Raised in a recomputation when all that is asked for has been saved."""


class _Holder:
    """Stands in the graph for a tensor that is not kept."""

    __slots__ = ("__weakref__", "metadata", "number", "value")

    def __init__(self, number: int, tensor: Tensor) -> None:
        self.number = number
        self.metadata = _metadata(tensor)
        self.value: Tensor | None = None


def _metadata(tensor: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.dtype, tensor.device


class GraphExecGroup:
    """Context manager: backward passes within it recompute each checkpointed call at most once.

    Together they must not use the same saved tensor twice. For `use_reentrant=False`.
    """

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._tokens: list[Token[GraphExecGroup | None]] = []

    def __enter__(self) -> Self:
        if _GROUP.get() is not None:
            raise RuntimeError(
                f"GraphExecGroup contexts cannot be nested. Already inside group {_GROUP.get()}"
            )
        self._tokens.append(_GROUP.set(self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _GROUP.reset(self._tokens.pop())
        for frame in self.frames:
            frame.forget()
        self.frames.clear()


_GROUP: ContextVar[GraphExecGroup | None] = ContextVar("graph_exec_group", default=None)


class Frame:
    """A checkpointed call while its graph lives."""

    def __init__(
        self,
        call: Callable[[], Any],
        arguments: Any,
        contexts: Contexts,
        *,
        preserve_rng_state: bool,
        early_stop: bool,
        check: bool,
        debug: bool,
    ) -> None:
        self.call = call
        storages = [
            t._backend.storage_of(t._raw) for t in flatten(arguments)[0] if isinstance(t, Tensor)
        ]
        self.written = [(storage, WRITES.moment(storage)) for storage in storages]
        self.contexts = contexts
        self.states = states_now() if preserve_rng_state else None
        self.autocast = AutocastOfNow()
        self.early_stop = early_stop
        self.check = check
        self.debug = debug
        self.holders: list[weakref.ref[_Holder]] = []
        self.traces: list[list[str]] = []

    def run(self) -> Any:
        """The call itself, which saves nothing."""
        with saved_tensors_hooks(self._hold, self._give), self.contexts[0]:
            return self._watched()

    def _hold(self, tensor: Tensor) -> _Holder:
        holder = _Holder(len(self.holders), tensor)
        self.holders.append(weakref.ref(holder))
        return holder

    def _give(self, holder: _Holder) -> Tensor:
        if holder.value is None:
            self._recompute()
        found = holder.value
        if found is None:
            raise CheckpointError(
                "checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation: tensor {holder.number} of {len(self.holders)} was not saved again"
                + self._hint()
            )
        if self.check and _metadata(found) != holder.metadata:
            raise CheckpointError(
                "checkpoint: Recomputed values have different metadata than during the forward pass: "
                f"tensor {holder.number} was {_shown(holder.metadata)} and is now "
                f"{_shown(_metadata(found))}" + self._hint()
            )
        group = _GROUP.get()
        if group is None:
            holder.value = None
        elif self not in group.frames:
            group.frames.append(self)
        return found

    def _recompute(self) -> None:
        if any(WRITES.moment(storage) != moment for storage, moment in self.written):
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace "
                "operation: an argument of a checkpointed call was written after the call began"
            )
        seen = 0

        def take(tensor: Tensor) -> Tensor:
            nonlocal seen
            if seen == len(self.holders):
                if not self.check:
                    return tensor
                raise CheckpointError(
                    "checkpoint: trying to save more tensors during recomputation than during the "
                    f"original forward pass, {len(self.holders)}" + self._hint()
                )
            holder = self.holders[seen]()
            seen += 1
            if holder is not None:
                holder.value = tensor
            if self.early_stop and seen == len(self.holders):
                raise _Enough
            return tensor

        with ExitStack() as stack:
            if self.states is not None:
                stack.enter_context(replayed(self.states))
            stack.enter_context(enable_grad())
            stack.enter_context(self.autocast)
            stack.enter_context(saved_tensors_hooks(take, lambda tensor: tensor))
            stack.enter_context(self.contexts[1])
            stack.enter_context(suppress(_Enough))
            self._watched()

    def forget(self) -> None:
        """Drop what was recomputed."""
        for reference in self.holders:
            holder = reference()
            if holder is not None:
                holder.value = None

    def _watched(self) -> Any:
        """The call; with `debug`, its operators are noted."""
        if not self.debug:
            return self.call()
        with profile() as profiled:
            try:
                return self.call()
            finally:
                self.traces.append([event.name for event in profiled.events])

    def _hint(self) -> str:
        if not self.debug:
            return "; pass debug=True to see the operators of both"
        first, *later = self.traces
        again = later[-1] if later else []
        at = next(
            (i for i, (a, b) in enumerate(zip(first, again, strict=False)) if a != b),
            min(len(first), len(again)),
        )
        return (
            f". The operators differ from number {at} on: first {first[at : at + 5]}, then "
            f"{again[at : at + 5]}"
        )


def _shown(metadata: tuple[Any, ...]) -> str:
    shape, dtype, device = metadata
    return f"{dtype}{list(shape)} on {device}"
