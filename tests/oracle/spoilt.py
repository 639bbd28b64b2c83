"""Expressions that make an object, spoilt one argument at a time: typical mistakes of a user.

An expression is text, as `Conv2d(3, 4, 3)`, so that both libraries can evaluate it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any

LEFT_OUT = {"self", "device", "dtype", "_weight", "_freeze", "_random_samples"}
"""Arguments that are not spoilt: those common to all, and those that begin with an underscore."""


def spoilt(expression: str, names: dict[str, Any]) -> Iterator[str]:
    """The expression with one argument left out, superfluous, unknown, or of a wrong value."""
    call = ast.parse(expression, mode="eval").body
    assert isinstance(call, ast.Call)
    function = ast.unparse(call.func)
    given = [*map(ast.unparse, call.args)]
    named = {k.arg or "": ast.unparse(k.value) for k in call.keywords}

    def text(args: list[str], kwargs: dict[str, str]) -> str:
        return f"{function}({', '.join([*args, *(f'{k}={v}' for k, v in kwargs.items())])})"

    yield text(given, {**named, "nonsense": "1"})
    if given:
        yield text(given[1:], named)
    for at, value in enumerate(given):
        for wrong in wrong_values(value):
            yield text([*given[:at], wrong, *given[at + 1 :]], named)
    every = {**_defaults(eval(function, names), len(given)), **named}
    for name, value in every.items():
        for wrong in wrong_values(value):
            yield text(given, {**named, name: wrong})


def _defaults(function: Callable[..., Any], given: int) -> dict[str, str]:
    """Parameters that a call with so many positional arguments leaves to their defaults."""
    parameters = list(inspect.signature(function).parameters.values())[given:]
    return {
        p.name: repr(p.default)
        for p in parameters
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        and p.default is not p.empty
        and p.name not in LEFT_OUT
        and isinstance(p.default, (int, float, str, tuple, list, type(None)))
    }


def wrong_values(value: str) -> Iterator[str]:
    """Values that do not fit where one does."""
    try:
        literal = ast.literal_eval(value)
    except ValueError:
        yield from ("None", "'text'", "3")
        if value.startswith("tensor("):
            yield from (f"-{value}", f"{value}[0]", f"{value}[..., None]", f"{value}.long()")
        return
    if isinstance(literal, bool):
        return
    if isinstance(literal, int):
        yield from ("-1", "0", "-100", "2.5", "'text'", "None")
    elif isinstance(literal, float):
        yield from ("-1.0", "2.0", "'text'", "None")
    elif isinstance(literal, str):
        yield from ("'nonsense'", "3", "None")
    elif isinstance(literal, (tuple, list)):
        rest = literal[1:]
        yield from (repr(type(literal)(each)) for each in ([-1, *rest], [0, *rest], [*literal, 1]))
        yield from ("'text'", "-1")
    elif literal is None:
        yield from ("'nonsense'", "-1")
