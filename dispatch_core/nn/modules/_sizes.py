"""Sizes as users give them, a number or a tuple, brought into one form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Size = int | tuple[int, ...]


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """`value` as a tuple: `n` times itself if it is a single number."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def factory(device: Any, dtype: Any) -> dict[str, Any]:
    """The keyword arguments with which a layer makes its parameters."""
    return {"device": device, "dtype": dtype}


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """The `device`, `dtype` and `memory_format` among keyword arguments, also those in `factory_kwargs`.

    For layers that take `**kwargs` and hand them to `empty`. TypeError for other keywords, and for
    one that is given in both ways.
    """
    if kwargs is None:
        return {}
    known = ("device", "dtype", "memory_format")
    unexpected = kwargs.keys() - {*known, "factory_kwargs"}
    if unexpected:
        raise TypeError(f"unexpected kwargs {unexpected}; expected some of {known}")
    found = dict(kwargs.get("factory_kwargs", {}))
    for name in known:
        if name not in kwargs:
            continue
        if name in found:
            raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
        found[name] = kwargs[name]
    return found
