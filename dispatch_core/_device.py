"""`device`, the name of a place where tensors live: a type such as "cpu" and perhaps an index."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, NoReturn, SupportsIndex


# A name, dotted for the child of another device ("opencl.intel"), then perhaps ":" and a number.
@functools.cache
def _device_string() -> re.Pattern[str]:
    name = r"[A-Za-z_]\w*"
    return re.compile(rf"(?P<type>{name}(?:\.{name})*)(?::(?P<index>0|[1-9]\d*))?", re.ASCII)


_MAX_INDEX: Final = 2**15 - 1


class device:
    """A device type and an optional index: `device("cuda:1")`, `device("cuda", 1)`.

    Any well-formed name is accepted: which devices exist is known where a device is used. A device
    without index means the current one of its type and is not equal to index 0. As a context manager it
    is where this thread's (or task's) factories make their tensors when none is named.

    Raises:
        RuntimeError: the string is malformed, or the index is negative, too large or given twice.
        TypeError: an argument has the wrong type.

    """

    __slots__ = ("_hash", "index", "type")

    type: str
    index: int | None
    _hash: int

    def __init__(
        self, type: str | device | None = None, index: SupportsIndex | None = None, **alias: object
    ) -> None:
        given = _named_or_alias(type, alias)
        if isinstance(given, device):
            if index is not None:
                raise TypeError(
                    f"device(): argument 'type' (position 1) must be str when an index is given, "
                    f"not {given!r}"
                )
            name, number = given.type, given.index
        elif isinstance(given, str):
            name, number = _parse(given)
            if index is not None:
                if number is not None:
                    raise RuntimeError(
                        "type (string) must not include an index because index was passed "
                        f"explicitly: {given!r}"
                    )
                number = _checked_index(index)
        else:
            raise TypeError(
                "device() expects a string such as 'cpu' or 'cuda:1', or another device, "
                f"got {given.__class__.__name__}"
            )
        set_attribute = object.__setattr__
        set_attribute(self, "type", name)
        set_attribute(self, "index", number)
        set_attribute(self, "_hash", hash((device, name, number)))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"devices are immutable: cannot set {name!r} of {self!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"devices are immutable: cannot delete {name!r} of {self!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __enter__(self) -> device:
        _Scopes.used = True
        _scopes.set((*_scopes.get(), self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _scopes.set(_scopes.get()[:-1])

    def __reduce__(self) -> tuple[Callable[..., device], tuple[str] | tuple[str, int]]:
        return device, (self.type,) if self.index is None else (self.type, self.index)


@functools.cache
def device_named(type: str, index: int | None) -> device:
    """`device(type, index)`, made once for each: for those who ask a tensor where it is at every call."""
    return device(type, index)


class _Scopes:
    used = False
    """Whether any `with device(...)` was entered: until then nobody need look."""


_scopes: ContextVar[tuple[device, ...]] = ContextVar("devices_entered", default=())


def entered_device() -> device | None:
    """The device of the innermost `with device(...)` of this thread or task."""
    entered = _scopes.get() if _Scopes.used else ()
    return entered[-1] if entered else None


def _named_or_alias(type_: object, alias: dict[str, object]) -> object:
    """Return the first argument, which PyTorch also lets callers name `device`."""
    unknown = alias.keys() - {"device"}
    if unknown:
        raise TypeError(f"device() got an unexpected keyword argument {min(unknown)!r}")
    if not alias:
        return type_
    if type_ is not None:
        raise TypeError("device() takes either 'type' or 'device', not both")
    return alias["device"]


def _parse(text: str) -> tuple[str, int | None]:
    if not text:
        raise RuntimeError(
            "Device string must not be empty; expected one such as 'cpu' or 'cuda:1'"
        )
    if text.isidentifier() and text.isascii():  # as "cpu" is, for which no pattern need be made
        return text, None
    match = _device_string().fullmatch(text)
    if match is None:
        raise RuntimeError(
            f"Invalid device string: {text!r}; expected a name and perhaps an index, "
            "such as 'cpu' or 'cuda:1'"
        )
    name, index = match.group("type", "index")
    if index is None:
        return name, None
    if len(index) > len(str(_MAX_INDEX)) or int(index) > _MAX_INDEX:
        raise RuntimeError(
            f"Could not parse device index {index!r} in device string {text!r}: "
            f"the largest index is {_MAX_INDEX}"
        )
    return name, int(index)


def _checked_index(index: object) -> int:
    if isinstance(index, bool) or not isinstance(index, SupportsIndex):
        raise TypeError(f"device(): argument 'index' must be int, not {index.__class__.__name__}")
    number = operator.index(index)
    if number < 0:
        raise RuntimeError(f"Device index must not be negative, got {number}")
    if number > _MAX_INDEX:
        raise RuntimeError(f"Device index {number} is too large: the largest is {_MAX_INDEX}")
    return number
