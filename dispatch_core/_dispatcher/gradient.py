"""Gradient formulas: what a declaration's `grad=` says, compiled to what is saved and what is called.

A formula is a function whose parameter names say what it needs: `g` (the gradient of the only output;
`gs` the tuple for several), `out` or `outs` (results), the operator's own parameters, `<name>_shape`
and `<name>_dtype` (of a tensor argument, without keeping the array), and `K`, the operators: `K.cos(x)`.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dispatch_core._dispatcher.signature import names_of
from dispatch_core._dtypes import dtype
from dispatch_core._errors import DeclarationError

Formula = Callable[..., Any]


class _NotDifferentiable:
    """Declares that an operator, or one of its arguments, has no derivative."""

    def __repr__(self) -> str:
        return "NOT_DIFFERENTIABLE"


NOT_DIFFERENTIABLE = _NotDifferentiable()

_K, _G, _FIRST = 0, 1, 2


class Part:
    """One formula: which arguments' gradients it gives, what it needs, how to call it."""

    __slots__ = ("_at", "call", "dtypes", "formula", "needs", "targets")

    def __init__(
        self,
        op: str,
        targets: tuple[int, ...],
        formula: Formula,
        places: dict[str, int],
        dtypes: Mapping[str, int],
    ) -> None:
        self.targets = targets
        self.formula = formula
        asked = names_of(formula)
        self.dtypes = {name: dtypes[name] for name in asked if name in dtypes}
        """The dtypes that the formula asks for: name -> place of the parameter."""
        names = tuple(name for name in asked if name not in dtypes)
        unknown = [name for name in names if name not in places]
        if unknown:
            raise DeclarationError(
                f"operator '{op}': a gradient formula asks for {', '.join(unknown)}; it may ask for "
                f"{', '.join(places)}"
            )
        if asked[: len(names)] != names:
            raise DeclarationError(
                f"operator '{op}': a gradient formula must ask for dtypes last, got {', '.join(asked)}"
            )
        self.needs = names
        self._at = tuple(places[name] for name in names)
        self.call = _caller(formula, self._at)

    def bound(self, dtypes: Mapping[int, dtype]) -> Part:
        """The formula with the dtypes of the parameters, by place, put in."""
        if not self.dtypes:
            return self
        made = copy.copy(self)
        made.formula = functools.partial(
            self.formula, **{name: dtypes[at] for name, at in self.dtypes.items()}
        )
        made.call = _caller(made.formula, self._at)
        return made


def _caller(formula: Formula, at: tuple[int, ...]) -> Callable[[Sequence[Any]], Any]:
    """`formula` as a function of the environment (K, g, saved...), without a loop for small arities."""
    if len(at) == 1:
        (a,) = at
        return lambda env: formula(env[a])
    if len(at) == 2:
        a, b = at
        return lambda env: formula(env[a], env[b])
    if len(at) == 3:
        a, b, c = at
        return lambda env: formula(env[a], env[b], env[c])
    return lambda env: formula(*[env[i] for i in at])


class Gradient:
    """The compiled gradient of one operator.

    The saved values of a node are laid out as: one entry per parameter, then the output(s), then the
    shapes of tensor parameters that formulas ask for; what no formula needs is saved as None.
    """

    def __init__(
        self,
        op: str,
        params: Sequence[str],
        tensors: Sequence[int],
        formulas: Mapping[str | tuple[str, ...], Any],
        outputs: int,
    ) -> None:
        names = list(params)
        self.out_at = len(names)
        names.append("out" if outputs == 1 else "outs")
        self.shape_at = {at: len(names) + i for i, at in enumerate(tensors)}
        names += [f"{params[at]}_shape" for at in tensors]
        places = {"K": _K, "g" if outputs == 1 else "gs": _G}
        places |= {name: _FIRST + i for i, name in enumerate(names)}
        dtypes = {f"{params[at]}_dtype": at for at in tensors}
        parts: list[Part] = []
        stated: dict[int, bool] = {}
        for target, formula in formulas.items():
            group = (target,) if isinstance(target, str) else target
            for name in group:
                if name not in params or params.index(name) not in tensors:
                    raise DeclarationError(
                        f"operator '{op}': gradient given for '{name}', which is no tensor parameter"
                    )
                stated[params.index(name)] = formula is not NOT_DIFFERENTIABLE
            if formula is not NOT_DIFFERENTIABLE:
                parts.append(Part(op, tuple(params.index(n) for n in group), formula, places, dtypes))
        missing = [params[at] for at in tensors if at not in stated]
        if missing:
            raise DeclarationError(
                f"operator '{op}': no gradient stated for {', '.join(missing)}; "
                "give a formula or NOT_DIFFERENTIABLE"
            )
        self.parts = tuple(parts)
        self.width = len(names)
        self.differentiable = frozenset(at for at, yes in stated.items() if yes)
        self._names = names

    def needed(self, targets: frozenset[int]) -> tuple[tuple[Part, ...], frozenset[int]]:
        """The formulas for some arguments' gradients, and the places of what they need saved."""
        parts = tuple(part for part in self.parts if targets.intersection(part.targets))
        wanted = {name for part in parts for name in part.needs}
        return parts, frozenset(i for i, name in enumerate(self._names) if name in wanted)

    def keeps(self, at: int) -> bool:
        """Whether some formula needs the array of parameter `at`."""
        return any(self._names[at] in part.needs for part in self.parts)
