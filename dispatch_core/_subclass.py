"""Subclasses of Tensor that operators ask: PyTorch's `__torch_function__` as `__dispatch_function__`.

The key of an instance has the flag `subclass`, so calls among plain tensors never ask whether there is
one. `layers/subclass.py` is what sees the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from dispatch_core._keys import HOOK, SUBCLASS, VIEW, flagged, has_hook, tensor_key, unflagged
from dispatch_core._state import Switch, is_on
from dispatch_core._tensor import Tensor

T = TypeVar("T", bound=Tensor)
OFF = "subclass_off"
"""The name of the state in which instances are taken for plain tensors."""


class subclass_hooks(Switch):  # noqa: N801  used as a function: `with dc.subclass_hooks(False):`
    """Context manager and decorator: whether operators ask subclasses of Tensor (default: they do)."""

    __slots__ = ()

    def __init__(self, mode: bool) -> None:
        super().__init__(OFF, not mode)


def is_asked(cls: type) -> bool:
    """Whether operators ask a class; one with `__dispatch_function__ = None` is only data to them."""
    hook = getattr(cls, HOOK, None)
    return cls is not Tensor and hook is not None and getattr(hook, "__func__", None) is not _plain


def asked(values: Iterable[Any]) -> list[type]:
    """The classes among arguments that are asked, each once, those of subclasses before their bases."""
    found: list[type] = []
    for each in _instances(values):
        cls = each.__class__
        if is_asked(cls) and cls not in found:
            at = next((i for i, other in enumerate(found) if issubclass(cls, other)), len(found))
            found.insert(at, cls)
    return found


def _instances(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if has_hook(value):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _instances(value)


def ask(
    types: Sequence[type],
    func: Callable[..., Any],
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """What the first of the classes says that says something; TypeError where none does."""
    for cls in types:
        result = getattr(cls, HOOK)(func, tuple(types), args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(
        f"no implementation found for '{name}' on types that implement {HOOK}: "
        f"{[cls.__name__ for cls in types]}; each of them returned NotImplemented"
    )


def asking(name: str, function: Callable[..., Any], told: Callable[..., Any]) -> Any:
    """A method of a class that is asked, for one of Tensor's that is no operator; the hook gets `told`."""

    @wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if is_on(OFF) or SUBCLASS not in tensor_key(self._k).flags:
            return function(self, *args, **kwargs)
        types = asked((self, *args, *kwargs.values()))
        return ask(types, told, name, (self, *args), kwargs)

    return method


def as_instance(tensor: Tensor, cls: type[T]) -> T:
    """The same tensor - memory, history - as an instance of a class."""
    made: T = object.__new__(cls)
    made._raw, made._node = tensor._raw, tensor._node
    made._k = key_in(cls, tensor._k)
    if tensor._k & VIEW:
        made._base = tensor._base
    return made


def become(tensor: Tensor, cls: type[Tensor]) -> None:
    """Make a tensor itself an instance of another class."""
    tensor.__class__ = cls
    tensor._k = key_in(cls, tensor._k)


def key_in(cls: type, number: int) -> int:
    """The key number of an instance of a class that would be `number` in a plain tensor."""
    plain = unflagged(number, SUBCLASS)
    return flagged(plain, SUBCLASS) if is_asked(cls) else plain


def as_in(tensor: Tensor, other: Tensor) -> Tensor:
    """A tensor that belongs to another, its copy elsewhere or without history, in that one's class."""
    cls = other.__class__
    return as_instance(tensor, cls) if is_asked(cls) else tensor


def converted(value: Any, cls: type[Tensor], args: Sequence[Any] = ()) -> Any:
    """Results as instances of a class; in tuples and lists too, what is no tensor as it is.

    An argument that is itself a result stays what it is: another handle on it is a view of it.
    """
    if isinstance(value, Tensor):
        if isinstance(value, cls):
            return value
        known = any(value is arg for arg in args)
        return value.as_subclass(cls) if known else as_instance(value, cls)
    if isinstance(value, (tuple, list)):
        mapped = [converted(item, cls, args) for item in value]
        return type(value)(*mapped) if hasattr(value, "_fields") else type(value)(mapped)
    return value


def _dispatch_function(
    cls: type[Tensor],
    func: Callable[..., Any],
    types: Sequence[type],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """What an operator does where an argument is an instance of a subclass of Tensor.

    Override it to do something else, or more: `func` is the operator's function (`func.op` tells what
    it is) or that of a method which gives a tensor (`Tensor.detach`; of `x.data` it is
    `Tensor.data.__get__`), `types` the classes among the arguments that have this hook, and a call of
    this one through `super()` computes it on the instances as plain tensors. Results become instances
    of `cls`. Return NotImplemented to leave it to another argument's class; TypeError where all do.

    A class with `__dispatch_function__ = None` is not asked, and results are plain tensors.
    """
    if not all(issubclass(cls, each) for each in types):
        return NotImplemented
    with subclass_hooks(False):
        result = func(*args, **(kwargs or {}))
    return converted(result, cls, args)


def _plain(
    cls: type[Tensor],
    func: Callable[..., Any],
    types: Sequence[type],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """The hook of a class that is mere data to operators: results are plain tensors."""
    with subclass_hooks(False):
        return func(*args, **(kwargs or {}))


PLAIN_DATA: Any = classmethod(_plain)
"""`__dispatch_function__ = PLAIN_DATA`: operators do not ask a class; one derived from it may override it."""
Tensor.__dispatch_function__ = classmethod(_dispatch_function)  # type: ignore[attr-defined]
