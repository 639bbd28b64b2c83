"""`SparseAdam`: Adam that moves only the rows which a sparse gradient names."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import check_betas, check_one_element, check_positive
from dispatch_core.optim._core import Tensor, zeros_like
from dispatch_core.optim._fused import fused_step
from dispatch_core.optim.optimizer import Group, GroupwiseOptimizer, ParamsT

__all__ = ["SparseAdam"]


class SparseAdam(GroupwiseOptimizer):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) for gradients that name a few rows of a parameter.

    `nn.Embedding(sparse=True)` and `nn.EmbeddingBag(sparse=True)` have them. Only those rows of the
    parameter and of its moments are read and written, as if the others had no gradient; the
    correction of the moments counts all steps. `eps` is added to sqrt(v) before the correction:
    rows lose lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps).
    `maximize` negates the gradient.

    Raises ValueError for options out of range and RuntimeError for dense gradients.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_positive("learning rate", lr)
        check_positive("epsilon value", eps)
        check_betas(betas)
        defaults = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, defaults)
        where = {
            (i, j): param
            for i, group in enumerate(self.param_groups)
            for j, param in enumerate(group["params"])
        }
        if found := [[*at] for at, param in where.items() if param.is_sparse]:
            raise ValueError(
                f"Sparse params at indices {found}: SparseAdam requires dense parameter tensors"
            )
        if found := [[*at] for at, param in where.items() if param.is_complex()]:
            raise ValueError(
                f"Complex params at indices {found}: SparseAdam does not support complex parameters"
            )

    def _update_group(self, group: Group) -> None:
        for param in group["params"]:
            grad: Any = param.grad
            if grad is None:
                continue
            if not grad.is_sparse:
                raise RuntimeError(
                    "SparseAdam does not support dense gradients, please consider Adam instead"
                )
            grad = grad.coalesce()
            self._update_rows(group, param, tuple(grad.indices()), grad.values())

    def _update_rows(
        self, group: Group, param: Tensor, index: tuple[Tensor, ...], grad: Tensor
    ) -> None:
        """Moves `param[index]`, each row of which is named once."""
        state = self.state[param]
        if not state:
            state.update(step=0, exp_avg=zeros_like(param), exp_avg_sq=zeros_like(param))
        state["step"] += 1
        whole = param, state["exp_avg"], state["exp_avg_sq"]
        picked, *moments = [tensor[index] for tensor in whole]
        beta1, beta2 = group["betas"]
        fused_step(
            "sparse_adam_step_",
            [picked],
            [grad],
            *[[rows] for rows in moments],
            steps=[state["step"]],
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            maximize=group["maximize"],
        )
        for tensor, rows in zip(whole, (picked, *moments), strict=True):
            tensor[index] = rows
