"""`autograd.graph`: what a graph saves, its edges, and hooks on several of its tensors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, Literal, Self

from dispatch_core._graph import WRITES, GradientEdge, Node, Origin
from dispatch_core._handles import RemovableHandle
from dispatch_core._op import K
from dispatch_core._state import Switch
from dispatch_core._tensor import Tensor, check_tensor
from dispatch_core.autograd._engine import pass_now
from dispatch_core.layers.saving import HOOKS, ON, Hook, Pair

_REFUSAL: ContextVar[str | None] = ContextVar("saved_tensors_hooks_disabled", default=None)


class saved_tensors_hooks:
    """Context manager: `pack_hook(tensor)` says what is kept of each tensor saved for backward.

    `unpack_hook(kept)` gives the tensor back when its gradient is computed: of the same values, shape,
    dtype and device. Of nested ones the innermost is asked. The tensor that pack gets has no history.
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook: Hook = pack_hook
        self.unpack_hook: Hook = unpack_hook
        self._tokens: list[Token[tuple[Pair, ...]]] = []
        self._switch = Switch(ON, True)

    def __enter__(self) -> Self:
        refusal = _REFUSAL.get()
        if refusal is not None:
            raise RuntimeError(refusal)
        self._tokens.append(HOOKS.set((*HOOKS.get(), (self.pack_hook, self.unpack_hook))))
        self._switch.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._switch.__exit__(*exc_info)
        HOOKS.reset(self._tokens.pop())


class save_on_cpu(saved_tensors_hooks):
    """Context manager: tensors saved for backward wait in host memory, and come back when needed."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> Any:
            host = tensor.cpu()
            return tensor.device, host.pin_memory() if pin_memory else host

        super().__init__(pack, lambda kept: kept[1].to(kept[0], non_blocking=pin_memory))


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Context that refuses `saved_tensors_hooks` by a RuntimeError, those that are on as well."""
    if HOOKS.get():
        raise RuntimeError(error_message)
    token = _REFUSAL.set(error_message)
    try:
        yield
    finally:
        _REFUSAL.reset(token)


_ALLOWING: ContextVar[bool] = ContextVar("allow_mutation", default=False)


class _Copies:
    """What `allow_mutation_on_saved_tensors` gives: the copies that it keeps."""

    def __init__(self) -> None:
        self.kept: dict[int, Tensor] = {}

    def clear(self) -> None:
        """Forget the copies: going back through what was recorded then raises RuntimeError."""
        self.kept.clear()


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_Copies]:
    """Context in which tensors may be written in place although they were saved for backward.

    A copy of each saved tensor is kept until the context ends; backward must be run within it.
    """
    if _ALLOWING.get():
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    copies, numbers = _Copies(), itertools.count()

    def pack(tensor: Tensor) -> int:
        number = next(numbers)
        copies.kept[number] = K.clone(tensor)
        return number

    def unpack(number: int) -> Tensor:
        if number not in copies.kept:
            raise RuntimeError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the "
                "graph was originally recorded."
            )
        return copies.kept[number]

    token = _ALLOWING.set(True)
    try:
        with saved_tensors_hooks(pack, unpack):
            yield copies
    finally:
        _ALLOWING.reset(token)
        copies.clear()


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The gradient edge of a tensor; RuntimeError where it does not require a gradient."""
    if not check_tensor(tensor, "get_gradient_edge(): argument 'tensor'").requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge of a Tensor that does not require gradients"
        )
    node = tensor._node
    token = Origin(node, tensor.shape, tensor.dtype, tensor.device)
    return GradientEdge(tensor.grad_fn or node, tensor.output_nr, token)


class _Handles(RemovableHandle):
    """One handle for several hooks."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.handles,)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        (self.handles,) = state


def register_multi_grad_hook(
    tensors: Sequence[Tensor],
    fn: Callable[[Any], None],
    *,
    mode: Literal["all", "any"] = "all",
) -> RemovableHandle:
    """Have `fn` run once in each backward pass that reaches some of the tensors.

    mode "all": `fn(grads)` when the last of their gradients has arrived, with None for tensors that the
    pass does not come to; "any": `fn(grad)` with the first that arrives. Gradients of leaves arrive when
    the pass is through. The returned handle removes the hook.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    watched = tensors if mode == "all" else [t for t in tensors if t.requires_grad]
    nodes = [t._node for t in watched]
    under_way: dict[Any, _Arrivals] = {}

    def hook_of(index: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            running = pass_now()
            arrivals = under_way.get(running)
            if arrivals is None:
                arrivals = under_way[running] = _Arrivals(running.visited(nodes))
                running.when_done(lambda: finish(running))
                if mode == "any":
                    fn(grad)
            if arrivals.add(index, grad) and mode == "all":
                arrivals.tell(fn)

        return hook

    def finish(running: Any) -> None:
        arrivals = under_way.pop(running)
        if mode == "all":  # some formula on the way gave no gradient
            arrivals.tell(fn)

    return _Handles([t.register_hook(hook_of(i)) for i, t in enumerate(watched)])


class _Arrivals:
    """The gradients of several tensors in one backward pass, as they come."""

    def __init__(self, expected: Sequence[bool]) -> None:
        self.grads: list[Tensor | None] = [None] * len(expected)
        self.missing = sum(expected)
        self.told = False

    def add(self, index: int, grad: Tensor) -> bool:
        """Note one; whether it is the last."""
        self.grads[index] = grad
        self.missing -= 1
        return self.missing == 0

    def tell(self, fn: Callable[[Any], None]) -> None:
        """Call `fn` with all of them, once."""
        if not self.told:
            self.told = True
            fn(self.grads)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Have autograd take tensors for written in place, for code that writes memory behind its back."""
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        check_tensor(each, "increment_version(): argument 'tensor'")
        if each.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        WRITES.record(each._backend.storage_of(each._raw))


__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]
