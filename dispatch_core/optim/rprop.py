"""`Rprop`: steps from the sign of the gradient alone."""

from __future__ import annotations

from dispatch_core.optim._checks import check_not_negative, check_one_element
from dispatch_core.optim._core import Tensor, full_like, zeros_like
from dispatch_core.optim._fused import number
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe, State
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["Rprop"]


class Rprop(FormulaOptimizer):
    """Resilient backpropagation (Riedmiller and Braun 1993).

    Each element has a step size, at first `lr`. Where the gradient keeps its sign, the size grows by
    the second of `etas`; where the sign turns, it shrinks by the first and the gradient counts as
    zero, in this step and as the next one's past; `step_sizes` bounds it. The parameter moves
    against the sign of the gradient (`maximize`: with it) by the step size.

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the step counters on the parameters' device. `foreach` does not change results.

    Raises ValueError for a negative `lr` or etas that are not 0 < shrink < 1 < grow, and
    RuntimeError for sparse gradients.
    """

    recipe = Recipe(
        "rprop_step_",
        pairs={"etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_size_min", "step_size_max")},
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
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(
                f"Invalid eta values: {etas[0]}, {etas[1]} (expected 0 < first < 1 < second)"
            )
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, state: State, param: Tensor, group: Group) -> None:
        lr = number(group["lr"])
        state["prev"] = zeros_like(param)
        state["step_size"] = full_like(param, complex(lr, lr) if param.is_complex() else lr)
