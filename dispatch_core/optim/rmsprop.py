"""`RMSprop`: steps scaled by a running average of squared gradients."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import check_not_negative, check_one_element, dense_grad
from dispatch_core.optim._core import Tensor, zeros_like
from dispatch_core.optim._counters import new_counter, tensor_counters
from dispatch_core.optim._fused import Rows, run_step
from dispatch_core.optim.optimizer import GroupwiseOptimizer, ParamsT

__all__ = ["RMSprop"]


class RMSprop(GroupwiseOptimizer):
    """RMSprop (Hinton, lecture 6 of "Neural networks for machine learning"; centered: Graves 2013).

    With v the running average of the squared gradient by `alpha`, less the squared average of the
    gradient when `centered`, the parameter loses lr * g / (sqrt(v) + eps), or with `momentum` lr
    times the buffer b = momentum * b + g / (sqrt(v) + eps).

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step; `capturable`
    keeps the step counters on the parameters' device. `foreach` does not change results.

    Raises ValueError for negative options and RuntimeError for sparse gradients.
    """

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

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("momentum", 0)
            group.setdefault("centered", False)
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            group.setdefault("capturable", False)
        tensor_counters(self.param_groups, self.state)

    def _update_group(self, group: dict[str, Any]) -> None:
        rows = Rows(5)
        for param in group["params"]:
            grad = dense_grad(param, group, "RMSprop")
            if grad is None:
                continue
            state = self._state_of(param, group)
            state["step"].add_(1)
            average = state["grad_avg"] if group["centered"] else None
            buffer = state["momentum_buffer"] if group["momentum"] > 0 else None
            rows.add(None, param, grad, state["square_avg"], average, buffer)
        for _, lists in rows.batches():
            run_step(
                group,
                "rmsprop_step_",
                *lists,
                lr=group["lr"],
                alpha=group["alpha"],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                centered=group["centered"],
                maximize=group["maximize"],
            )

    def _state_of(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state: dict[str, Any] = self.state[param]
        if not state:
            state["step"] = new_counter(param, group)
            state["square_avg"] = zeros_like(param)
            if group["momentum"] > 0:
                state["momentum_buffer"] = zeros_like(param)
            if group["centered"]:
                state["grad_avg"] = zeros_like(param)
        return state
