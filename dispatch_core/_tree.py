"""Nested structures of tuples, lists and dictionaries: taken apart into leaves, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Rebuild = Callable[[Iterator[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves in order, and a function that makes the same structure of an iterator of others."""
    leaves: list[Any] = []
    return leaves, _visit(tree, leaves)


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """`function` of each leaf, and of the leaves at the same place in trees of the same structure."""
    leaves, rebuild = flatten(tree)
    rest = [flatten(other)[0] for other in others]
    return rebuild(iter([function(*each) for each in zip(leaves, *rest, strict=True)]))


def spread(prefix: Any, tree: Any, name: str) -> list[Any]:
    """The leaf of `prefix` that stands for each leaf of `tree`; ValueError where they do not match.

    A leaf of `prefix` stands for everything below its place, as an `in_dims` of 0 does for all inputs.
    """
    children = _children(tree)
    if children is None:
        return [prefix]
    wanted = _children(prefix)
    if wanted is None:
        return [prefix] * len(flatten(tree)[0])
    if type(prefix) is not type(tree) or len(wanted) != len(children):
        raise ValueError(
            f"{name} does not have the structure of the values it is for: got {prefix!r} for a "
            f"{type(tree).__name__} of {len(children)}; give one int or None for all of them, or one "
            "for each"
        )
    if isinstance(prefix, Mapping) and list(prefix) != list(tree):
        raise ValueError(f"{name} has the keys {list(prefix)}, the values have {list(tree)}")
    return [leaf for p, t in zip(wanted, children, strict=True) for leaf in spread(p, t, name)]


def _children(tree: Any) -> list[Any] | None:
    if isinstance(tree, dict):
        return list(tree.values())
    return list(tree) if type(tree) in (tuple, list) or hasattr(tree, "_fields") else None


def _visit(tree: Any, leaves: list[Any]) -> Rebuild:
    children = _children(tree)
    if children is None:
        leaves.append(tree)
        return next
    parts = [_visit(child, leaves) for child in children]
    kind = type(tree)
    if isinstance(tree, dict):
        keys = list(tree)
        return lambda values: kind(zip(keys, [part(values) for part in parts], strict=True))
    if hasattr(tree, "_fields"):
        return lambda values: kind(*[part(values) for part in parts])
    return lambda values: kind(part(values) for part in parts)
