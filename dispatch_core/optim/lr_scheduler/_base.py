"""`LRScheduler`, the base of all schedules, and what they share."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeAlias
from weakref import ref

from dispatch_core.optim._core import Tensor
from dispatch_core.optim._fused import scalar
from dispatch_core.optim.optimizer import Optimizer

Rate: TypeAlias = Any
"""A learning rate: a float, or a one-element tensor (whose arithmetic is the float's)."""

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` is deprecated: call `scheduler.step()` once an "
    "epoch. With an epoch, the closed form of the schedule is used instead of the chainable one, "
    "where there is one."
)


class LRScheduler:
    """Base class of schedules: sets the learning rate of every group of `optimizer`.

    A subclass implements `get_lr`, the rates at `last_epoch` from those before (the chainable form:
    other schedules may act on the same optimizer), and may implement `_get_closed_form_lr`, the
    rates at `last_epoch` from the initial ones.

    `last_epoch=-1` starts: each group's `lr` becomes its `initial_lr`. Another value resumes; then
    every group must have `initial_lr`, else KeyError. Raises TypeError when `optimizer` is none.
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    optimizer: Optimizer
    base_lrs: list[Rate]
    last_epoch: int
    _last_lr: list[Rate]
    _step_count: int

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(optimizer)
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", _copied(group["lr"]))
        for i, group in enumerate(optimizer.param_groups):
            if "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    f"scheduler with last_epoch={last_epoch}; load the optimizer's state dict "
                    "first, or leave last_epoch at -1 to start anew"
                )
        self.base_lrs = group_values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _notice_steps_of(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """Sets the rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Every attribute except the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """The rates this schedule set last, one a group."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """The rates of `last_epoch`, one a group; meant to be called by `step` only."""
        raise NotImplementedError(f"{type(self).__name__} does not implement get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Moves on by one epoch, or (deprecated) to `epoch`, and sets the rates."""
        if self._step_count == 1:
            _warn_of_order(self.optimizer)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._computing():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed_form: Callable[[], list[Rate]] = getattr(
                    self, "_get_closed_form_lr", self.get_lr
                )
                rates = closed_form()
        self._set_rates(rates)

    def _set_rates(self, rates: Sequence[Rate]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_group_value(group, "lr", rate)
        self._last_lr = group_values(self.optimizer, "lr")

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """While this holds, `get_lr` is called as it should be."""
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _current(self) -> list[Rate]:
        """The groups' rates as they are."""
        return group_values(self.optimizer, "lr")

    def _times(self, factor: float) -> list[Rate]:
        """The groups' rates times `factor`."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]


def check_optimizer(optimizer: Any) -> Optimizer:
    """`optimizer`, or TypeError when it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def warn_outside_step(scheduler: LRScheduler) -> None:
    """Warns a user who calls `get_lr` to learn the current rate, which it does not tell."""
    if not scheduler._get_lr_called_within_step:
        warnings.warn(
            "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
            UserWarning,
            stacklevel=3,
        )


def group_values(optimizer: Optimizer, key: str) -> list[Any]:
    """The option `key` of each group; tensors are copied, so that they stay as they are."""
    return [_copied(group[key]) for group in optimizer.param_groups]


def set_group_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Sets an option; one that is a tensor is filled, so that everyone who holds it sees it."""
    if isinstance(group[key], Tensor):
        group[key].fill_(scalar(value))
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """`value` as a list with one entry a group; ValueError for a list of another length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [_copied(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}."
        )
    return [_copied(item) for item in value]


def function_state(function: Any) -> dict[str, Any] | None:
    """What can be saved of a user's function: the attributes of a callable object, else None."""
    return None if isinstance(function, types.FunctionType) else function.__dict__.copy()


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _notice_steps_of(optimizer: Optimizer) -> None:
    """Makes the optimizer remember that its `step` was called; one wrapper for all schedules."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    original: Any = optimizer.step
    function = getattr(original, "__func__", None)
    if function is not None:
        original = function  # the bound method would keep the optimizer alive through itself
    owner = ref(optimizer)

    @wraps(original)
    def step(*args: Any, **kwargs: Any) -> Any:
        instance: Any = owner()
        instance._opt_called = True
        # Without a `__func__` it is a plain function that a user put in the place of the method.
        return (
            original(*args, **kwargs) if function is None else function(instance, *args, **kwargs)
        )

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = step  # type: ignore[method-assign]


def _warn_of_order(optimizer: Optimizer) -> None:
    if not hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        message = (
            "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
            "initialization. Please, make sure to call `optimizer.step()` before "
            "`lr_scheduler.step()`."
        )
    elif not getattr(optimizer, "_opt_called", False):
        message = (
            "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the "
            "opposite order: `optimizer.step()` before `lr_scheduler.step()`, or the first value "
            "of the learning rate schedule is skipped."
        )
    else:
        return
    warnings.warn(message, UserWarning, stacklevel=3)
