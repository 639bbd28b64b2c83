"""Kernel tables: which function computes an operator on a device, for which dtypes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from dispatch_core._dtypes import dtype
from dispatch_core._errors import PluginError
from dispatch_core._keys import LOCK

F = TypeVar("F", bound=Callable[..., Any])
Condition = Callable[..., str | None]


class Bound:
    """A kernel that is another function with constants after the call's own arguments.

    A closure would do; of this one a chain can call the function itself, which for a ufunc spares a
    frame of Python.
    """

    __slots__ = ("__name__", "constants", "fn")

    def __init__(self, name: str, fn: Callable[..., Any], *constants: Any) -> None:
        self.__name__ = name
        self.fn = fn
        self.constants = constants

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """The function's result for these arguments and the constants."""
        return self.fn(*args, *self.constants, **keywords)


class Kernel(NamedTuple):
    """One registered function: `fn(raw_arrays..., other_arguments...)`, in the operator's order."""

    op: str
    device: str
    fn: Callable[..., Any]
    provider: str
    dtypes: frozenset[dtype] | None = None
    """The compute dtypes it serves; None: all that the operator accepts."""
    priority: int = 0
    when: Condition | None = None
    """Called with the operator's raw arguments; None to accept, or the reason to decline."""
    out: bool = False
    """Whether it takes `out=` (a raw array of the result's shape and dtype to write into)."""

    def describe(self) -> str:
        """`provider:function` as `explain` prints it."""
        name = getattr(self.fn, "__qualname__", None) or getattr(self.fn, "__name__", repr(self.fn))
        return f"{self.provider}:{name.rpartition('<locals>.')[2]}"  # type: ignore[union-attr]


class KernelTable:
    """The kernels of one device, by operator name; several providers may add to it."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.provider = device
        """Who registers, unless `register` is told otherwise."""
        self._kernels: dict[str, tuple[Kernel, ...]] = {}
        self._listeners: list[Callable[[str], None]] = []

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Have `callback(op_name)` run after each change (the dispatcher forgets its chains)."""
        self._listeners.append(callback)

    def as_provider(self, provider: str) -> KernelTable:
        """The same table for another provider: what is registered through it is theirs."""
        view = copy.copy(self)
        view.provider = provider
        return view

    def _changed(self, op: str) -> None:
        for callback in self._listeners:
            callback(op)

    def register(
        self,
        op: str,
        fn: F | None = None,
        *,
        dtypes: Iterable[dtype] | None = None,
        priority: int = 0,
        when: Condition | None = None,
        out: bool = False,
        provider: str | None = None,
    ) -> Any:
        """Add a kernel for `op`; without `fn` this is a decorator. Returns `fn`.

        Two kernels of different providers with the same dtypes and priority would make the result
        depend on the load order; this raises PluginError. The same provider replaces its own
        kernel.
        """
        if fn is None:
            return lambda function: self.register(
                op,
                function,
                dtypes=dtypes,
                priority=priority,
                when=when,
                out=out,
                provider=provider,
            )
        chosen = None if dtypes is None else frozenset(dtypes)
        who = provider or self.provider
        kernel = Kernel(op, self.device, fn, who, chosen, priority, when, out)
        with LOCK:
            kept = []
            for other in self._kernels.get(op, ()):
                if other.dtypes == chosen and other.priority == priority:
                    if other.provider != who:
                        raise PluginError(
                            f"both '{other.provider}' and '{who}' register a kernel for '{op}' on "
                            f"'{self.device}' with the same dtypes and priority {priority}; "
                            "give one of them another priority"
                        )
                    continue
                kept.append(other)
            kept.append(kernel)
            kept.sort(key=lambda k: (-k.priority, k.dtypes is None))
            self._kernels[op] = tuple(kept)
        self._changed(op)
        return fn

    def remove_provider(self, provider: str) -> None:
        """Take every kernel of a provider out again."""
        with LOCK:
            touched = []
            for op, kernels in list(self._kernels.items()):
                kept = tuple(k for k in kernels if k.provider != provider)
                if len(kept) != len(kernels):
                    self._kernels[op] = kept
                    touched.append(op)
        for op in touched:
            self._changed(op)

    def candidates(self, op: str) -> tuple[Kernel, ...]:
        """The kernels of an operator, best first: by priority, then those with exact dtypes."""
        return self._kernels.get(op, ())

    def names(self) -> Iterator[str]:
        """The operators with at least one kernel."""
        return (name for name, kernels in self._kernels.items() if kernels)
