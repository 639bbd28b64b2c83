"""`OneCycleLR`: one rise and one long fall of the rate over the whole training."""

from __future__ import annotations

import math
from typing import Any, Literal, TypedDict

from dispatch_core.optim.lr_scheduler._base import (
    LRScheduler,
    Rate,
    check_optimizer,
    per_group,
    warn_outside_step,
)
from dispatch_core.optim.lr_scheduler._momentum import momentum_range, set_momentum, uses_beta1
from dispatch_core.optim.optimizer import Optimizer


class _Phase(TypedDict):
    """A part of the schedule: its last step and which options of the group it moves between."""

    end_step: float
    start_lr: str
    end_lr: str
    start_momentum: str
    end_momentum: str


class OneCycleLR(LRScheduler):
    """The 1cycle policy (Smith and Topin 2018, arXiv:1708.07120), batch by batch.

    The rate goes from max_lr / div_factor to `max_lr` in the first `pct_start` of `total_steps` (or
    `epochs` times `steps_per_epoch`), and down to that start / final_div_factor; with `three_phase`
    first symmetrically down to the start. `anneal_strategy` is "cos" or "linear". With
    `cycle_momentum` the momentum (or the first beta) goes from `max_momentum` to `base_momentum`
    and back.

    Raises ValueError for a missing or non-positive length, `pct_start` outside [0, 1], an unknown
    strategy, more steps than planned, and an optimizer without momentum when that is to be cycled.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer(optimizer)
        self.total_steps = _planned_steps(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy

        start = last_epoch == -1
        max_lrs = per_group("max_lr", optimizer, max_lr)
        if start:
            for group, highest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = highest / div_factor
                group["max_lr"] = highest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(optimizer)
            momentum_range(optimizer, self.use_beta1, base_momentum, max_momentum, start)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The rates at step `last_epoch`; sets the momentum of the groups, too."""
        warn_outside_step(self)
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. "
                f"The specified number of total steps is {self.total_steps}"
            )
        phase, done = self._phase_of(step)
        anneal = _cosine if self._anneal_func_type == "cos" else _linear
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                momentum = anneal(
                    group[phase["start_momentum"]], group[phase["end_momentum"]], done
                )
                set_momentum(group, self.use_beta1, momentum)
        return [anneal(group[phase["start_lr"]], group[phase["end_lr"]], done) for group in groups]

    def _phase_of(self, step: int) -> tuple[_Phase, float]:
        """The phase that `step` is in, and the part of it that is done."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if step <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        return phase, (step - start) / (phase["end_step"] - start)


def _planned_steps(total: int | None, epochs: int | None, per_epoch: int | None) -> int:
    if total is not None:
        return _positive("total_steps", total)
    if epochs is None or per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    return _positive("epochs", epochs) * _positive("steps_per_epoch", per_epoch)


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value


def _phases(total_steps: int, pct_start: float, three_phase: bool) -> list[_Phase]:
    up: _Phase = {
        "end_step": float(pct_start * total_steps) - 1,
        "start_lr": "initial_lr",
        "end_lr": "max_lr",
        "start_momentum": "max_momentum",
        "end_momentum": "base_momentum",
    }
    down: _Phase = {
        "end_step": total_steps - 1,
        "start_lr": "max_lr",
        "end_lr": "min_lr",
        "start_momentum": "base_momentum",
        "end_momentum": "max_momentum",
    }
    if not three_phase:
        return [up, down]
    back: _Phase = {
        "end_step": float(2 * pct_start * total_steps) - 2,
        "start_lr": "max_lr",
        "end_lr": "initial_lr",
        "start_momentum": "base_momentum",
        "end_momentum": "max_momentum",
    }
    out: _Phase = {
        "end_step": total_steps - 1,
        "start_lr": "initial_lr",
        "end_lr": "min_lr",
        "start_momentum": "max_momentum",
        "end_momentum": "max_momentum",
    }
    return [up, back, out]


def _cosine(start: Any, end: Any, done: float) -> Any:
    return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)


def _linear(start: Any, end: Any, done: float) -> Any:
    return (end - start) * done + start
