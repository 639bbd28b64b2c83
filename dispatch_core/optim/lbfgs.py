"""`LBFGS`: a quasi-Newton method that remembers some past steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.optim._checks import check_not_negative, check_one_element
from dispatch_core.optim._core import (
    Tensor,
    cat,
    enable_grad,
    no_grad,
    zeros,
)
from dispatch_core.optim._fused import number, real
from dispatch_core.optim._line_search import Point, strong_wolfe
from dispatch_core.optim.optimizer import Optimizer, ParamsT

__all__ = ["LBFGS"]

Closure = Callable[[], Any]


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal 1980; Liu and Nocedal 1989).

    Each iteration moves all parameters by t * d. The direction d is the negative gradient times an
    approximate inverse of the Hessian, made from the last `history_size` steps s and changes y of
    the gradient by the two-loop recursion, from s.y / y.y times the identity. Steps without
    s.y > 1e-10 are not remembered. The length t is `lr` (at first min(1, 1 / |g|_1) * lr) or, with
    `line_search_fn="strong_wolfe"`, found from there by a line search.

    A call of `step` makes at most `max_iter` iterations with at most `max_eval` (default:
    max_iter * 5 / 4) calls of the closure, and ends where no element of the gradient is above
    `tolerance_grad` or neither step nor loss changes by more than `tolerance_change`. Complex
    parameters count as two real ones.

    There is one parameter group; state is kept with the first parameter. Raises ValueError for more
    groups and a negative `lr`, and RuntimeError for an unknown line search.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_one_element("lr", lr)
        check_not_negative("learning rate", lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups), "
                f"but got {len(self.param_groups)} groups; give one list of parameters"
            )

    def step(self, closure: Closure) -> Any:  # type: ignore[override]  # it cannot do without
        """Performs up to `max_iter` iterations; `closure` re-evaluates the model.

        It clears the gradients, computes the loss and its gradients, and returns the loss. What it
        returned at first is returned.
        """
        group = self.param_groups[0]
        search = group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError(
                f"only 'strong_wolfe' is supported, but got line_search_fn={search!r}"
            )
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> Any:
            with enable_grad():
                return closure()

        with no_grad():
            first = evaluate()
            state["func_evals"] += 1
            grad = self._gradient()
            if _largest(grad) > group["tolerance_grad"]:
                self._iterate(evaluate, Point(0.0, float(first), grad, 0.0))
        return first

    def _iterate(self, closure: Closure, point: Point) -> None:
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(point.grad)
            state["d"] = direction
            state["prev_flat_grad"] = point.grad.clone()
            state["prev_loss"] = point.loss
            lr = number(group["lr"])
            state["t"] = lr
            if state["n_iter"] == 1:
                state["t"] = min(1.0, 1.0 / float(point.grad.abs().sum())) * lr
            slope = float(point.grad.dot(direction))
            if slope > -group["tolerance_change"]:
                break

            before = point._replace(t=0.0, slope=slope)
            last = iteration == group["max_iter"]
            if group["line_search_fn"] is None:
                point, calls = self._moved(closure, before, direction, last)
            else:
                left = group["max_eval"] - evaluations
                point, calls = self._searched(closure, before, direction, left)
            state["t"] = point.t
            state["func_evals"] += calls
            evaluations += calls
            if (
                last
                or evaluations >= group["max_eval"]
                or _largest(point.grad) <= group["tolerance_grad"]
                or _largest(direction) * abs(point.t) <= group["tolerance_change"]
                or abs(point.loss - before.loss) < group["tolerance_change"]
            ):
                break

    # -- direction -------------------------------------------------------------------------------

    def _direction(self, grad: Tensor) -> Tensor:
        """Minus the gradient times the approximate inverse Hessian, after remembering the last step."""
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return grad.neg()
        changes, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        change = grad - state["prev_flat_grad"]
        step = state["d"] * state["t"]
        curvature = change.dot(step)
        if curvature > 1e-10:
            if len(changes) == group["history_size"]:
                for column in (changes, steps, ro):
                    del column[0]
            changes.append(change)
            steps.append(step)
            ro.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)

        along: list[Any] = [None] * group["history_size"]
        state["al"] = along
        result = grad.neg()
        for i in reversed(range(len(changes))):
            along[i] = steps[i].dot(result) * ro[i]
            result = result - changes[i] * along[i]
        result = result * state["H_diag"]
        for i in range(len(changes)):
            across = changes[i].dot(result) * ro[i]
            result = result + steps[i] * (along[i] - across)
        return result

    # -- moving ----------------------------------------------------------------------------------

    def _moved(
        self, closure: Closure, start: Point, direction: Tensor, last: bool
    ) -> tuple[Point, int]:
        """The parameters moved by the state's `t`: where they are now, and how often it was asked.

        After the last iteration nobody asks.
        """
        t = self.state[self.param_groups[0]["params"][0]]["t"]
        self._add(direction, t)
        if last:
            return start._replace(t=t), 0
        return Point(t, float(closure()), self._gradient(), 0.0), 1

    def _searched(
        self, closure: Closure, start: Point, direction: Tensor, left: int
    ) -> tuple[Point, int]:
        """The same with a line search that begins at the state's `t`."""
        kept = [param.clone() for param in self._real_params()]

        def evaluate(t: float) -> Point:
            self._add(direction, t)
            loss, grad = float(closure()), self._gradient()
            for param, before in zip(self._real_params(), kept, strict=True):
                param.copy_(before)
            return Point(t, loss, grad, float(grad.dot(direction)))

        group = self.param_groups[0]
        first = self.state[group["params"][0]]["t"]
        scale, tolerance = _largest(direction), group["tolerance_change"]
        found, calls = strong_wolfe(evaluate, start, first, scale, tolerance, left)
        self._add(direction, found.t)
        return found, calls

    def _real_params(self) -> list[Tensor]:
        return [real(param) for param in self.param_groups[0]["params"]]

    def _gradient(self) -> Tensor:
        """All gradients in one vector."""
        parts = []
        for param in self.param_groups[0]["params"]:
            grad = param.grad
            if grad is None:
                count = param.numel() * (2 if param.is_complex() else 1)
                parts.append(zeros(count, dtype=param.dtype.to_real(), device=param.device))
                continue
            parts.append(real(grad.to_dense() if grad.is_sparse else grad).reshape(-1))
        return cat(parts)

    def _add(self, direction: Tensor, t: float) -> None:
        begin = 0
        for param in self._real_params():
            end = begin + param.numel()
            param.add_(direction[begin:end].view_as(param), alpha=t)
            begin = end


def _largest(vector: Tensor) -> float:
    return float(vector.abs().max())
