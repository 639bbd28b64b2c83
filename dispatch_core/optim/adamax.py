"""`Adamax`: Adam with the largest gradient in place of the second moment."""

from __future__ import annotations

from dispatch_core.optim._checks import check_betas, check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe
from dispatch_core.optim.optimizer import ParamsT

__all__ = ["Adamax"]


class Adamax(FormulaOptimizer):
    """Adamax (Kingma and Ba 2015, arXiv:1412.6980, section 7).

    With g the gradient plus `weight_decay` times the parameter (negated by `maximize`), m its
    running average by beta1 and u = max(beta2 * u, |g| + eps), the parameter loses in step t
    lr / (1 - beta1^t) * m / u.

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the step counters on the parameters' device and never reads them. `foreach` does not
    change results.

    Raises ValueError for options out of range and RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "adamax_step_",
        pairs={"betas": ("beta1", "beta2")},
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
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
