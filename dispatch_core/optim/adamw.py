"""`AdamW`: Adam whose weight decay acts on the parameters and not on the gradient."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._core import Tensor
from dispatch_core.optim.adam import Adam
from dispatch_core.optim.optimizer import ParamsT

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101).

    Each step first scales the parameter by 1 - lr * weight_decay; all else, errors included, is as
    in `Adam`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # State saved by Adam, or before the option existed, must not turn AdamW into Adam.
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
