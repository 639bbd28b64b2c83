"""Signatures of plain functions, read off their code objects.

`inspect.signature` gives the same and takes ten times as long, which hundreds of declarations make the
larger part of an import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()
"""The default of a parameter that has none."""


class Parameter(NamedTuple):
    """One parameter of a function."""

    name: str
    annotation: str
    default: Any
    keyword_only: bool


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The parameters of a plain function by name, in order; annotations as the source has them."""
    code = function.__code__
    annotations = function.__annotations__
    positional = names_of(function)
    defaults = function.__defaults__ or ()  # type: ignore[attr-defined]
    first = len(positional) - len(defaults)
    found = {
        name: Parameter(
            name, str(annotations.get(name)), defaults[i - first] if i >= first else REQUIRED, False
        )
        for i, name in enumerate(positional)
    }
    given = function.__kwdefaults__ or {}  # type: ignore[attr-defined]
    for name in code.co_varnames[len(positional) : len(positional) + code.co_kwonlyargcount]:
        annotation = str(annotations.get(name))
        found[name] = Parameter(name, annotation, given.get(name, REQUIRED), True)
    return found


def names_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a plain function's positional parameters."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]
