"""Policies of resolution: when the host or a wider dtype stands in for a missing kernel.

A policy is "error" (never), "warn" (counted, and warned about once a source line) or "allow"
(counted). The state of a thread or task may hold a choice, as the name `host_fallback=warn`;
otherwise the default of the process holds.
"""

from __future__ import annotations

from contextvars import Token
from types import TracebackType

from dispatch_core import _state
from dispatch_core._dispatcher.operator import forget_all
from dispatch_core._state import State

CHOICES = ("error", "warn", "allow")


class Policy:
    """One question with three answers."""

    def __init__(self, name: str, switch: str) -> None:
        self.name = name
        self.switch = switch
        """The function that users call, for messages."""
        self._default = "error"
        self._names = {choice: f"{name}={choice}" for choice in CHOICES}
        self.states = frozenset(self._names.values())
        """The names in a state that hold a choice."""

    def check(self, choice: str) -> str:
        """`choice` if it is one; ValueError otherwise."""
        if choice not in CHOICES:
            raise ValueError(f"{self.switch}() takes 'error', 'warn' or 'allow', got {choice!r}")
        return choice

    def get(self, state: State) -> str:
        """The choice that holds in a state."""
        if self.states.isdisjoint(state):
            return self._default
        return next(choice for choice, name in self._names.items() if name in state)

    def allows(self, state: State) -> bool:
        """Whether the stand-in may be used in a state."""
        return self.get(state) != "error"

    def set_default(self, choice: str) -> None:
        """Choose for every thread and task that has not chosen itself."""
        self._default = self.check(choice)
        forget_all()

    def within(self, state: State, choice: str) -> State:
        """The state that differs by this choice."""
        return state - self.states | {self._names[choice]}


HOST_FALLBACK = Policy("host_fallback", "fallback")
DTYPE_EMULATION = Policy("dtype_emulation", "emulation")


class Choose:
    """Context manager that makes one choice of a policy for this thread or task."""

    def __init__(self, policy: Policy, choice: str) -> None:
        self._policy = policy
        self._choice = policy.check(choice)
        self._tokens: list[Token[int]] = []

    def __enter__(self) -> None:
        state = _state.STATES[_state.current_state() or _state.open_context()]
        number = _state.state_number(self._policy.within(state, self._choice))
        self._tokens.append(_state.set_state(number))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _state.reset_state(self._tokens.pop())


def fallback(policy: str) -> Choose:
    """Context manager: whether operators without a kernel on their device may run on the host.

    "error" (the default) raises NoKernelError, "warn" computes on the host and warns once a source
    line, "allow" does so silently; `fallback_report()` counts both. Views, factories and random
    numbers never fall back. Raises ValueError for another word.
    """
    return Choose(HOST_FALLBACK, policy)


def emulation(policy: str) -> Choose:
    """Context manager: whether float16 and bfloat16 may be computed in float32 and cast back.

    Asked only where a device has no kernel for the narrow dtype; words as for `fallback`.
    """
    return Choose(DTYPE_EMULATION, policy)


def set_fallback(policy: str) -> None:
    """What `fallback` says in every thread and task that does not choose itself."""
    HOST_FALLBACK.set_default(policy)


def set_emulation(policy: str) -> None:
    """What `emulation` says in every thread and task that does not choose itself."""
    DTYPE_EMULATION.set_default(policy)
