"""Nested tuples, lists and dicts as a flat list of leaves and a structure that puts them back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_KINDS = (tuple, list, dict, OrderedDict)


@dataclass(frozen=True, slots=True)
class Structure:
    """How a value is nested; `kind` None is a leaf."""

    kind: type | None
    keys: tuple[Any, ...] = ()
    """Of a dict, in its order."""
    parts: tuple[Structure, ...] = ()

    def __str__(self) -> str:
        if self.kind is None:
            return "*"
        if self.keys:
            pairs = zip(self.keys, self.parts, strict=True)
            return "{" + ", ".join(f"{key!r}: {part}" for key, part in pairs) + "}"
        inner = ", ".join(map(str, self.parts))
        if self.kind is list:
            return f"[{inner}]"
        return f"({inner},)" if len(self.parts) == 1 else f"({inner})"


LEAF = Structure(None)


def flatten(value: Any) -> tuple[list[Any], Structure]:
    """The leaves of a value, in order, and its structure; what is no tuple, list or dict is a leaf."""
    leaves: list[Any] = []
    return leaves, _flatten(value, leaves)


def _flatten(value: Any, leaves: list[Any]) -> Structure:
    kind = value.__class__
    if kind not in _KINDS and not (isinstance(value, tuple) and hasattr(value, "_fields")):
        leaves.append(value)
        return LEAF
    if isinstance(value, dict):
        return Structure(kind, tuple(value), tuple(_flatten(v, leaves) for v in value.values()))
    return Structure(kind, (), tuple(_flatten(v, leaves) for v in value))


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """The value of a structure with these leaves."""
    return _unflatten(structure, iter(leaves))


def _unflatten(structure: Structure, leaves: Iterator[Any]) -> Any:
    kind: Any = structure.kind
    if kind is None:
        return next(leaves)
    parts = [_unflatten(part, leaves) for part in structure.parts]
    if issubclass(kind, dict):
        return kind(zip(structure.keys, parts, strict=True))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
