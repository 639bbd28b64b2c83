"""Writes `_tensor.pyi`: what type checkers and editors know of Tensor, whose methods are bound at import.

    python -m dispatch_core.testing._stub

writes it anew after operators or methods changed; `tests/test_stub.py` fails until that is done.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dispatch_core import _tensor
from dispatch_core._op import OPERATORS
from dispatch_core._tensor import Tensor

_HEADER = '''\
"""Made by `python -m dispatch_core.testing._stub`; do not edit."""

from collections.abc import Callable, Iterator
from typing import Any, Self

from dispatch_core._device import device as Device
from dispatch_core._dtypes import dtype as DType
from dispatch_core._graph import Node, Raw
from dispatch_core._size import Size
from dispatch_core.backend.api import Backend

class _Slots:
    refresh: Callable[[Tensor], None]
    construct: Callable[..., Tensor]
    as_gradient: Callable[[Tensor, Any], Tensor]
    subclassed: Callable[[type[Tensor]], None]

SLOTS: _Slots

READERS: list[Callable[[Tensor], None]]

fresh: Callable[[], Tensor]

def host_values(tensor: Tensor) -> Any: ...
def wrap(raw: Raw, key: int, node: Any = ...) -> Tensor: ...
def wrap_raw(raw: Raw, backend: Backend) -> Tensor: ...
def detached(tensor: Tensor) -> Tensor: ...
def says_in_order(tensor: Tensor) -> bool: ...
def is_plain(tensor: Tensor) -> bool: ...
def is_readable(tensor: Tensor) -> bool: ...
def check_tensor(value: Any, where: str) -> Tensor: ...
def grad_mode() -> bool: ...

class Tensor:
    _raw: Raw
    _k: int
    _node: Any
    _base: tuple[Tensor, Any, Any, Any, tuple[Any, ...]]
    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
'''

_KNOWN = {
    "Tensor", "bool", "int", "float", "complex", "str", "None", "Size", "DType", "Device",
    "Backend", "Node | None", "Tensor | None", "Iterator[Tensor]", "tuple[int, int]",
}  # fmt: skip
_SHADOWING = {
    "bool": "bool_",
    "int": "int_",
    "float": "float_",
    "complex": "complex_",
    "str": "str_",
}
_OWN = {"__slots__", "__module__", "__dict__", "__weakref__", "__new__"} | {
    name
    for name in vars(object)
    # What Tensor says otherwise than any object does.
    if name.strip("_") not in ("eq", "ne", "lt", "le", "gt", "ge", "hash", "repr")
}


_UNARY = ("abs", "invert", "neg", "pos")
_OPERATORS = {operator for d in OPERATORS.values() for operator in d.exposure.operators}


def tensor_stub() -> str:
    """The text of `_tensor.pyi` for the operators and methods that there are now."""
    members = vars(Tensor)
    shadowed = {name for name in _SHADOWING if name in members}
    lines = [_HEADER]
    for name in sorted(members):
        if name in _OWN:
            continue
        member = members[name]
        if isinstance(member, property):
            lines.append(_property(name, member, shadowed))
        elif inspect.isfunction(member):
            lines.append(_method(name, member, shadowed))
        elif not inspect.ismemberdescriptor(member) and not name.startswith("__"):
            lines.append(f"    {name}: Any\n")
    return _with_aliases("".join(lines), sorted(shadowed))


def _with_aliases(text: str, shadowed: list[str]) -> str:
    """Builtins that methods of the same name hide inside the class get another name above it."""
    aliases = "".join(f"{_SHADOWING[name]} = {name}\n" for name in shadowed)
    return text.replace("\nclass _Slots:", f"\n{aliases}\nclass _Slots:", 1)


def _returned(function: Callable[..., Any] | None, shadowed: set[str]) -> str:
    given = getattr(function, "__annotations__", {}).get("return")
    spelled = given if isinstance(given, str) else getattr(given, "__name__", None)
    if spelled not in _KNOWN:
        return "Any"
    for name in shadowed:
        if spelled == name:
            return _SHADOWING[name]
    if "int" in shadowed and spelled == "tuple[int, int]":
        return "tuple[int_, int_]"
    return str(spelled)


def _property(name: str, member: property, shadowed: set[str]) -> str:
    text = f"    @property\n    def {name}(self) -> {_returned(member.fget, shadowed)}: ...\n"
    if member.fset is not None:
        text += f"    @{name}.setter\n    def {name}(self, value: Any) -> None: ...\n"
    if member.fdel is not None:
        text += f"    @{name}.deleter\n    def {name}(self) -> None: ...\n"
    return text


def _method(name: str, function: Callable[..., Any], shadowed: set[str]) -> str:
    declared = getattr(function, "__wrapped__", function)
    returned = _returned(declared, shadowed)
    operator = name.strip("_")
    if name.startswith("__") and operator in _OPERATORS:
        other = "" if operator in _UNARY else ", other: Any"
        ignore = "  # type: ignore[override]" if operator in ("eq", "ne") else ""
        return f"    def {name}(self{other}) -> Tensor: ...{ignore}\n"
    if name == "__getitem__":
        returned = "Tensor"
    parameters = list(inspect.signature(declared).parameters.values())[1:]
    parts = ["self"]
    starred = False
    for p in parameters:
        default = "" if p.default is p.empty else " = ..."
        if str(p.annotation) == "Ints":
            parts.append(f"*{p.name}: Any")
            starred = True
            continue
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        if p.kind is p.VAR_POSITIONAL:
            parts.append(f"*{p.name}: Any")
            starred = True
        elif p.kind is p.VAR_KEYWORD:
            parts.append(f"**{p.name}: Any")
        else:
            parts.append(f"{p.name}: Any{default}")
    if hasattr(function, "op") and not any(part.startswith("**") for part in parts):
        parts.append("**keywords: Any")
    return f"    def {name}({', '.join(parts)}) -> {returned}: ...\n"


def stub_path() -> Path:
    """Where the stub stands."""
    return Path(str(_tensor.__file__)).with_suffix(".pyi")


if __name__ == "__main__":
    stub_path().write_text(tensor_stub())
