"""Arguments of the wrong kind: a call that failed is looked at again, and told so by a TypeError.

What an annotation says of an argument is not asked before the call, which would slow every one of them.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from dispatch_core._dispatcher.operator import Op
from dispatch_core._dispatcher.signature import spelled
from dispatch_core._dtypes import bool_
from dispatch_core._tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

_NUMBERS = ("bool", "int", "float", "Number")
_TEXTS = ("str", "str | None")
_INTS = ("Ints", "Sequence[int]")
_UNREADABLE = ("invalid literal for int", "could not convert string")
"""How Python begins to say that a string is no number."""
_UNCOUNTABLE = "cannot convert float"
"""How Python begins to say that infinity and NaN are no ints."""
_OWNERS = {"order": "dc.memory_format", "count": "tuple of ints"}
"""What has an attribute, where it is no tensor."""
_UNDECIDED = (
    "Boolean value of Tensor",
    "only one element tensors",
    "cannot be converted to Scalar",
)
"""How a tensor says that it is not one number."""


def refuse_kinds(
    op: Op,
    args: Sequence[Any],
    error: Exception,
    named: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Raise TypeError where an argument of a call that failed is not of the kind that it must be."""
    function = op.front.__wrapped__  # type: ignore[attr-defined]
    given = zip((p.name for p in op.params), args, strict=False)
    _refuse(op.title, function, [*given], named, error)


def telling(function: F) -> F:
    """Have a function that is no operator refuse arguments of the wrong kind as operators do."""

    @functools.wraps(function)
    def told(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except Exception as error:
            code = function.__code__
            names = code.co_varnames[: code.co_argcount]
            rest = code.co_varnames[len(names) + code.co_kwonlyargcount :][:1]  # that of *args
            given = list(zip(itertools.chain(names, itertools.cycle(rest)), args, strict=False))
            _refuse(f"{function.__name__}(): ", function, given, named, error)
            raise

    return told  # type: ignore[return-value]


def _refuse(
    title: str,
    function: Callable[..., Any],
    given: Sequence[tuple[str, Any]],
    named: Mapping[str, Any],
    error: Exception,
) -> None:
    if isinstance(error, TypeError):
        return
    for at, (name, value) in enumerate([*given, *named.items()], 1):
        annotation = spelled(function.__annotations__[name])
        wanted = _wanted(annotation, value, error)
        if wanted is None and annotation in _INTS:
            wanted, value = _odd(value)
        elif wanted is None and isinstance(value, Tensor):
            wanted = _instead_of_tensor(annotation, value, error)
        wanted = wanted or _missed(value, error)
        if wanted is not None:
            place = f" (position {at})" if at <= len(given) else ""
            raise TypeError(
                f"{title}argument '{name}'{place} must be {wanted}, not {type(value).__name__}"
            ) from error


def _missed(value: Any, error: Exception) -> str | None:
    """What should have been given instead of a value that lacks an attribute, or is no finite number."""
    if isinstance(value, float):
        return "int" if not math.isfinite(value) and str(error).startswith(_UNCOUNTABLE) else None
    if not isinstance(error, AttributeError) or error.obj is not value or isinstance(value, Tensor):
        return None
    return _OWNERS.get(str(error.name)) or ("Tensor" if hasattr(Tensor, str(error.name)) else None)


def _instead_of_tensor(annotation: str, value: Tensor, error: Exception) -> str | None:
    """What should have been given instead of a tensor: those of one number may stand for numbers."""
    kind = annotation.split(" | ", 1)[0]
    if kind == "Any" and value.ndim and any(words in str(error) for words in _UNDECIDED):
        return "a number"
    if kind not in _NUMBERS or "Tensor" in annotation:
        return None
    return kind if kind == "bool" or not _is_number(value, whole=kind == "int") else None


def _is_number(value: Tensor, *, whole: bool) -> bool:
    real = value.is_floating_point() or value.is_complex() or value.dtype is bool_
    return not value.ndim and not (whole and real)


def _odd(value: Any) -> tuple[str | None, Any]:
    """The element of some ints that is none, and what should have been given."""
    if value is None or isinstance(value, str):
        return "tuple of ints", value
    if isinstance(value, Tensor) and not _is_number(value, whole=True):
        return "tuple of ints", value
    if isinstance(value, (tuple, list)):
        for each in value:
            if (
                each is None
                or isinstance(each, str)
                or (isinstance(each, Tensor) and not _is_number(each, whole=True))
            ):
                return "tuple of ints only", each
    return None, value


def _wanted(annotation: str, value: Any, error: Exception) -> str | None:
    """What should have been given instead of a value; None where the value may be right."""
    if annotation in ("Tensor", "Tensor | None"):
        fits = isinstance(value, Tensor) or (value is None and annotation != "Tensor")
        return None if fits else "Tensor"
    if value is None and (annotation == "Any" or "None" in annotation):
        return None
    if annotation in _TEXTS:
        return None if isinstance(value, str) or isinstance(error, ValueError) else annotation
    if value is None:
        return annotation
    if not isinstance(value, str) or "str" in annotation:
        return None
    if annotation.split(" | ", 1)[0] in _NUMBERS:
        return annotation
    misread = isinstance(error, AttributeError) or str(error).startswith(_UNREADABLE)
    return "numbers" if misread else None
