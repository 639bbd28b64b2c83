"""What `pin_memory=True` does to a batch: everything in it that can be pinned is asked to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dispatch_core.utils.data._core import Tensor
from dispatch_core.utils.data._utils.collate import (
    is_namedtuple,
    mapping_like,
    sequence_like,
)


def pin_memory(data: Any, device: Any = None) -> Any:
    """The data with every tensor, and every object that has the method, through `pin_memory()`."""
    if isinstance(data, Tensor):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, Mapping):
        return mapping_like(data, {key: pin_memory(data[key], device) for key in data})
    if is_namedtuple(data):
        return type(data)(*(pin_memory(item, device) for item in data))
    if isinstance(data, tuple):
        return [pin_memory(item, device) for item in data]
    if isinstance(data, Sequence):
        return sequence_like(data, [pin_memory(item, device) for item in data])
    return data
