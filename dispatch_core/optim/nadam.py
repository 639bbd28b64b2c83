"""`NAdam`: Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import check_betas, check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor, nadam_momentum
from dispatch_core.optim._counters import new_number, read_number
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe, State
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["NAdam"]


class NAdam(FormulaOptimizer):
    """NAdam (Dozat 2016, "Incorporating Nesterov momentum into Adam").

    With m and v the running averages of the gradient g and its square by `betas`, momenta
    mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2) and M_t the product of mu_1 to mu_t, the
    parameter loses lr * n / (sqrt(v / (1 - beta2^t)) + eps), with
    n = mu_(t+1) * m / (1 - M_(t+1)) + (1 - mu_t) * g / (1 - M_t). `weight_decay` times the parameter
    is added to g or, with `decoupled_weight_decay`, times lr taken off the parameter (Loshchilov and
    Hutter 2019, arXiv:1711.05101). `maximize` negates g.

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the numbers in the state on the parameters' device and never reads them. `foreach` does
    not change results.

    Raises ValueError for options out of range and RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "nadam_step_",
        numbers=("step", "mu_product"),
        pairs={"betas": ("beta1", "beta2")},
        later_options={
            "maximize": False,
            "foreach": None,
            "capturable": False,
            "differentiable": False,
            "decoupled_weight_decay": False,
        },
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, state: State, param: Tensor, group: Group) -> None:
        state["mu_product"] = new_number(1.0, param, group)
        super()._start(state, param, group)

    def _row_numbers(self, states: list[State], group: Group) -> list[list[Any]]:
        beta1, decay = group["betas"][0], group["momentum_decay"]
        steps, products = self._count(states, group), []
        for state, step in zip(states, steps, strict=True):
            product = state["mu_product"].mul_(nadam_momentum(step, beta1, decay))
            products.append(read_number(product, group))
        return [steps, products]
