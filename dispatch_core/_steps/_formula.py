"""What a formula is, how it is entered, and the few expressions that formulas share.

A formula is a function

    name_(xp, param, grad, *state, *, step, lr, ...) -> (param, *state)

that returns the new parameter and state, all of them in the order of its arguments. It may work in
place on what it is given, but for the gradient; whoever calls it needs copies where the old values
matter. `xp` is an array
module or the framework's operators; what is written are Python's operators and functions that both
have with the same positional arguments (`sqrt`, `maximum`, `where`, `sign`, `mean`, `sum`, `finfo`).
State that the options do without has the default None, is None then and is returned as None. Numbers
are Python's, or with `capturable` and where the user gave a tensor 0-d tensors, whose value no
formula may ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Formula(NamedTuple):
    """A formula and what its signature says."""

    function: Callable[..., Any]
    state: tuple[str, ...]
    """Names of its state, as PyTorch's state dicts have them; the operator's lists add an "s"."""
    optional: frozenset[str]
    """Those of them that may be None."""
    rows: tuple[str, ...]
    """Numbers that each parameter has of its own, such as the number of the step."""
    hyper: tuple[str, ...]
    """Numbers and flags that are the same for a whole group."""
    elementwise: bool
    """Whether every element is computed by itself, so that any block of memory will do."""

    @property
    def name(self) -> str:
        """The operator's name."""
        return str(self.function.__name__)


FORMULAS: dict[str, Formula] = {}
"""All formulas by name."""


def formula(*, rows: Sequence[str] = (), elementwise: bool = True) -> Callable[[F], F]:
    """Enters a function into `FORMULAS`; `rows` names the numbers that each parameter has of its own."""

    def enter(function: F) -> F:
        code = function.__code__
        state = code.co_varnames[3 : code.co_argcount]
        keywords = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        FORMULAS[function.__name__] = Formula(
            function,
            state,
            frozenset(state[len(state) - len(function.__defaults__ or ()) :]),
            tuple(name for name in keywords if name in rows),
            tuple(name for name in keywords if name not in rows),
            elementwise,
        )
        return function

    return enter


def is_number(value: Any) -> bool:
    """Whether a value can be asked for here, being a Python number."""
    return isinstance(value, (int, float))


def in_use(weight_decay: Any) -> bool:
    """Whether there is weight decay; a tensor counts."""
    return not is_number(weight_decay) or weight_decay != 0


def descended(param: Any, grad: Any, weight_decay: Any, maximize: bool) -> Any:
    """The gradient of the loss (of its negative, to `maximize`) plus weight_decay / 2 * |param|^2."""
    if not in_use(weight_decay):
        return -grad if maximize else grad
    decay = param * weight_decay
    if maximize:
        decay -= grad
    else:
        decay += grad
    return decay


def regularized(
    param: Any, grad: Any, lr: Any, weight_decay: Any, maximize: bool, decoupled: bool
) -> tuple[Any, Any]:
    """(param, grad) with weight decay on the gradient or, `decoupled`, on the parameter, in place.

    Loshchilov and Hutter 2019, arXiv:1711.05101.
    """
    if not decoupled:
        return param, descended(param, grad, weight_decay, maximize)
    if in_use(weight_decay):
        param *= 1 - lr * weight_decay
    return param, -grad if maximize else grad


def towards(average: Any, value: Any, weight: Any) -> Any:
    """A running average, moved by `weight` towards a value, in place."""
    change = value - average
    change *= weight
    average += change
    return average


def decayed_square(average: Any, value: Any, decay: Any) -> Any:
    """A running average of squares, in place."""
    square = value * value
    square *= 1 - decay
    average *= decay
    average += square
    return average


def less(param: Any, direction: Any, rate: Any) -> Any:
    """The parameter moved against a direction, both of them in place."""
    direction *= rate
    param -= direction
    return param
