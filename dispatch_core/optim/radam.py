"""`RAdam`: Adam that uses the second moment only once its variance is known."""

from __future__ import annotations

from dispatch_core.optim._checks import check_betas, check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe
from dispatch_core.optim.optimizer import ParamsT

__all__ = ["RAdam"]


class RAdam(FormulaOptimizer):
    """Rectified Adam (Liu et al. 2020, arXiv:1908.03265).

    With m and v the running averages of the gradient g and its square by `betas`,
    R = 2 / (1 - beta2) - 1 and r = R - 2 * t * beta2^t / (1 - beta2^t), the parameter loses
    lr * m / (1 - beta1^t) and, once r > 5, that times sqrt(1 - beta2^t) / (sqrt(v) + eps) and
    sqrt((r - 4) * (r - 2) * R / ((R - 4) * (R - 2) * r)). `weight_decay` times the parameter is
    added to g or, with `decoupled_weight_decay`, times lr taken off the parameter (Loshchilov and
    Hutter 2019, arXiv:1711.05101). `maximize` negates g.

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the step counters on the parameters' device and never reads them. `foreach` does not
    change results.

    Raises ValueError for options out of range and RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "radam_step_",
        pairs={"betas": ("beta1", "beta2")},
        later_options={
            "foreach": None,
            "maximize": False,
            "differentiable": False,
            "decoupled_weight_decay": False,
            "capturable": False,
        },
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
