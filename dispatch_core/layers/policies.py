"""`fallback` and `emulation`: the policies of resolution as users choose them, for a block or the process."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Token
from types import TracebackType
from typing import Any

from dispatch_core import _state
from dispatch_core._dispatcher.policy import DTYPE_EMULATION, HOST_FALLBACK, Policy
from dispatch_core._namespaces import operator_of
from dispatch_core.layers.fallback import Budget, Budgets


class Choose:
    """Context manager that makes one choice of a policy for this thread or task."""

    def __init__(self, policy: Policy, choice: str, operators: Sequence[str] = ()) -> None:
        self._policy = policy
        self._choice = policy.check(choice)
        self._operators = operators
        self._tokens: list[Token[int]] = []

    def __enter__(self) -> Any:
        state = _state.STATES[_state.current_state() or _state.open_context()]
        chosen = self._policy.within(state, self._choice, self._operators)
        self._tokens.append(_state.set_state(_state.state_number(chosen)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _state.reset_state(self._tokens.pop())


class Fallback(Choose):
    """The choice whether the host computes, with a budget that begins anew at each entry."""

    def __init__(
        self, choice: str, operators: Sequence[str], max_calls: int | None, max_bytes: int | None
    ) -> None:
        super().__init__(HOST_FALLBACK, choice, operators)
        self._limits = _checked(choice, max_calls, max_bytes)
        self._budgets: list[Token[tuple[Budget, ...]]] = []

    def __enter__(self) -> Budget:
        super().__enter__()
        budget = Budget(*self._limits, self._operators)
        self._budgets.append(Budgets.entered.set((*Budgets.entered.get(), budget)))
        return budget

    def __exit__(self, *exc_info: Any) -> None:
        Budgets.entered.reset(self._budgets.pop())
        super().__exit__(*exc_info)


def _checked(
    choice: str, max_calls: int | None, max_bytes: int | None
) -> tuple[int | None, int | None]:
    Budget(max_calls, max_bytes)
    if choice == "error" and (max_calls is not None or max_bytes is not None):
        raise ValueError(
            "with the policy 'error' nothing falls back, so there is nothing to limit: choose 'warn' or "
            "'allow', or leave max_calls and max_bytes out"
        )
    return max_calls, max_bytes


def _names(operators: Sequence[Any]) -> list[str]:
    return [operator_of(each).name for each in operators]


def fallback(
    policy: str, *operators: Any, max_calls: int | None = None, max_bytes: int | None = None
) -> Fallback:
    """Context manager: whether operators without a kernel on their device may run on the host.

    "error" (the default) raises NoKernelError, "warn" computes on the host and warns once a source
    line, "allow" does so silently; `fallback_report()` counts both. Views, factories and random
    numbers never fall back. `with ... as budget` gives an object that counts the block's calls and
    bytes.

    Args:
        policy: one of the three words.
        operators: the operators it is for, by name or function, before what is chosen for all.
            None named: all of them, single ones that were chosen further out included.
        max_calls: the most calls that may fall back in the block; one more raises
            FallbackBudgetError before anything moves.
        max_bytes: the most bytes, of arguments and results, that may move.

    Raises:
        ValueError: another word, a negative limit, a limit with "error".
        AttributeError: there is no operator of such a name.

    """
    return Fallback(policy, _names(operators), max_calls, max_bytes)


def emulation(policy: str, *operators: Any) -> Choose:
    """Context manager: whether float16 and bfloat16 may be computed in float32 and cast back.

    Asked only where a device has no kernel for the narrow dtype; words and operators as for
    `fallback`.
    """
    return Choose(DTYPE_EMULATION, policy, _names(operators))


def set_fallback(
    policy: str, *operators: Any, max_calls: int | None = None, max_bytes: int | None = None
) -> None:
    """What `fallback` says in every thread and task that does not choose itself.

    The budget of the process begins anew with each call without operators; with operators, another
    one is added for them.
    """
    HOST_FALLBACK.check(policy)
    names = _names(operators)
    limits = _checked(policy, max_calls, max_bytes)
    HOST_FALLBACK.set_default(policy, names)
    new = () if limits == (None, None) else (Budget(*limits, names),)
    Budgets.default = (*Budgets.default, *new) if names else new


def set_emulation(policy: str, *operators: Any) -> None:
    """What `emulation` says in every thread and task that does not choose itself."""
    DTYPE_EMULATION.set_default(policy, _names(operators))
