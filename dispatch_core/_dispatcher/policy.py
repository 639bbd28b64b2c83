"""Policies of resolution: when the host or a wider dtype stands in for a missing kernel.

A policy is "error" (never), "warn" (counted, and warned about once a source line) or "allow"
(counted). The state of a thread or task may hold a choice for all operators, as the name
`host_fallback=warn`, and choices for single ones, as `host_fallback[exp]=allow`; otherwise the
default of the process holds. What is chosen for an operator comes before what is chosen for all.
"""

from __future__ import annotations

from collections.abc import Iterable

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
        self._defaults: dict[str, str] = {}

    def check(self, choice: str) -> str:
        """`choice` if it is one; ValueError otherwise."""
        if choice not in CHOICES:
            raise ValueError(f"{self.switch}() takes 'error', 'warn' or 'allow', got {choice!r}")
        return choice

    def get(self, state: State, op: str) -> str:
        """The choice that holds for an operator in a state."""
        for place in (f"[{op}]", ""):
            for choice in CHOICES:
                if f"{self.name}{place}={choice}" in state:
                    return choice
        return self._defaults.get(op, self._default)

    def allows(self, state: State, op: str) -> bool:
        """Whether the stand-in may be used for an operator in a state."""
        return self.get(state, op) != "error"

    def set_default(self, choice: str, operators: Iterable[str] = ()) -> None:
        """Choose for every thread and task that has not chosen itself.

        For all operators, which takes back what was chosen for single ones, or for some.
        """
        self.check(choice)
        chosen = dict.fromkeys(operators, choice)
        if chosen:
            self._defaults |= chosen
        else:
            self._default = choice
            self._defaults = {}
        forget_all()

    def within(self, state: State, choice: str, operators: Iterable[str] = ()) -> State:
        """The state that differs by this choice.

        For all operators, which takes back what the state says of single ones, or for some.
        """
        places = [f"[{op}]" for op in operators]
        if places:
            gone = {f"{self.name}{place}={each}" for place in places for each in CHOICES}
        else:
            places, gone = [""], {name for name in state if self.covers(name)}
        return state - gone | {f"{self.name}{place}={choice}" for place in places}

    def covers(self, name: str) -> bool:
        """Whether a name in a state is a choice of this policy."""
        return name.startswith((f"{self.name}=", f"{self.name}["))


HOST_FALLBACK = Policy("host_fallback", "fallback")
DTYPE_EMULATION = Policy("dtype_emulation", "emulation")


def is_choice(name: str) -> bool:
    """Whether a name in a state is a choice of some policy."""
    return HOST_FALLBACK.covers(name) or DTYPE_EMULATION.covers(name)
