"""Hooks of optimizers: their registries, and the wrapper that calls them around `step`."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from dispatch_core.optim._core import RemovableHandle

Hook: TypeAlias = Callable[..., Any]
Hooks: TypeAlias = OrderedDict[int, Hook]
StepT = TypeVar("StepT", bound=Callable[..., Any])

HOOK_KINDS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)
_global_pre_hooks: Hooks = OrderedDict()
_global_post_hooks: Hooks = OrderedDict()


def register(hooks: Hooks, hook: Hook, prepend: bool = False) -> RemovableHandle:
    """Adds `hook` behind those in `hooks`, or with `prepend` before them."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """`hook(optimizer, args, kwargs)` before each step of every optimizer."""
    return register(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """`hook(optimizer, args, kwargs)` after each step of every optimizer."""
    return register(_global_post_hooks, hook)


def with_hooks(step: StepT) -> StepT:
    """`step` with the registered hooks around it, once even where a subclass calls its parent's."""

    @functools.wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._stepping:
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            # As in PyTorch, hooks see the arguments of the plain function: `self` comes first.
            full_args, kwargs = _before(step, self, (self, *args), kwargs)
            result = step(*full_args, **kwargs)
            for hook in chain(
                self._optimizer_step_post_hooks.values(), _global_post_hooks.values()
            ):
                hook(self, full_args, kwargs)
            return result
        finally:
            self._stepping = False

    return hooked  # type: ignore[return-value]


def _before(
    step: Callable[..., Any], optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Calls the hooks before a step; each may replace the arguments for those after it."""
    for hook in chain(_global_pre_hooks.values(), optimizer._optimizer_step_pre_hooks.values()):
        changed = hook(optimizer, args, kwargs)
        if changed is None:
            continue
        if not isinstance(changed, tuple) or len(changed) != 2:
            raise RuntimeError(
                f"{step} must return None or a tuple of (new_args, new_kwargs), "
                f"but got {changed}: that is what its pre-hook {hook} returned."
            )
        args, kwargs = changed
    return args, kwargs
