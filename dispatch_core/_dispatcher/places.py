"""The error for arguments on different devices: it names each argument and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dispatch_core._dispatcher.operator import Op
from dispatch_core._tensor import Tensor


def named_tensors(op: Op, args: Sequence[Any]) -> Iterator[tuple[str, Tensor]]:
    """The tensors among an operator's arguments, those in lists too, by name: `input`, `tensors[1]`."""
    for at in op.tensors:
        name, value = op.params[at].name, args[at]
        if isinstance(value, Tensor):
            yield name, value
        elif isinstance(value, (list, tuple)):
            for number, each in enumerate(value):
                if isinstance(each, Tensor):
                    yield f"{name}[{number}]", each


def apart(op: Op, args: Sequence[Any]) -> RuntimeError:
    """The error for arguments that are on different devices."""
    by_device: dict[Any, list[str]] = {}
    for name, tensor in named_tensors(op, args):
        by_device.setdefault(tensor.device, []).append(name)
    found = ", ".join(f"{_some(names)} on {place}" for place, names in by_device.items())
    return RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices "
        f"({found}, in {op.name}()); move them together with .to(device)"
    )


def _some(names: Sequence[str]) -> str:
    return (
        " and ".join(names)
        if len(names) < 3
        else f"{names[0]}, {names[1]} and {len(names) - 2} more"
    )


def check_places(op: Op, args: Sequence[Any]) -> None:
    """Raise where a kernel failed because arguments are on different devices of one type."""
    if len({tensor.device for _, tensor in named_tensors(op, args)}) > 1:
        raise apart(op, args)
