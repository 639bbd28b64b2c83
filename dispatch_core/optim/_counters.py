"""Numbers in the state of each parameter, above all its `step`: 0-d tensors, as in PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch_core.optim._core import (
    Tensor,
    dtype,
    float32,
    float64,
    get_default_dtype,
    step_operator,
    zeros,
)
from dispatch_core.optim._fused import scalar

Group = dict[str, Any]


def new_counter(param: Tensor, group: Group) -> Tensor:
    """A zero for a parameter of `group`: on the host, or with `capturable` on its own device."""
    device = param.device if group.get("capturable") else "cpu"
    return zeros((), dtype=_counter_dtype(group), device=device)


def make_tensors(names: Iterable[str], groups: list[Group], state: dict[Any, Any]) -> None:
    """Turns numbers of the state that are Python's, as old files have them, into tensors."""
    for name in names:
        make = new_counter if name == "step" else _on_device
        for group in groups:
            for param in group["params"]:
                entry = state.get(param)
                if entry and not isinstance(entry[name], Tensor):
                    entry[name] = make(param, group).fill_(float(entry[name]))


def advance(steps: list[Tensor], group: Group) -> list[Any]:
    """Adds one to each counter in place and returns the new counts.

    They are numbers or, with `capturable`, tensors that were never read.
    """
    if group.get("differentiable") and any(step.requires_grad for step in steps):
        raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
    if group.get("capturable"):
        return [step.add_(1).clone() for step in steps]
    if steps:
        step_operator("count_")(steps)
    return [_whole(step.tolist()) for step in steps]


def _whole(count: Any) -> int:
    """A count that was read: a number, or a list of equal ones."""
    return int(count[0] if isinstance(count, list) else count)


def new_number(value: Any, param: Tensor, group: Group) -> Tensor:
    """A number kept in the state of `param`, on its device."""
    made = _on_device(param, group)
    write_number(made, value)
    return made


def _on_device(param: Tensor, group: Group) -> Tensor:
    return zeros((), dtype=_counter_dtype(group), device=param.device)


def write_number(target: Tensor, value: Any) -> None:
    """Overwrites a number of the state."""
    if isinstance(value, Tensor):
        target.copy_(scalar(value))
    else:
        target.fill_(value)


def read_number(source: Tensor, group: Group) -> Any:
    """A number of the state: Python's or, with `capturable` or `differentiable`, a tensor."""
    if group["differentiable"] or group["capturable"]:
        return source.clone()
    return source.item()


def _counter_dtype(group: Group) -> dtype:
    if group.get("fused") or get_default_dtype() != float64:
        return float32
    return float64
