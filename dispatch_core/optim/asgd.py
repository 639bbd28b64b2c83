"""`ASGD`: gradient descent that keeps an average of the parameters beside them."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor
from dispatch_core.optim._counters import new_number, read_number, write_number
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe, State
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["ASGD"]


class ASGD(FormulaOptimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky 1992).

    With g the gradient plus `weight_decay` times the parameter p (negated by `maximize`), step t is
    p = (1 - lambd * eta) * p - eta * g, with eta = lr / (1 + lambd * lr * (t - 1))^alpha. The state
    `ax` is p until step `t0` and the average of all p since then.

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the numbers in the state on the parameters' device and never reads them. `foreach` does
    not change results.

    Raises ValueError for a negative `lr` or `weight_decay` and RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "asgd_step_",
        numbers=("step", "eta", "mu"),
        later_options={
            "foreach": None,
            "maximize": False,
            "differentiable": False,
            "capturable": False,
        },
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, state: State, param: Tensor, group: Group) -> None:
        state["eta"] = new_number(group["lr"], param, group)
        state["mu"] = new_number(1.0, param, group)
        super()._start(state, param, group)

    def _row_numbers(self, states: list[State], group: Group) -> list[list[Any]]:
        """The rates that the step before left; this step leaves those of the next."""
        rows = [[read_number(state[name], group) for state in states] for name in ("eta", "mu")]
        lr, lambd, alpha, t0 = (group[name] for name in ("lr", "lambd", "alpha", "t0"))
        for state, step in zip(states, self._count(states, group), strict=True):
            write_number(state["eta"], lr / (1 + lambd * lr * step) ** alpha)
            past = step - t0
            # A tensor, with `capturable`, is not asked which is larger.
            write_number(
                state["mu"], 1 / (past.clamp(min=1) if isinstance(past, Tensor) else max(past, 1))
            )
        return rows
