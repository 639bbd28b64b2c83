"""`Adadelta`: steps in units of past steps."""

from __future__ import annotations

from dispatch_core.optim._checks import check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe
from dispatch_core.optim.optimizer import ParamsT

__all__ = ["Adadelta"]


class Adadelta(FormulaOptimizer):
    """Adadelta (Zeiler 2012, arXiv:1212.5701).

    With v and u the running averages, by `rho`, of the squares of the gradient g and of past steps,
    the step is d = sqrt(u + eps) / sqrt(v + eps) * g, and the parameter loses lr * d.
    `weight_decay` times the parameter is added to g, which `maximize` negates.

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the step counters on the parameters' device. `foreach` does not change results.

    Raises ValueError for negative options or rho above 1 and RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "adadelta_step_",
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
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho} (expected 0 <= rho <= 1)")
        check_not_negative("epsilon value", eps)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
