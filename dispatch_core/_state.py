"""The dispatch state: one ContextVar that holds the number of all that is switched on for this task.

A state is an interned frozenset of names (`"grad"`, the names of pushed layers, policies). Each number
has dispatch tables of its own, so what is off costs nothing. Number 0 is a thread or context in which
no operator ran yet: its tables hold only misses, and the first miss opens it (`open_context`).
What a layer remembers beside being on lives in a ContextVar of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, Self, TypeVar

from dispatch_core._keys import LOCK

State = frozenset[str]
F = TypeVar("F", bound=Callable[..., Any])

UNOPENED = 0
_DEFAULT: State = frozenset({"grad"})

STATES: list[State] = [_DEFAULT]
_interned: dict[State, int] = {}
_moves: dict[tuple[int, str, bool], int] = {}
_on_growth: list[Callable[[int], None]] = []
_on_open: list[Callable[[], None]] = []

_current: ContextVar[int] = ContextVar("dispatch_state", default=UNOPENED)
current_state = _current.get
"""The number of the current state; called once by every operator call."""


def on_growth(callback: Callable[[int], None]) -> None:
    """Have `callback(count)` run, under the lock, before a new state number is used."""
    _on_growth.append(callback)


def on_open(callback: Callable[[], None]) -> None:
    """Have `callback()` run once in every thread or context, before its first operator."""
    _on_open.append(callback)


def state_number(state: State) -> int:
    """The interned number of a state."""
    number = _interned.get(state)
    if number is None:
        with LOCK:
            number = _interned.get(state)
            if number is None:
                number = len(STATES)
                for callback in _on_growth:
                    callback(number + 1)
                STATES.append(state)
                _interned[state] = number
    return number


def open_context() -> int:
    """Leave the unopened state, after what numeric libraries need in a new thread; returns the number."""
    number = _current.get()
    if number == UNOPENED:
        for callback in _on_open:
            callback()
        number = state_number(_DEFAULT)
        _current.set(number)
    return number


def is_on(name: str) -> bool:
    """Whether `name` is part of the current state."""
    return name in STATES[_current.get()]


def moved(number: int, name: str, on: bool) -> int:
    """The number of the state that differs from `number` by `name` being on or off."""
    target = _moves.get((number, name, on))
    if target is None:
        state = STATES[number]
        target = state_number(state | {name} if on else state - {name})
        _moves[number, name, on] = target
    return target


def names_of(prefix: str) -> State:
    """The names of the current state that begin with `prefix`."""
    return frozenset(n for n in STATES[_current.get() or open_context()] if n.startswith(prefix))


def renamed(prefix: str, names: State) -> int:
    """The number of the state in which `names` stand for those that begin with `prefix` now."""
    state = STATES[_current.get() or open_context()]
    return state_number(frozenset(n for n in state if not n.startswith(prefix)) | names)


def set_state(number: int) -> Token[int]:
    """Make `number` the current state; undo with `reset_state`."""
    return _current.set(number)


reset_state = _current.reset


class Switch:
    """Context manager and decorator that turns one name of the state on or off."""

    __slots__ = ("_name", "_on", "_tokens")

    def __init__(self, name: str, on: bool) -> None:
        self._name = name
        self._on = on
        self._tokens: list[Token[int]] = []

    def __enter__(self) -> Self:
        number = _current.get() or open_context()
        self._tokens.append(_current.set(moved(number, self._name, self._on)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _current.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        name, on = self._name, self._on

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with Switch(name, on):
                return function(*args, **kwargs)

        return switched  # type: ignore[return-value]
