"""`SGD`: stochastic gradient descent with momentum."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import (
    check_implementation,
    check_not_negative,
    check_one_element,
    dense_grad,
)
from dispatch_core.optim._core import Tensor, empty_like
from dispatch_core.optim._fused import Rows, run_step
from dispatch_core.optim.optimizer import GroupwiseOptimizer, ParamsT

__all__ = ["SGD"]


class SGD(GroupwiseOptimizer):
    """Stochastic gradient descent, optionally with (Nesterov) momentum.

    With g the gradient plus `weight_decay` times the parameter (negated by `maximize`), the buffer
    b = g at first and momentum * b + (1 - dampening) * g later, and the parameter loses lr * b;
    with `nesterov` lr * (g + momentum * b). (Sutskever et al. 2013 scale b by lr; this, like
    PyTorch, does not.)

    `lr` may be a one-element tensor. `differentiable` lets autograd record the step. `foreach` and
    `fused` do not change results: a step is one fused call a group unless `fused=False`.

    Raises ValueError for negative options or Nesterov without momentum or with dampening, and
    RuntimeError for `fused` together with `foreach` or `differentiable`, and for sparse gradients.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "Nesterov momentum requires a momentum and zero dampening, "
                f"but got momentum={momentum} and dampening={dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", None)

    def _update_group(self, group: dict[str, Any]) -> None:
        rows = Rows(3)
        for param in group["params"]:
            grad = dense_grad(param, group, "SGD")
            if grad is None:
                continue
            # Only the first step differs, so no count is kept: 2 stands for every later one.
            buffer, step = None, 2
            if group["momentum"] != 0:
                state = self.state[param]
                buffer = state.get("momentum_buffer")
                if buffer is None:
                    step = 1
                    buffer = state["momentum_buffer"] = empty_like(grad)
            rows.add(step, param, grad, buffer)
        for steps, lists in rows.batches():
            run_step(
                group,
                "sgd_step_",
                *lists,
                steps=steps,
                lr=group["lr"],
                momentum=group["momentum"],
                dampening=group["dampening"],
                weight_decay=group["weight_decay"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
            )
