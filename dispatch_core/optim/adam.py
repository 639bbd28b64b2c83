"""`Adam`: adaptive steps from running averages of the gradient and of its square."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import (
    check_betas,
    check_implementation,
    check_not_negative,
    check_one_element,
)
from dispatch_core.optim._core import Tensor
from dispatch_core.optim._fused import scalar
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe
from dispatch_core.optim.optimizer import ParamsT

__all__ = ["Adam"]


class Adam(FormulaOptimizer):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980), and AdamW with `decoupled_weight_decay`.

    With m and v the running averages of the gradient and its square by `betas`, the parameter loses
    lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps); with `amsgrad` (Reddi et al. 2018)
    the largest v so far takes the place of v.

    `lr` and both `betas` may be one-element tensors. `differentiable` lets autograd record the
    step; `capturable` keeps the step counters on the parameters' device and never reads them.
    `foreach` and `fused` do not change results: a step is one fused call a group unless
    `fused=False`.

    Raises ValueError for options out of range, and RuntimeError for `fused` together with `foreach`
    or `differentiable`, and for sparse gradients.
    """

    recipe = Recipe(
        "adam_step_",
        state_options={"max_exp_avg_sq": "amsgrad"},
        pairs={"betas": ("beta1", "beta2")},
        later_options={
            "amsgrad": False,
            "maximize": False,
            "foreach": None,
            "capturable": False,
            "differentiable": False,
            "decoupled_weight_decay": False,
            "fused": None,
        },
        sparse_hint=", please consider SparseAdam instead",
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if foreach and not capturable:
            _check_plain("lr", lr)
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        _check_betas(betas, plain=bool(foreach) and not capturable)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": tuple(map(scalar, betas)),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)


def _check_betas(betas: tuple[Any, Any], plain: bool) -> None:
    check_betas(betas)
    if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, Tensor)):
        raise ValueError(
            "betas must be either both floats or both Tensors, "
            f"but got {betas[0]!r} and {betas[1]!r}"
        )
    for i, beta in enumerate(betas):
        if plain:
            _check_plain(f"betas[{i}]", beta)
        check_one_element(f"betas[{i}]", beta)


def _check_plain(name: str, value: Any) -> None:
    if isinstance(value, Tensor):
        raise ValueError(
            f"{name} as a Tensor is not supported for capturable=False and foreach=True; "
            "leave `foreach` out or give a float"
        )
