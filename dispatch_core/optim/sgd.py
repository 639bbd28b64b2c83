"""`SGD`: stochastic gradient descent with momentum."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import (
    check_implementation,
    check_not_negative,
    check_one_element,
)
from dispatch_core.optim._core import Tensor, empty_like
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe, State
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["SGD"]


class SGD(FormulaOptimizer):
    """Stochastic gradient descent, optionally with (Nesterov) momentum.

    With g the gradient plus `weight_decay` times the parameter (negated by `maximize`), the buffer
    b = g at first and momentum * b + (1 - dampening) * g later, and the parameter loses lr * b;
    with `nesterov` lr * (g + momentum * b). (Sutskever et al. 2013 scale b by lr; this, like
    PyTorch, does not.)

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step. `foreach` and
    `fused` do not change results: a step is one fused call a group unless `fused=False`.

    Raises ValueError for negative options or Nesterov without momentum or with dampening, and
    RuntimeError for `fused` together with `foreach` or `differentiable`. Sparse gradients count as dense.
    """

    recipe = Recipe(
        "sgd_step_",
        state_options={"momentum_buffer": "momentum"},
        later_options={
            "nesterov": False,
            "maximize": False,
            "foreach": None,
            "differentiable": False,
            "fused": None,
        },
        numbers=(),
        takes_sparse=True,
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "Nesterov momentum requires a momentum and zero dampening, "
                f"but got momentum={momentum} and dampening={dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)

    def _state_of(self, param: Tensor, group: Group) -> State:
        """Nothing without momentum; where a buffer had to be made, a copy that says so."""
        if group["momentum"] == 0:
            return {}
        state: State = self.state[param]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = empty_like(param)
            state = {**state, "first": True}
        return state

    def _count(self, states: list[State], group: Group) -> list[Any]:
        """Only the first step differs, so no count is kept: 2 stands for every later one."""
        return [1 if "first" in state else 2 for state in states]
