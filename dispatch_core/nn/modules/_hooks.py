"""Hooks that watch modules: those of one module, and the global ones."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from dispatch_core.nn._core import Hook, HookTable, RemovableHandle, add_hook


class _GlobalHooks:
    """The hooks that apply to every module of the process."""

    def __init__(self) -> None:
        self.forward_pre: HookTable = OrderedDict()
        self.forward: HookTable = OrderedDict()
        self.forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
        self.forward_always: OrderedDict[int, bool] = OrderedDict()
        self.backward_pre: HookTable = OrderedDict()
        self.backward: HookTable = OrderedDict()
        self.backward_is_full: bool | None = None
        self.buffer_registration: HookTable = OrderedDict()
        self.module_registration: HookTable = OrderedDict()
        self.parameter_registration: HookTable = OrderedDict()

    def watches_calls(self) -> bool:
        """Whether a call of any module has to look for global hooks."""
        return bool(self.forward_pre or self.forward or self.backward_pre or self.backward)


GLOBAL = _GlobalHooks()


def run_registration_hooks(table: HookTable, module: Any, name: str, value: Any) -> Any:
    """Let the global registration hooks see, and perhaps replace, what a module registers."""
    for hook in table.values():
        replaced = hook(module, name, value)
        if replaced is not None:
            value = replaced
    return value


class Hooked:
    """The part of a Module that lets hooks be registered and says whether there are any."""

    # True on an instance that may have hooks, and on this class while global hooks may exist, so
    # that a call reads a single attribute. Calls clear it when they find that no hook is left.
    _hooked = False

    _backward_pre_hooks: HookTable
    _backward_hooks: HookTable
    _is_full_backward_hook: bool | None
    _forward_hooks: HookTable
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: HookTable
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]

    def _init_hooks(self) -> None:
        for name in (
            "_backward_pre_hooks",
            "_backward_hooks",
            "_forward_hooks",
            "_forward_hooks_with_kwargs",
            "_forward_hooks_always_called",
            "_forward_pre_hooks",
            "_forward_pre_hooks_with_kwargs",
        ):
            self.__dict__.setdefault(name, OrderedDict())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    def _own_hooks(self) -> bool:
        return bool(
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_pre_hooks
            or self._backward_hooks
        )

    def _has_hooks(self) -> bool:
        """Whether a call must run hooks; clears the flags that no hook justifies any more."""
        if self._own_hooks():
            return True
        # A flag is cleared before its tables are looked at, and set after a hook is put in one: so
        # a hook that another thread registers meanwhile is never overlooked.
        self.__dict__.pop("_hooked", None)
        if self._own_hooks():
            self.__dict__["_hooked"] = True
            return True
        Hooked._hooked = False
        if GLOBAL.watches_calls():
            Hooked._hooked = True
            return True
        return False

    def _add_hook(
        self, table: HookTable, hook: Hook, prepend: bool, *flags: Any
    ) -> RemovableHandle:
        handle = add_hook(table, hook, prepend=prepend, flags=flags)
        self.__dict__["_hooked"] = True
        return handle

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns replaces the arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns None or `(args, kwargs)`;
        anything else is a RuntimeError at the call.
        """
        flag = (self._forward_pre_hooks_with_kwargs, with_kwargs)
        return self._add_hook(self._forward_pre_hooks, hook, prepend, flag)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; its result replaces that.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`. With `always_call` it also
        runs when the forward raises.
        """
        flags = (
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
        )
        return self._add_hook(self._forward_hooks, hook, prepend, *flags)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the gradients of the inputs are computed.

        It may return a tuple that replaces `grad_output`.
        """
        return self._add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the inputs' gradients are computed.

        It may return a tuple that replaces `grad_input`. RuntimeError when this module already has
        hooks of the older `register_backward_hook`.
        """
        return self._add_backward_hook(hook, full=True, prepend=prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` of the forward's last operator (deprecated).

        Prefer `register_full_backward_hook`, which sees the whole module's inputs and outputs.
        """
        return self._add_backward_hook(hook, full=False, prepend=False)

    def _add_backward_hook(self, hook: Hook, *, full: bool, prepend: bool) -> RemovableHandle:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them: prefer register_full_backward_hook."
            )
        self.__dict__["_is_full_backward_hook"] = full
        return self._add_hook(self._backward_hooks, hook, prepend)

    def _collect_backward_hooks(self) -> tuple[list[Hook], list[Hook], list[Hook]]:
        """The full, the older and the pre hooks of backward that apply to this module."""
        full: list[Hook] = []
        older: list[Hook] = []
        (full if GLOBAL.backward_is_full else older).extend(GLOBAL.backward.values())
        (full if self._is_full_backward_hook else older).extend(self._backward_hooks.values())
        pre = [*GLOBAL.backward_pre.values(), *self._backward_pre_hooks.values()]
        return full, older, pre


def _add_global_hook(table: HookTable, hook: Hook, *flags: Any) -> RemovableHandle:
    handle = add_hook(table, hook, flags=flags)
    Hooked._hooked = True
    return handle


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module."""
    return _add_global_hook(GLOBAL.forward_pre, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module."""
    flags = ((GLOBAL.forward_with_kwargs, with_kwargs), (GLOBAL.forward_always, always_call))
    return _add_global_hook(GLOBAL.forward, hook, *flags)


def _add_global_backward_hook(hook: Hook, full: bool) -> RemovableHandle:
    if GLOBAL.backward_is_full is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    GLOBAL.backward_is_full = full
    return _add_global_hook(GLOBAL.backward, hook)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` of every module's last operator (deprecated)."""
    return _add_global_backward_hook(hook, full=False)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` when any module's input gradients are there."""
    return _add_global_backward_hook(hook, full=True)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_output)` before any module's input gradients are there."""
    return _add_global_hook(GLOBAL.backward_pre, hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, buffer)` when a buffer is registered; it may replace it."""
    return add_hook(GLOBAL.buffer_registration, hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, submodule)` when one is registered; it may replace it."""
    return add_hook(GLOBAL.module_registration, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, parameter)` when one is registered; it may replace it."""
    return add_hook(GLOBAL.parameter_registration, hook)
