"""The functions of the standard by namespace, and the two ways to add one: by hand, or from a table."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dispatch_core._dispatcher.operator import ParamKind
from dispatch_core._op import OPERATORS, K
from dispatch_core.array_api._array import marked
from dispatch_core.array_api._axes import reducing
from dispatch_core.array_api._promotion import admitted, together

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[str, dict[str, Callable[..., Any]]] = {"": {}, "linalg": {}, "fft": {}}
"""Every function by namespace ("" is `array_api` itself) and name."""


def standard(*places: str) -> Callable[[F], F]:
    """Add a function written by hand: its tensors leave as arrays of the standard.

    Each place is a full name ("linalg.cross"); without one, it is the function's own name.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def front(*args: Any, **kwargs: Any) -> Any:
            return marked(function(*args, **kwargs))

        for place in places or (function.__name__,):
            namespace, _, name = place.rpartition(".")
            _name(front, namespace, name)
        return front  # type: ignore[return-value]

    return decorate


def renamed(kind: str, table: Mapping[str, str], namespace: str = "", operators: Any = K) -> None:
    """Add functions that are operators under another name or with renamed arguments.

    A line of the table is the standard's signature and the call of ours:

        "any(x, /, *, axis=None, keepdims=False)": "any(x, dim=axis, keepdim=keepdims)"

    As for the fronts of operators, a few lines of source are compiled for each. `kind` says which
    dtypes the standard allows; `x1` and `x2` are brought to one dtype by its rules first. `operators` has
    the operators as attributes.
    """
    for signature, call in table.items():
        made = _compiled(kind, signature, call, operators)
        _name(made, namespace, signature.partition("(")[0])


def _compiled(kind: str, signature: str, call: str, operators: Any) -> Callable[..., Any]:
    name = signature.partition("(")[0]
    operator = call.partition("(")[0]
    if "x2" in signature:
        numbers = all(p.kind is ParamKind.OPERAND for p in _selectors(operator))
        check = f"x1, x2 = together({name!r}, {kind!r}, x1, x2, numbers={numbers})"
    else:
        check = f"admitted({name!r}, {kind!r}, x)"
    lines = [f"def {signature}:", check]
    if "keepdims" in signature and "axis" in signature:
        lines.append("x, axis, keepdims = reducing(x, axis, keepdims)")
    source = "\n    ".join([*lines, f"return marked(K.{call})"])
    scope = {
        "K": operators,
        "admitted": admitted,
        "marked": marked,
        "reducing": reducing,
        "together": together,
    }
    exec(compile(source, f"<array_api.{name}>", "exec"), scope)
    made: Callable[..., Any] = scope[name]
    made.__doc__ = f"{_summary(operator)}The standard's face of `{call}`."
    return made


def _selectors(operator: str) -> list[Any]:
    op = OPERATORS[operator].op
    return [op.params[at] for at in op.selectors]


def _summary(operator: str) -> str:
    declared = OPERATORS.get(operator)
    if declared is None:
        return ""
    return (inspect.getdoc(declared.front) or "").partition("\n")[0] + "\n\n"


def _name(function: Callable[..., Any], namespace: str, name: str) -> None:
    function.__name__ = function.__qualname__ = name
    function.__module__ = ".".join(filter(None, ("dispatch_core.array_api", namespace)))
    FUNCTIONS[namespace][name] = function
