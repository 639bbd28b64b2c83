"""The `step` counter that Adam and RMSprop keep for each parameter: a 0-d tensor, as in PyTorch."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._core import Tensor, dtype, float32, float64, get_default_dtype, zeros

Group = dict[str, Any]


def new_counter(param: Tensor, group: Group) -> Tensor:
    """A zero for a parameter of `group`: on the host, or with `capturable` on its own device."""
    device = param.device if group["capturable"] else "cpu"
    return zeros((), dtype=_counter_dtype(group), device=device)


def tensor_counters(groups: list[Group], state: dict[Any, Any]) -> None:
    """Turns counters that are plain numbers, as old files have them, into tensors."""
    for group in groups:
        for param in group["params"]:
            entry = state.get(param)
            if entry and not isinstance(entry["step"], Tensor):
                entry["step"] = new_counter(param, group).fill_(float(entry["step"]))


def stays_on_device(group: Group) -> bool:
    """Whether the counters of a group must not be read on the host."""
    return bool(group["differentiable"] or group["capturable"])


def advance(steps: list[Tensor]) -> list[int]:
    """Adds one to each counter in place and returns the new counts."""
    for step in steps:
        step.add_(1)
    return [int(step.item()) for step in steps]


def _counter_dtype(group: Group) -> dtype:
    if group.get("fused") or get_default_dtype() != float64:
        return float32
    return float64
