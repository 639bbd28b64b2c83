"""How an optimizer's state is packed into plain dicts by parameter index, and put back in place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from dispatch_core.optim._core import Tensor, float32


def pack(state: dict[Any, Any], groups: list[dict[str, Any]]) -> dict[str, Any]:
    """State and groups with every parameter replaced by its index through all groups."""
    index_of: dict[int, int] = {}
    packed_groups = []
    start = 0
    for group in groups:
        packed = {key: value for key, value in group.items() if key != "params"}
        for index, param in enumerate(group["params"], start):
            index_of.setdefault(id(param), index)
        packed["params"] = [index_of[id(param)] for param in group["params"]]
        start += len(packed["params"])
        packed_groups.append(packed)
    packed_state = {
        index_of[id(key)] if isinstance(key, Tensor) else key: value for key, value in state.items()
    }
    return {"state": packed_state, "param_groups": packed_groups}


def check_groups(groups: list[dict[str, Any]], saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A deep copy of the saved groups, after checking that they have the shape of `groups`."""
    if len(groups) != len(saved):
        raise ValueError(
            "loaded state dict has a different number of parameter groups: "
            f"{len(saved)}, the optimizer has {len(groups)}"
        )
    for i, (group, saved_group) in enumerate(zip(groups, saved, strict=True)):
        if len(group["params"]) != len(saved_group["params"]):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                f"optimizer's group: group {i} has {len(saved_group['params'])} parameters in the "
                f"state dict and {len(group['params'])} in the optimizer"
            )
    return deepcopy(saved)


def place_state(state_dict: dict[str, Any], groups: list[dict[str, Any]]) -> defaultdict[Any, Any]:
    """The saved state keyed by the parameters of `groups`, its tensors where those live."""
    saved_groups = state_dict["param_groups"]
    owner: dict[Any, tuple[Tensor, dict[str, Any]]] = {}
    for group, saved in zip(groups, saved_groups, strict=True):
        for index, param in zip(saved["params"], group["params"], strict=True):
            owner[index] = (param, saved)
    state: defaultdict[Any, Any] = defaultdict(dict)
    for index, value in state_dict["state"].items():
        if index in owner:
            param, saved = owner[index]
            state[param] = _place(value, param, saved, None)
        else:
            state[index] = value
    return state


def _place(value: Any, param: Tensor, saved_group: dict[str, Any], key: Any) -> Any:
    if isinstance(value, Tensor):
        if key == "step":
            # Counters stay where they are, on the host, unless the device reads them itself.
            if saved_group.get("capturable"):
                return value.to(device=param.device, dtype=float32)
            return value.to(dtype=float32) if saved_group.get("fused") else value
        if param.is_floating_point():
            return value.to(device=param.device, dtype=param.dtype)
        return value.to(device=param.device)
    if isinstance(value, dict):
        return {k: _place(v, param, saved_group, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_place(v, param, saved_group, None) for v in value)  # type: ignore[call-arg]
    return value
