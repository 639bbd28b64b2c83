"""`Muon`: steps by the momentum of a matrix, made orthogonal."""

from __future__ import annotations

from dispatch_core.optim._checks import check_at_least, check_one_element
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["Muon"]


class Muon(FormulaOptimizer):
    """Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon), for matrices in hidden layers.

    With m the running average of the gradient g by `momentum` (`nesterov`: that of g and m once
    more), the parameter p loses lr * weight_decay * p and then r * O(m). O makes all singular values
    about 1 by `ns_steps` of Newton and Schulz's iteration x = a * x + (b * A + c * A^2) x with
    A = x x^T and (a, b, c) = `ns_coefficients`, from x = m / max(|m|, eps), in the precision of
    bfloat16. For A rows and B columns, r is lr * sqrt(max(1, A / B)) with `adjust_lr_fn` None or
    "original", and 0.2 * lr * sqrt(max(A, B)) with "match_rms_adamw" (Liu et al. 2025,
    arXiv:2502.16982).

    Raises ValueError for options out of range and parameters that are no matrices, and RuntimeError
    for sparse gradients and complex parameters.
    """

    recipe = Recipe(
        "muon_step_",
        numbers=(),
        takes_complex=False,
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_one_element("lr", lr)
        check_at_least(0, "Learning rate", lr)
        check_at_least(0, "momentum", momentum)
        check_at_least(0, "weight decay", weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Adjust learning rate function {adjust_lr_fn} is not supported; "
                "give 'original', 'match_rms_adamw' or None"
            )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.dim() != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{param.shape}; give the others to AdamW"
                    )

    def _update_group(self, group: Group) -> None:
        if group["ns_steps"] >= 100:
            raise ValueError(
                "Number of steps must be less than 100 for computational efficiency, "
                f"but got ns_steps={group['ns_steps']}"
            )
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(
                "Coefficients must be a tuple of exactly 3 values, "
                f"but got ns_coefficients={group['ns_coefficients']}"
            )
        super()._update_group(group)
