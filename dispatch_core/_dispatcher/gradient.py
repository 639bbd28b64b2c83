"""Gradient formulas: what a declaration's `grad=` says, compiled to what is saved and what is called.

A formula is a function whose parameter names say what it needs: `g` (the gradient of the only output;
`gs` the tuple for several), `out`, or of several results `outs` (all) and `out0`, `out1` ... (one, the
others are not kept), the operator's own parameters, `<name>_shape`, `<name>_dtype` and `<name>_layout`
(strides and offset; of a tensor argument, without keeping the array), and `K`, the operators: `K.cos(x)`.
"""

from __future__ import annotations

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

_K, _G = -2, -1


class Part:
    """One formula: which arguments' gradients it gives, what it needs, how to call it."""

    __slots__ = ("at", "call", "dtypes", "formula", "needs", "targets")

    def __init__(
        self,
        targets: tuple[int, ...],
        formula: Formula,
        needs: tuple[str, ...],
        at: tuple[int, ...],
        dtypes: Mapping[str, int],
    ) -> None:
        self.targets = targets
        self.formula = formula
        self.needs = needs
        self.at = at
        self.dtypes = dtypes
        """The dtypes that the formula asks for: name -> place of the parameter."""

    def __getattr__(self, name: str) -> Any:
        """`call(K, g, saved)`, the formula's value; made at its first use."""
        if name != "call":
            raise AttributeError(name)
        self.call = _caller(_picking(self.formula, self.needs), self.at)
        return self.call

    def bound(self, dtypes: Mapping[int, dtype]) -> Part:
        """The formula with the dtypes of the parameters, by place, put in."""
        if not self.dtypes:
            return self
        formula, names = self.formula, self.needs
        known = {name: dtypes[at] for name, at in self.dtypes.items()}

        def given(*values: Any) -> Any:
            return formula(**dict(zip(names, values, strict=True)), **known)

        return Part(self.targets, given, names, self.at, {})


def _output_number(name: str) -> int | None:
    """1 for "out1"; None for any other name."""
    number = name.removeprefix("out")
    return int(number) if name.startswith("out") and number.isdigit() else None


def _picking(formula: Formula, needs: Sequence[str]) -> Formula:
    """The formula, given all outputs where it asks for one of them."""
    picks = [_output_number(name) for name in needs]
    if not any(pick is not None for pick in picks):
        return formula

    def picked(*values: Any) -> Any:
        return formula(*[v if i is None else v[i] for v, i in zip(values, picks, strict=True)])

    return picked


def declared_part(
    op: str,
    targets: tuple[int, ...],
    formula: Formula,
    places: Mapping[str, int],
    dtypes: Mapping[str, int],
) -> Part:
    """A formula as a declaration gives it; DeclarationError where it asks for what there is not."""
    asked = names_of(formula)
    needs = tuple(name for name in asked if name not in dtypes)
    unknown = [name for name in needs if name not in places]
    if unknown:
        raise DeclarationError(
            f"operator '{op}': a gradient formula asks for {', '.join(unknown)}; it may ask for "
            f"{', '.join(places)}"
        )
    wanted = {name: dtypes[name] for name in asked if name in dtypes}
    return Part(targets, formula, needs, tuple(places[name] for name in needs), wanted)


def _caller(formula: Formula, at: tuple[int, ...]) -> Callable[[Any, Any, Sequence[Any]], Any]:
    """`formula` as a function of (K, g, saved values), without a loop for the usual arities."""
    if at == (_G,):
        return lambda K, g, saved: formula(g)
    if len(at) == 2 and at[0] == _G and at[1] >= 0:
        (_, a) = at
        return lambda K, g, saved: formula(g, saved[a])
    if len(at) == 3 and at[0] == _G and min(at[1:]) >= 0:
        (_, a, b) = at
        return lambda K, g, saved: formula(g, saved[a], saved[b])
    if at == (_K, _G):
        return lambda K, g, saved: formula(K, g)
    if len(at) == 3 and at[:2] == (_K, _G):
        (_, _, a) = at
        return lambda K, g, saved: formula(K, g, saved[a])
    if len(at) == 4 and at[:2] == (_K, _G):
        (_, _, a, b) = at
        return lambda K, g, saved: formula(K, g, saved[a], saved[b])
    if len(at) == 5 and at[:2] == (_K, _G):
        (_, _, a, b, c) = at
        return lambda K, g, saved: formula(K, g, saved[a], saved[b], saved[c])

    def call(K: Any, g: Any, saved: Sequence[Any]) -> Any:
        ends = {_K: K, _G: g}
        return formula(*[saved[i] if i >= 0 else ends[i] for i in at])

    return call


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
        self._outputs = outputs
        names = list(params)
        self.out_at = len(names)
        names.append("out" if outputs == 1 else "outs")
        names += [f"{params[at]}_shape" for at in tensors]
        self.layouts_at = len(names)
        names += [f"{params[at]}_layout" for at in tensors]
        places = {"K": _K, "g" if outputs == 1 else "gs": _G}
        places |= {name: i for i, name in enumerate(names)}
        if outputs != 1:
            places |= {f"out{i}": self.out_at for i in range(outputs)}
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
                at = tuple(params.index(n) for n in group)
                parts.append(declared_part(op, at, formula, places, dtypes))
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
        wanted = {
            "outs" if _output_number(name) is not None else name
            for part in parts
            for name in part.needs
        }
        return parts, frozenset(i for i, name in enumerate(self._names) if name in wanted)

    def kept_outputs(self, parts: Sequence[Part]) -> frozenset[int]:
        """Which of several outputs the formulas need."""
        names = {name for part in parts for name in part.needs}
        if "outs" in names:
            return frozenset(range(self._outputs))
        numbers = {_output_number(name) for name in names}
        return frozenset(number for number in numbers if number is not None)

    def keeps(self, at: int) -> bool:
        """Whether some formula needs the array of parameter `at`."""
        return any(self._names[at] in part.needs for part in self.parts)
