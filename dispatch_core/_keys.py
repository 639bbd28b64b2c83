"""Dispatch keys: every tensor carries one small interned number for (device, dtype, flags) and two bits.

Bit 0 of a number says that a gradient is recorded, bit 1 that the tensor is a view of another one, so
the relatives of a key are found by arithmetic (`k | GRAD`). The first numbers are reserved for the
Python values that may stand where a tensor is expected; a key of a tensor is therefore never below
`FIRST_TENSOR_KEY`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any

from dispatch_core._dtypes import bool_, dtype, get_default_dtype, int64

GRAD = 1
VIEW = 2
PLAIN = ~(GRAD | VIEW)
INFERENCE = "inference"
"""The flag of tensors made in inference mode, and the name of that state."""
SUBCLASS = "subclass"
"""The flag of instances of subclasses of Tensor that operators ask (`__dispatch_function__`)."""
TRANSPARENT = frozenset({INFERENCE, SUBCLASS})
"""The flags of tensors in whose `_raw` lies an array of the device all the same."""
_STEP = 4

BOOL, INT, FLOAT, COMPLEX, NONE, ASKED = range(6)
"""`ASKED` stands for what is no tensor, but has the hook by which operators ask a class what they do."""
HOOK = "__dispatch_function__"
FIRST_TENSOR_KEY = 8
KIND: dict[type, int] = {bool: BOOL, int: INT, float: FLOAT, complex: COMPLEX, NoneType: NONE}
KIND_NAMES = ("bool", "int", "float", "complex", "None", "object with a hook")


def has_hook(value: Any) -> bool:
    """Whether the class of a value may be asked what operators do with it."""
    return getattr(value.__class__, HOOK, None) is not None


LOCK = threading.RLock()
"""Taken by everything that writes keys, states, kernels, layers or tables; readers take no lock."""
if hasattr(os, "register_at_fork"):
    # A forked process finds it free, and nothing half written.
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )


class Key:
    """What a tensor key number stands for, without its two bits."""

    __slots__ = ("device", "dtype", "flags", "number")

    def __init__(self, number: int, device: str, dtype: dtype, flags: frozenset[str]) -> None:
        self.number = number
        self.device = device
        self.dtype = dtype
        self.flags = flags

    def __repr__(self) -> str:
        flags = "".join(f", {flag}" for flag in sorted(self.flags))
        return f"{self.device}/{self.dtype.name}{flags}"


KEYS: list[Key | None] = [None] * FIRST_TENSOR_KEY
_interned: dict[tuple[str, dtype, frozenset[str]], int] = {}
_no_flags: frozenset[str] = frozenset()
_on_growth: list[Callable[[int], None]] = []


def on_growth(callback: Callable[[int], None]) -> None:
    """Have `callback(count)` run, under the lock, before a new key number is handed out."""
    _on_growth.append(callback)


def key_number(device: str, dtype: dtype, flags: frozenset[str] = _no_flags) -> int:
    """The number of the plain key (no gradient, no view) of a device type, a dtype and flags."""
    number = _interned.get((device, dtype, flags))
    return _intern(device, dtype, flags) if number is None else number


def _intern(device: str, dtype: dtype, flags: frozenset[str]) -> int:
    with LOCK:
        number = _interned.get((device, dtype, flags))
        if number is None:
            number = len(KEYS)
            for callback in _on_growth:
                callback(number + _STEP)
            KEYS.extend([Key(number, device, dtype, flags)] * _STEP)
            _interned[device, dtype, flags] = number
        return number


def tensor_key(number: int) -> Key:
    """The key behind a tensor's number; the reserved numbers of Python values have none."""
    key = KEYS[number]
    if key is None:
        raise LookupError(f"key {number} stands for a Python value, not for a tensor")
    return key


def flags_of(keys: Iterable[Any]) -> frozenset[str]:
    """All flags among key numbers (and sets of them, of lists of tensors)."""
    found: frozenset[str] = frozenset()
    for key in keys:
        for number in key if isinstance(key, frozenset) else (key,):
            each = KEYS[number]
            if each is not None and each.flags:
                found |= each.flags
    return found


def is_asking(keys: Iterable[Any]) -> bool:
    """Whether an argument is of a class that operators ask, a subclass of Tensor or another."""
    given = tuple(keys)
    return SUBCLASS in flags_of(given) or has_asked(given)


def has_asked(keys: Iterable[Any]) -> bool:
    """Whether an argument is no tensor, but of a class that operators ask."""
    return any(ASKED in key if isinstance(key, frozenset) else key == ASKED for key in keys)


def flagged(number: int, flag: str) -> int:
    """The number of a tensor's key with a flag more; its two bits stay."""
    key = tensor_key(number)
    return key_number(key.device, key.dtype, key.flags | {flag}) | number & ~PLAIN


def unflagged(number: Any, flag: str) -> Any:
    """A key number, or a set of them, without a flag; numbers of Python values are what they were."""
    if isinstance(number, frozenset):
        return frozenset(unflagged(each, flag) for each in number)
    key = KEYS[number]
    if key is None or flag not in key.flags:
        return number
    return key_number(key.device, key.dtype, key.flags - {flag}) | number & ~PLAIN


def kind_dtype(number: int) -> dtype:
    """The dtype that a Python scalar of a reserved number (`BOOL` ... `COMPLEX`) has in promotion."""
    if number == BOOL:
        return bool_
    if number == INT:
        return int64
    default = get_default_dtype()
    return default if number == FLOAT else default.to_complex()


def describe_key(number: int) -> str:
    """A key as `explain` and error messages print it."""
    if number < FIRST_TENSOR_KEY:
        return KIND_NAMES[number]
    bits = (", requires_grad" if number & GRAD else "") + (", view" if number & VIEW else "")
    return f"{tensor_key(number)!r}{bits}"
