"""`Adam`: adaptive steps from running averages of the gradient and of its square."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import (
    check_implementation,
    check_not_negative,
    check_one_element,
    dense_grad,
)
from dispatch_core.optim._core import Tensor, zeros_like
from dispatch_core.optim._counters import advance, new_counter, stays_on_device, tensor_counters
from dispatch_core.optim._fused import Rows, run_step, scalar
from dispatch_core.optim.optimizer import GroupwiseOptimizer, ParamsT

__all__ = ["Adam"]


class Adam(GroupwiseOptimizer):
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

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("amsgrad", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("capturable", False)
            group.setdefault("differentiable", False)
            group.setdefault("decoupled_weight_decay", False)
            group.setdefault("fused", None)
        tensor_counters(self.param_groups, self.state)

    def _update_group(self, group: dict[str, Any]) -> None:
        updates = []
        for param in group["params"]:
            grad = dense_grad(param, group, "Adam", ", please consider SparseAdam instead")
            if grad is not None:
                updates.append((param, grad, self._state_of(param, group)))
        counts = self._count_steps([state["step"] for _, _, state in updates], group)
        rows = Rows(5)
        for (param, grad, state), count in zip(updates, counts, strict=True):
            largest = state["max_exp_avg_sq"] if group["amsgrad"] else None
            rows.add(count, param, grad, state["exp_avg"], state["exp_avg_sq"], largest)
        beta1, beta2 = group["betas"]
        for steps, lists in rows.batches():
            run_step(
                group,
                "adam_step_",
                *lists,
                steps=steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                amsgrad=group["amsgrad"],
                maximize=group["maximize"],
                decoupled_weight_decay=group["decoupled_weight_decay"],
            )

    def _state_of(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state: dict[str, Any] = self.state[param]
        if not state:
            state["step"] = new_counter(param, group)
            state["exp_avg"] = zeros_like(param)
            state["exp_avg_sq"] = zeros_like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(param)
        return state

    def _count_steps(self, steps: list[Tensor], group: dict[str, Any]) -> list[Any]:
        """The number of this update for each counter: a float, or a tensor that was never read."""
        if not stays_on_device(group):
            return advance(steps)
        if any(step.requires_grad for step in steps):
            raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
        return [step.add_(1).clone() for step in steps]


def _check_betas(betas: tuple[Any, Any], plain: bool) -> None:
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(
                f"Invalid beta parameter at index {i}: {beta} (expected 0 <= beta < 1)"
            )
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
