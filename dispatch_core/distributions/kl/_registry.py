"""The table of divergences by pairs of classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from dispatch_core.distributions._core import Tensor
from dispatch_core.distributions.distribution import Distribution

Formula = Callable[[Any, Any], Any]
F = TypeVar("F", bound=Formula)
Pair = tuple[type, type]

_FORMULAS: dict[Pair, Formula] = {}
_FOUND: dict[Pair, Formula | None] = {}
"""What `_lookup` has answered since the last registration."""


def register_kl(type_p: type, type_q: type) -> Callable[[F], F]:
    """Decorate a function of (p, q) that gives KL(p || q) for these classes and their subclasses.

    Raises TypeError for classes that are no distributions.
    """
    for name, given in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(given, type) and issubclass(given, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {given}")

    def enter(formula: F) -> F:
        _FORMULAS[type_p, type_q] = formula
        _FOUND.clear()
        return formula

    return enter


def kl_divergence(p: Any, q: Any) -> Tensor:
    """KL(p || q), the mean under p of log p(x) - log q(x), of shape `batch_shape`.

    Of the formulas for superclasses the one for the nearest is taken; where that of p and that of q
    differ, p's, with a RuntimeWarning. Raises NotImplementedError where there is none.
    """
    pair = type(p), type(q)
    if pair not in _FOUND:
        _FOUND[pair] = _lookup(*pair)
    formula = _FOUND[pair]
    if formula is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {pair[0].__name__} and q type {pair[1].__name__}; "
            "add one with register_kl, or estimate it from samples and log_prob"
        )
    return formula(p, q)


def _lookup(type_p: type, type_q: type) -> Formula | None:
    fits = [
        pair for pair in _FORMULAS if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])
    ]
    if not fits:
        return None

    def distance_of_p(pair: Pair) -> tuple[int, int]:
        return type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])

    by_p = min(fits, key=distance_of_p)
    by_q = min(fits, key=lambda pair: distance_of_p(pair)[::-1])
    if _FORMULAS[by_p] is not _FORMULAS[by_q]:
        chosen, other = (f"{a.__name__}, {b.__name__}" for a, b in (by_p, by_q))
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please register_kl({chosen}) "
            f"or ({other}) for these classes themselves; the former is used",
            RuntimeWarning,
            stacklevel=3,
        )
    return _FORMULAS[by_p]
