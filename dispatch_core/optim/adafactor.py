"""`Adafactor`: second moments of matrices kept as one row and one column."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._checks import check_at_least, check_one_element
from dispatch_core.optim._core import Tensor, finfo, zeros
from dispatch_core.optim._stepping import FormulaOptimizer, Recipe, State
from dispatch_core.optim.optimizer import Group, ParamsT

__all__ = ["Adafactor"]


class Adafactor(FormulaOptimizer):
    """Adafactor (Shazeer and Stern 2018, arXiv:1804.04235), with PyTorch's use of `lr` and `eps`.

    The second moment v moves towards the squared gradient by t^beta2_decay. Of a parameter of two
    or more dimensions only the means of rows and of columns are kept, r and c, and v = r * c / mean(r).
    With RMS the root of the mean square, the step is u = g / max(sqrt(v), eps[0]), divided by
    max(1, RMS(u) / d), and the parameter p loses lr * weight_decay * p and then
    max(eps[1], RMS(p)) * min(lr, 1 / sqrt(t)) * u. `eps[0]=None` stands for the precision of the
    parameter's dtype; `maximize` negates g.

    `lr` may be a one-element tensor. `foreach` does not change results.

    Raises ValueError for options out of range and RuntimeError for sparse gradients and complex
    parameters.
    """

    recipe = Recipe(
        "adafactor_step_",
        later_options={"foreach": None},
        takes_complex=False,
    )

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_one_element("lr", lr)
        check_at_least(0, "Learning rate", lr)
        if not beta2_decay <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None:
            check_at_least(0, "epsilon1", eps[0])
        check_at_least(0, "epsilon2", eps[1])
        check_at_least(1, "Clipping threshold d", d)
        check_at_least(0, "weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _start(self, state: State, param: Tensor, group: Group) -> None:
        shape, like = tuple(param.shape), {"dtype": param.dtype, "device": param.device}
        if len(shape) > 1:
            state["row_var"] = zeros((*shape[:-1], 1), **like)
            state["col_var"] = zeros((*shape[:-2], 1, shape[-1]), **like)
        else:
            state["variance"] = zeros(shape, **like)

    def _column(self, name: str, states: list[State], group: Group) -> list[Tensor | None]:
        return [state.get(name) for state in states]

    def _kind(self, param: Tensor) -> Any:
        return param.dim() > 1, super()._kind(param)

    def _hyper(self, group: Group, params: Any) -> dict[str, Any]:
        eps1, eps2 = group["eps"]
        eps1 = finfo(params[0].dtype).eps if eps1 is None else eps1
        return super()._hyper({**group, "eps1": eps1, "eps2": eps2}, params)
