"""`RMSprop`: steps scaled by a running average of squared gradients."""

from __future__ import annotations

from dispatch_core.optim._checks import check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe
from dispatch_core.optim.optimizer import ParamsT

__all__ = ["RMSprop"]


class RMSprop(FormulaOptimizer):
    """RMSprop (Hinton, lecture 6 of "Neural networks for machine learning"; centered: Graves 2013).

    With v the running average of the squared gradient by `alpha`, less the squared average of the
    gradient when `centered`, the parameter loses lr * g / (sqrt(v) + eps), or with `momentum` lr
    times the buffer b = momentum * b + g / (sqrt(v) + eps).

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the step counters on the parameters' device. `foreach` does not change results.

    Raises ValueError for negative options and RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "rmsprop_step_",
        state_options={"momentum_buffer": "momentum", "grad_avg": "centered"},
        later_options={
            "momentum": 0,
            "centered": False,
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
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
