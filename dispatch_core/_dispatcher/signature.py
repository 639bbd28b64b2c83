"""Signatures of plain functions, read off their code objects.

`inspect.signature` gives the same and takes ten times as long, which hundreds of declarations make
the larger part of an import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()
"""The default of a parameter that has none."""


class Parameter(NamedTuple):
    """One parameter of a function."""

    name: str
    annotation: str
    default: Any
    keyword_only: bool


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The parameters of a plain function by name, in order; annotations as the source has them.

    Of a function that `functools.wraps` another, those of the other; of one that was made for its
    declaration, what it has as `declared_parameters`.
    """
    declared: dict[str, Parameter] | None = getattr(function, "declared_parameters", None)
    if declared is not None:
        return declared
    function = getattr(function, "__wrapped__", function)
    code = function.__code__
    annotations = function.__annotations__
    positional = names_of(function)
    defaults = function.__defaults__ or ()
    first = len(positional) - len(defaults)
    found = {
        name: Parameter(
            name,
            spelled(annotations.get(name)),
            defaults[i - first] if i >= first else REQUIRED,
            False,
        )
        for i, name in enumerate(positional)
    }
    given = function.__kwdefaults__ or {}
    for name in code.co_varnames[len(positional) : len(positional) + code.co_kwonlyargcount]:
        annotation = spelled(annotations.get(name))
        found[name] = Parameter(name, annotation, given.get(name, REQUIRED), True)
    return found


_NUMBERS = {"bool", "int", "float", "complex"}


def spelled(annotation: Any) -> str:
    """An annotation as declarations spell it, whether its module postpones evaluation or not."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    parts = {spelled(part) for part in get_args(annotation)}
    if "Tensor" in parts and get_origin(annotation) in (UnionType, Union):
        number = " | Number" if parts & _NUMBERS else ""
        return f"Tensor{number}{' | None' if 'NoneType' in parts else ''}"
    if parts == {"int", "Sequence[int]"}:
        return "Ints"
    if get_origin(annotation) in (Sequence, list, tuple) and len(parts - {"Ellipsis"}) == 1:
        return f"Sequence[{next(iter(parts - {'Ellipsis'}))}]"
    return str(annotation)


def names_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a plain function's positional parameters."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]
