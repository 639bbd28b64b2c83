"""Calls with instances of subclasses of Tensor: their classes are asked what the operator does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._keys import SUBCLASS, flags_of, unflagged
from dispatch_core._layer import Keys, Layer
from dispatch_core._state import State
from dispatch_core._subclass import HOOK, OFF, is_asked
from dispatch_core._tensor import Tensor


class Subclasses(Layer):
    """Takes part where an argument is an instance of a subclass that operators ask."""

    name = "subclass"
    before = ("views", "devices", "promotion", "inference", "device")
    after = ("explain", "profiler")
    idle = "no argument is of a subclass of Tensor"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return SUBCLASS in flags_of(keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        if OFF in state:
            return below(tuple(unflagged(key, SUBCLASS) for key in keys))
        return Asking(op, below)


class Asking(Chain):
    """Asks the classes of the arguments, those of subclasses before those they derive from."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Below) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        types = asked(args)
        positional, keywords = _as_called(self.op, args)
        for cls in types:
            result = getattr(cls, HOOK)(self.op.front, tuple(types), positional, keywords)
            if result is not NotImplemented:
                return result
        if not types:  # the handle is a plain one, of the framework's own making
            keys = tuple(unflagged(key, SUBCLASS) for key in self.op.keys_of(args))
            return self.below(keys).call(*args)
        names = [cls.__name__ for cls in types]
        raise TypeError(
            f"no implementation found for '{self.op.name}' on types that implement {HOOK}: {names}; "
            "each of them returned NotImplemented"
        )

    def describe(self) -> list[str]:
        return [f"subclass: {HOOK} of the arguments' classes"]


def asked(args: Sequence[Any]) -> list[type]:
    """The classes to ask, each once, in the order in which they are asked."""
    found: list[type] = []
    for each in _tensors(args):
        cls = each.__class__
        if is_asked(cls) and cls not in found:
            at = next((i for i, other in enumerate(found) if issubclass(cls, other)), len(found))
            found.insert(at, cls)
    return found


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _as_called(op: Op, args: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as a caller would write them: keywords where the operator wants them, no defaults."""
    keywords = {
        p.name: value
        for p, value in zip(op.params, args, strict=True)
        if p.keyword_only and value is not p.default
    }
    positional = [v for p, v in zip(op.params, args, strict=True) if not p.keyword_only]
    own = [p for p in op.params if not p.keyword_only]
    while positional and not own[-1].required and positional[-1] is own[-1].default:
        positional.pop()
        own.pop()
    return tuple(positional), keywords
