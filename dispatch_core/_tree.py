"""Nested tuples, lists and dicts as a flat list of leaves and a structure that puts them back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
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


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same structure with `function` of each leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])


def spread(prefix: Any, tree: Any, name: str) -> list[Any]:
    """The leaf of `prefix` that stands for each leaf of `tree`; ValueError where they do not match.

    A leaf of `prefix` stands for everything below its place, as an `in_dims` of 0 does for all inputs.
    """
    return _spread(prefix, flatten(prefix)[1], flatten(tree)[1], name)


def _spread(prefix: Any, given: Structure, wanted: Structure, name: str) -> list[Any]:
    if given.kind is None:
        return [prefix] * _count(wanted)
    if (
        given.kind is not wanted.kind
        or given.keys != wanted.keys
        or len(given.parts) != len(wanted.parts)
    ):
        raise ValueError(
            f"{name} does not have the structure of the values it is for: got {given} for {wanted}; "
            "give one int or None for all of them, or one for each"
        )
    children = prefix.values() if isinstance(prefix, dict) else prefix
    return [
        leaf
        for child, inner, outer in zip(children, given.parts, wanted.parts, strict=True)
        for leaf in _spread(child, inner, outer, name)
    ]


def _count(structure: Structure) -> int:
    return 1 if structure.kind is None else sum(map(_count, structure.parts))
