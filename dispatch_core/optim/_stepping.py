"""`FormulaOptimizer`: what all optimizers share whose step is one formula over lists of tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from dispatch_core.optim._checks import check_gradient, check_real
from dispatch_core.optim._core import FORMULAS, Formula, Tensor, kind_of, zeros_like
from dispatch_core.optim._counters import advance, make_tensors, new_counter
from dispatch_core.optim._fused import batches, is_fused, run_step
from dispatch_core.optim._packs import Packs
from dispatch_core.optim.optimizer import Group, GroupwiseOptimizer, ParamsT

State = dict[str, Any]
_NONE: Any = MappingProxyType({})


class Recipe(NamedTuple):
    """What the signature of an optimizer's formula does not say."""

    step: str
    """The operator's name, in `dispatch_core/_steps`; its formula names state and hyper-parameters."""
    state_options: Mapping[str, str] = _NONE
    """State -> the option without which it is not kept."""
    pairs: Mapping[str, tuple[str, str]] = _NONE
    """Options that are pairs -> the names of their two numbers in the formula."""
    later_options: Mapping[str, Any] = _NONE
    """Options that old state dicts lack, with what they mean then."""
    takes_sparse: bool = False
    """Whether a sparse gradient counts as the dense one that it stands for."""
    sparse_hint: str = ""
    """What to use for sparse gradients where it does not."""
    numbers: tuple[str, ...] = ("step",)
    """State that is a number; `step` is counted."""
    takes_complex: bool = True
    """Whether complex parameters move like their two real parts; RuntimeError otherwise."""


class FormulaOptimizer(GroupwiseOptimizer):
    """An optimizer that updates each group by one formula.

    A subclass gives its `recipe`, its constructor, and how its state starts where not with zeros.
    """

    recipe: ClassVar[Recipe]
    _formula: ClassVar[Formula]
    _title: ClassVar[str]
    """What messages call it: the class that has the recipe."""
    _takes_vectors: ClassVar[bool]
    """Whether parameters may be updated as one: elements, and numbers of rows, all go the same way."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._formula = FORMULAS[cls.recipe.step]
        cls._takes_vectors = (
            cls._formula.elementwise and cls._row_numbers is FormulaOptimizer._row_numbers
        )
        if "recipe" in cls.__dict__:
            cls._title = cls.__name__

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)
        self._packs: defaultdict[int, Packs] = defaultdict(Packs)

    def __setstate__(self, state: State) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.recipe.later_options.items():
                group.setdefault(name, value)
        make_tensors(self.recipe.numbers, self.param_groups, self.state)
        self._packs = defaultdict(Packs)
        for group in self.param_groups:
            self._pack(group)

    def _update_group(self, group: Group) -> None:
        with_state = len(self.state)
        params, grads, states = [], [], []
        look = bool(group.get("fused")) or not self.recipe.takes_complex
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            if look or grad.is_sparse:
                grad = self._checked(grad, param, group)
            params.append(param)
            grads.append(grad)
            states.append(self._state_of(param, group))
        packs = self._packs.get(id(group))
        if packs and is_fused(group):
            with packs.joined(params, grads, states) as rows:
                self._update(*rows, group)
        else:
            self._update(params, grads, states, group)
        if len(self.state) != with_state:
            self._pack(group)

    def _pack(self, group: Group) -> None:
        """Packs what has state and can be packed; before anyone has seen that state."""
        if self._takes_vectors and is_fused(group):
            params = [param for param in group["params"] if self.state.get(param)]
            states = [self.state[param] for param in params]
            self._packs[id(group)].add(params, states, self._kind)

    def _update(
        self, params: list[Tensor], grads: list[Tensor], states: list[State], group: Group
    ) -> None:
        """Applies the formula to parameters, each with a gradient and its state."""
        formula = self._formula
        columns: list[list[Any]] = [params, grads]
        columns += [self._column(name, states, group) for name in formula.state]
        columns += self._row_numbers(states, group)
        for given in batches(columns, self._kind):
            lists = given[: 2 + len(formula.state)]
            rows = given[len(lists) :]
            named = {f"{name}s": row for name, row in zip(formula.rows, rows, strict=True)}
            run_step(group, self.recipe.step, *lists, **named, **self._hyper(group, lists[0]))

    def _checked(self, grad: Any, param: Tensor, group: Group) -> Tensor:
        """A dense gradient of `param`; RuntimeError for what the formula cannot use."""
        recipe = self.recipe
        if recipe.takes_sparse and grad.is_sparse:
            dense: Tensor = grad.to_dense()
            return dense
        check_gradient(grad, param, group, self._title, recipe.sparse_hint)
        if not recipe.takes_complex:
            check_real(param, self._title)
        return grad

    def _row_numbers(self, states: list[State], group: Group) -> list[list[Any]]:
        """Counts this step in all states and gives the numbers that each row has of its own.

        One list for each of the formula's.
        """
        counts = self._count(states, group)
        return [counts] if self._formula.rows else []

    def _count(self, states: list[State], group: Group) -> list[Any]:
        """The number of this step for each state: an int or, with `capturable`, a tensor."""
        if "step" not in self.recipe.numbers:
            return []
        return advance([state["step"] for state in states], group)

    def _column(self, name: str, states: list[State], group: Group) -> list[Tensor | None]:
        """The state of that name of all parameters; None where it has no use."""
        if not self._is_on(name, group):
            return [None] * len(states)
        return [state[name] for state in states]

    def _kind(self, param: Tensor) -> Any:
        """What parameters have in common that share a call."""
        return kind_of(param)

    def _hyper(self, group: Group, params: Any) -> dict[str, Any]:
        """The formula's hyper-parameters by name, for some parameters of one dtype."""
        split: dict[str, Any] = {}
        for option, names in self.recipe.pairs.items():
            split.update(zip(names, group[option], strict=True))
        return {name: split[name] if name in split else group[name] for name in self._formula.hyper}

    # -- state -------------------------------------------------------------------------------------

    def _is_on(self, name: str, group: Group) -> bool:
        """Whether the options of a group have a use for the state of that name."""
        option = self.recipe.state_options.get(name)
        return option is None or bool(group[option])

    def _state_of(self, param: Tensor, group: Group) -> State:
        state: State = self.state[param]
        if not state:
            if "step" in self.recipe.numbers:
                state["step"] = new_counter(param, group)
            self._start(state, param, group)
        return state

    def _start(self, state: State, param: Tensor, group: Group) -> None:
        """Makes the state of a parameter, in the order that PyTorch saves it in."""
        for name in self._formula.state:
            if self._is_on(name, group):
                state[name] = zeros_like(param)
