"""Averages of a model's weights over training: SWA and EMA, with the schedule that goes with them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from dispatch_core import nn
from dispatch_core.nn.modules.batchnorm import _BatchNorm
from dispatch_core.optim._core import Tensor, int64, no_grad, zeros
from dispatch_core.optim._fused import batches, fused_step, number
from dispatch_core.optim.lr_scheduler import LRScheduler
from dispatch_core.optim.lr_scheduler._base import Rate, per_group, warn_outside_step
from dispatch_core.optim.optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AvgFn: TypeAlias = Callable[[Tensor, Tensor, Any], Tensor]
MultiAvgFn: TypeAlias = Callable[[Any, Any, Any], None]


# -- averages ----------------------------------------------------------------------------------------


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """`avg_fn` of an exponential moving average: decay * average + (1 - decay) * value.

    Raises ValueError for a decay outside of [0, 1].
    """
    _check_decay(decay)

    def ema_update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return decay * averaged + (1 - decay) * current

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """`multi_avg_fn` of an exponential moving average: all parameters in one fused call a dtype.

    Raises ValueError for a decay outside of [0, 1].
    """
    _check_decay(decay)

    def ema_update(
        averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any
    ) -> None:
        _move(averaged, current, 1 - decay, get_ema_avg_fn(decay), num_averaged)

    return ema_update


def get_swa_avg_fn() -> AvgFn:
    """`avg_fn` of the mean of all values: average + (value - average) / (num_averaged + 1)."""

    def swa_update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return averaged + (current - averaged) / (num_averaged + 1)

    return swa_update


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """`multi_avg_fn` of the mean of all values: all parameters in one fused call a dtype."""

    def swa_update(
        averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any
    ) -> None:
        weight = 1 / (number(num_averaged) + 1)
        _move(averaged, current, weight, get_swa_avg_fn(), num_averaged)

    return swa_update


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def _move(
    averaged: Iterable[Tensor],
    current: Iterable[Tensor],
    weight: float,
    one_by_one: AvgFn,
    num_averaged: Any,
) -> None:
    """Moves averages towards values in place; those that are no floating point one by one."""
    fused: list[list[Any]] = [[], []]
    with no_grad():
        for average, value in zip(averaged, current, strict=True):
            if average.is_floating_point() or average.is_complex():
                fused[0].append(average)
                fused[1].append(value)
            else:
                average.copy_(one_by_one(average, value, num_averaged))
        for lists in batches(fused):
            fused_step("average_step_", *lists, weight=weight)


class AveragedModel(nn.Module):
    """A copy of a model whose parameters are averages of the model's over time.

    Stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407) is the mean, which is the
    default; with `get_ema_multi_avg_fn` it is an exponential moving average (Polyak and Juditsky
    1992). `update_parameters(model)` takes the model's parameters into the average; the first call
    copies them. `avg_fn(average, value, num_averaged)` returns the new average of one parameter,
    `multi_avg_fn(averages, values, num_averaged)` writes those of a list. With `use_buffers` the
    buffers are averaged, too; otherwise they are copied. The copy stands in `module`, on `device`
    if one is given; neither function is saved in the state dict.

    Raises AssertionError when both functions are given.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: nn.Module,
        device: Any = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError(
                "Only one of avg_fn and multi_avg_fn should be provided; leave one of them out"
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", zeros((), dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: nn.Module) -> None:
        """Takes the parameters that `model` has now into the average."""
        mine, theirs = self._averaged(self.module), self._averaged(model)
        values = [
            value.detach().to(average.device) for average, value in zip(mine, theirs, strict=True)
        ]
        averages = [average.detach() for average in mine]
        with no_grad():
            if self.n_averaged == 0:
                for average, value in zip(averages, values, strict=True):
                    average.copy_(value)
            elif self.avg_fn is not None:
                for average, value in zip(averages, values, strict=True):
                    average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
            else:
                move = self.multi_avg_fn or get_swa_multi_avg_fn()
                for one, other in _alike(averages, values):
                    move(one, other, self.n_averaged.to(one[0].device))
            if not self.use_buffers:
                for own, given in zip(self.module.buffers(), model.buffers(), strict=True):
                    own.detach().copy_(given.detach().to(own.device))
            self.n_averaged += 1

    def _averaged(self, model: nn.Module) -> list[Tensor]:
        if self.use_buffers:
            return list(itertools.chain(model.parameters(), model.buffers()))
        return list(model.parameters())


def _alike(
    averages: list[Tensor], values: list[Tensor]
) -> Iterable[tuple[list[Tensor], list[Tensor]]]:
    """Lists of one device and dtype, as averaging functions expect them."""
    found: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
    for average, value in zip(averages, values, strict=True):
        one, other = found.setdefault((average.device, average.dtype), ([], []))
        one.append(average)
        other.append(value)
    return found.values()


# -- batch norm --------------------------------------------------------------------------------------


def update_bn(loader: Iterable[Any], model: nn.Module, device: Any = None) -> None:
    """Computes the running statistics of all batch norms anew, in one pass over `loader`.

    A batch is a tensor, or a list or tuple whose first element is one; with `device` it is moved
    there. Modes and momenta are afterwards what they were.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    if not layers:
        return
    was_training, momenta = model.training, [layer.momentum for layer in layers]
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    with no_grad():
        for batch in loader:
            given = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(given if device is None else given.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


# -- schedule ----------------------------------------------------------------------------------------


class SWALR(LRScheduler):
    """Moves the rates to `swa_lr` within `anneal_epochs`, where they stay.

    `swa_lr` is one number or one for each group; the way there is half a cosine ("cos") or a line
    ("linear"). Other schedules may have acted before. Raises ValueError for another strategy, for
    epochs that are no integer >= 0 and for rates that do not fit the groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = per_group("swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be equal or greater than 0, got {anneal_epochs} "
                "(expected an int)"
            )
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        warn_outside_step(self)
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            goal = group["swa_lr"]
            # Where the way began follows from where it is now, as other schedules may act, too.
            start = goal if before == 1 else (group["lr"] - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates

    def _part(self, step: int) -> float:
        """The part of the way that lies behind in a step."""
        part = max(0, min(1, step / max(1, self.anneal_epochs)))
        return part if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2
