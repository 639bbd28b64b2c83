"""`CyclicLR`: rates that go up and down between two bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from dispatch_core.optim.lr_scheduler._base import (
    LRScheduler,
    Rate,
    check_optimizer,
    function_state,
    per_group,
    set_group_value,
    warn_outside_step,
)
from dispatch_core.optim.lr_scheduler._momentum import momentum_range, set_momentum, uses_beta1
from dispatch_core.optim.optimizer import Optimizer


class CyclicLR(LRScheduler):
    """Cycles the rates between `base_lr` and `max_lr`, batch by batch (Smith, arXiv:1506.01186).

    One cycle is `step_size_up` steps up and `step_size_down` (default: as many) down. `mode` says
    how the height changes: "triangular" not at all, "triangular2" halves it every cycle,
    "exp_range" multiplies it by `gamma` every step; `scale_fn`, of the cycle or of the step as
    `scale_mode` says ("cycle", "iterations"), takes its place. With `cycle_momentum` the momentum
    (or the first beta) moves the other way between `max_momentum` and `base_momentum`.

    Raises ValueError for an unknown mode, for lists that do not match the groups, and for an
    optimizer without momentum when that is to be cycled.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer(optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_group_value(group, "lr", lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)

        up = float(step_size_up)
        down = float(step_size_down) if step_size_down is not None else up
        self.total_size = up + down
        self.step_ratio = up / self.total_size

        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(
                f"mode is invalid and scale_fn is None: mode={mode!r}, expected 'triangular', "
                "'triangular2' or 'exp_range'"
            )
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_ref: Callable[[float], float]
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()

        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(optimizer)
            self.base_momentums, self.max_momentums = momentum_range(
                optimizer, self.use_beta1, base_momentum, max_momentum, start=last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self) -> None:
        if self._scale_fn_custom is not None:
            return
        if self.mode == "exp_range":
            self._scale_fn_ref = partial(_exp_range, self.gamma)
            self.scale_mode = "iterations"
        else:
            self._scale_fn_ref = _halving if self.mode == "triangular2" else _constant
            self.scale_mode = "cycle"

    def scale_fn(self, x: float) -> float:
        """The height at cycle or step `x`, as a part of the full one."""
        custom = self._scale_fn_custom
        return self._scale_fn_ref(x) if custom is None else custom(x)

    def get_lr(self) -> list[Rate]:
        """The rates at batch `last_epoch`; sets the momentum of the groups, too."""
        warn_outside_step(self)
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        if x <= self.step_ratio:
            position = x / self.step_ratio
        else:
            position = (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                set_momentum(group, self.use_beta1, high - (high - low) * position * scale)
        return [
            low + (high - low) * position * scale
            for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Every attribute except the optimizer; None in place of a plain scale function."""
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        custom = state["_scale_fn_custom"]
        state["_scale_fn_custom"] = None if custom is None else function_state(custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned; a plain scale function stays as it is."""
        attributes = state_dict["_scale_fn_custom"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if attributes is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(attributes)
        self._init_scale_fn()


def _constant(cycle: float) -> float:
    return 1.0


def _halving(cycle: float) -> float:
    return float(1 / (2.0 ** (cycle - 1)))


def _exp_range(gamma: float, step: float) -> float:
    return float(gamma**step)
