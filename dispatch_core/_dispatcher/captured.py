"""Function transforms must not write values of theirs into tensors that the function only captured.

A tensor does not say when it was made. So when such a value is about to be written, and only then, what
the function could reach before it was called is searched for the tensor: no other call pays for it.
"""

from __future__ import annotations

import gc
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dispatch_core._dual import Dual
from dispatch_core._graph import Leaf, tick
from dispatch_core._keys import GRAD, VIEW
from dispatch_core._tensor import Tensor

_MOST = 5_000
"""Objects that are looked at in one search, the nearest first."""
_OPAQUE = (type, types.ModuleType, types.FrameType, str, bytes, int, float, complex)


class Transform:
    """One transform that runs its function; with `level`, that of the dual tensors it makes."""

    __slots__ = ("_held", "func", "level", "start")

    def __init__(self, func: Callable[..., Any], level: Any = None) -> None:
        self.func = func
        self.level = level
        self.start = tick()
        self._held: set[int] | None = None

    def holds(self, tensor: Tensor) -> bool:
        """Whether the function reaches a tensor, or one that is part of the same."""
        if self._held is None:
            self._held = set(_reached(self.func))
        return id(tensor) in self._held or (
            bool(tensor._k & VIEW) and id(tensor._base[0]) in self._held
        )


_Tables = Mapping[int, Mapping[str, Any]]
_REPLACED: ContextVar[_Tables] = ContextVar("replaced", default=types.MappingProxyType({}))
"""By the id of a module's table: what is captured there, where `functional_call` put something else."""


@contextmanager
def standing_in(places: Iterable[tuple[dict[str, Any], str, Any]]) -> Iterator[None]:
    """Say that, within the block, something else stands in tables of modules: (table, name, its own)."""
    own = dict(_REPLACED.get())
    for table, name, value in places:
        own[id(table)] = {**own.get(id(table), table), name: value}
    token = _REPLACED.set(own)
    try:
        yield
    finally:
        _REPLACED.reset(token)


_RUNNING: ContextVar[tuple[Transform, ...]] = ContextVar("transforms", default=())


@contextmanager
def transforming(func: Callable[..., Any], level: Any = None) -> Iterator[None]:
    """Say that a transform runs its function within the block."""
    token = _RUNNING.set((*_RUNNING.get(), Transform(func, level)))
    try:
        yield
    finally:
        _RUNNING.reset(token)


def check_recorded(x: Tensor, value: Tensor, what: str) -> None:
    """RuntimeError where a value that was recorded in a transform is written into a captured tensor."""
    running = _RUNNING.get()
    if not running or not value._k & GRAD:
        return
    for transform in running:
        if transform.level is None and _order(value) > transform.start:
            known = x._k & GRAD and _order(x) > transform.start
            if not known and (x._k & GRAD or transform.holds(x)):
                raise RuntimeError(_told(what))


def check_dual(x: Tensor, level: Any, what: str) -> None:
    """RuntimeError where a value with a tangent of a transform is written into a captured tensor."""
    for transform in _RUNNING.get():
        if transform.level is level and transform.holds(x):
            raise RuntimeError(_told(what))


def _told(what: str) -> str:
    return (
        "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place "
        f"operation ({what}) that would mutate a captured Tensor. This is not supported; please rewrite the "
        "function being transformed to explicitly accept the mutated Tensor(s) as inputs, or write the "
        "value with .detach()."
    )


def _order(tensor: Tensor) -> int:
    node: Any = tensor._node
    return -1 if node is None or node.__class__ is Leaf else int(node.order)


def _reached(func: Callable[..., Any]) -> Iterator[int]:
    """The ids of the tensors that a function reaches, and of those of which they are part."""
    ahead: deque[Any] = deque([func])
    seen: set[int] = set()
    replaced = _REPLACED.get()
    while ahead and len(seen) < _MOST:
        each = ahead.popleft()
        if id(each) in seen or isinstance(each, _OPAQUE):
            continue
        seen.add(id(each))
        if isinstance(each, Tensor):
            yield id(each)
            if each._k & VIEW and each._raw.__class__ is not Dual:
                yield id(each._base[0])
        elif isinstance(each, types.FunctionType):
            ahead += _of_function(each)
        elif id(each) in replaced:
            ahead += replaced[id(each)].values()
        else:
            ahead += gc.get_referents(each)


def _of_function(function: types.FunctionType) -> Iterator[Any]:
    yield from function.__closure__ or ()
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    scope = function.__globals__
    if str(scope.get("__name__", "")).split(".", 1)[0] == "dispatch_core":
        return  # the framework's own functions capture in closures only
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        yield from (scope[name] for name in code.co_names if name in scope)
