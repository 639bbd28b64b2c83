"""`Adagrad`: steps scaled by the sum of all squared gradients."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import check_implementation, check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor, full_like
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe, State
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["Adagrad"]


class Adagrad(FormulaOptimizer):
    """Adagrad (Duchi, Hazan and Singer 2011, JMLR 12).

    With g the gradient plus `weight_decay` times the parameter (negated by `maximize`) and s the
    sum of all g^2, from `initial_accumulator_value`, the parameter loses in step t
    lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps).

    State is made with the optimizer, not at the first step. `lr` may be a one-element tensor.
    `differentiable` lets autograd record the step. `foreach` and `fused` do not change results: a
    step is one fused call a group unless `fused=False`.

    Sparse gradients count as dense. Raises ValueError for negative options, and RuntimeError for
    `fused` together with `foreach` or `differentiable`, and for sparse gradients with weight decay.
    """

    recipe = Recipe(
        "adagrad_step_",
        takes_sparse=True,
        later_options={"foreach": None, "maximize": False, "differentiable": False, "fused": None},
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("lr_decay value", lr_decay)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("initial_accumulator_value value", initial_accumulator_value)
        check_not_negative("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)
        for group in self.param_groups:
            for param in group["params"]:
                self._state_of(param, group)
            self._pack(group)

    def _checked(self, grad: Any, param: Tensor, group: Group) -> Tensor:
        if group["weight_decay"] != 0 and grad.is_sparse:
            raise RuntimeError(
                "weight_decay option is not compatible with sparse gradients; "
                "make the gradient dense (Embedding(sparse=False)) or leave weight_decay at 0"
            )
        return super()._checked(grad, param, group)

    def _start(self, state: State, param: Tensor, group: Group) -> None:
        value = group["initial_accumulator_value"]
        state["sum"] = full_like(param, complex(value, value) if param.is_complex() else value)

    def share_memory(self) -> None:
        """Moves the state into memory that other processes see."""
        for state in self.state.values():
            for tensor in state.values():
                tensor.share_memory_()
