"""What schedules need that cycle the momentum against the learning rate."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim.lr_scheduler._base import per_group
from dispatch_core.optim.optimizer import Optimizer


def uses_beta1(optimizer: Optimizer) -> bool:
    """Whether `betas[0]` is the optimizer's momentum; ValueError when it has none at all."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled, but "
            f"{type(optimizer).__name__} has neither; pass cycle_momentum=False"
        )
    return "betas" in optimizer.defaults


def set_momentum(group: dict[str, Any], beta1: bool, momentum: Any) -> None:
    """Sets the momentum of one group."""
    if beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def momentum_range(
    optimizer: Optimizer, beta1: bool, base: Any, largest: Any, start: bool
) -> tuple[list[Any], list[Any]]:
    """The range of each group as two lists; with `start` it is also stored in the groups."""
    bases = per_group("base_momentum", optimizer, base)
    largests = per_group("max_momentum", optimizer, largest)
    if start:
        for group, low, high in zip(optimizer.param_groups, bases, largests, strict=True):
            set_momentum(group, beta1, high)
            group["max_momentum"] = high
            group["base_momentum"] = low
    return bases, largests
