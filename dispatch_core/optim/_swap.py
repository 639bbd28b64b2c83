"""`swap_in_optimizer_params_and_state`: other parameters and state for an optimizer, for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dispatch_core.optim._core import Tensor
from dispatch_core.optim.optimizer import Group, Optimizer

_NAME = "swap_in_optimizer_params_and_state"


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """While this holds, `optimizer` works on other parameters and other state.

    `swapin_parameters` are tensors in the order of the optimizer's own, `swapin_optim_state` is what
    `state_dict()` returns. Its tensors are not copied, so that in-place updates are seen in them;
    whatever else happens to state and options is forgotten in the end.

    Raises RuntimeError when the optimizer has no state yet, or what is given does not have its shape.
    """
    if not optimizer.state:
        raise RuntimeError(
            f"{_NAME} requires initialized optimizer state. Call optimizer.step() first."
        )
    groups = _swapped_groups(optimizer.param_groups, swapin_optim_state.get("param_groups"))
    tensors = list(swapin_parameters.values())
    wanted = sum(len(group["params"]) for group in groups)
    if len(tensors) < wanted:
        raise RuntimeError(
            f"{_NAME} requires the explicit parameter state to match optimizer.param_groups "
            f"ordering. Expected {wanted} parameters, but got {len(tensors)}."
        )
    by_id: dict[Any, Tensor] = {}
    rest = iter(tensors)
    for group in groups:
        ids = group["params"]
        group["params"] = [by_id.setdefault(each, next(rest)) for each in ids]
    saved = swapin_optim_state.get("state", {})
    extra = [each for each in saved if each not in by_id]
    if extra:
        raise RuntimeError(
            f"{_NAME} requires swapin_optim_state['state'] to be keyed only by packed parameter ids "
            f"from param_groups[*]['params']; got extra keys {extra}."
        )
    state: defaultdict[Any, Any] = defaultdict(dict)
    state.update({by_id[each]: dict(entry) for each, entry in saved.items()})

    own = optimizer.param_groups, optimizer.state
    optimizer.param_groups, optimizer.state = groups, state
    try:
        yield
    finally:
        optimizer.param_groups, optimizer.state = own


def _swapped_groups(live: list[Group], given: Any) -> list[Group]:
    """Copies of the given groups, after checking that they have the shape of the optimizer's."""
    if not isinstance(given, list):
        raise RuntimeError(
            f"{_NAME} requires swapin_optim_state['param_groups'] to be a list of param-group dicts, "
            f"got {type(given).__name__}."
        )
    if len(given) != len(live):
        raise RuntimeError(
            "swapin_optim_state has a different number of parameter groups than the live optimizer: "
            f"{len(given)}, the optimizer has {len(live)}."
        )
    for i, (group, own) in enumerate(zip(given, live, strict=True)):
        if len(group["params"]) != len(own["params"]):
            raise RuntimeError(
                f"swapin_optim_state param group {i} has a different number of params than the live "
                f"optimizer param group: {len(group['params'])}, that has {len(own['params'])}."
            )
        if group.keys() != own.keys():
            raise RuntimeError(
                f"{_NAME} requires optimizer.state_dict()-style param group keys to exactly match "
                f"the live optimizer group keys for group {i}. Keys only in swap-in: "
                f"{sorted(group.keys() - own.keys())}. Keys only in live: "
                f"{sorted(own.keys() - group.keys())}."
            )
    return [dict(group) for group in given]
