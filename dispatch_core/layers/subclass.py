"""Calls with instances of classes that are asked: these say what the operator does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._keys import HOOK, SUBCLASS, has_asked, is_asking, unflagged
from dispatch_core._layer import Keys, Layer
from dispatch_core._state import State
from dispatch_core._subclass import OFF, ask, asked


class Subclasses(Layer):
    """Takes part where an argument is of a class that operators ask, a subclass of Tensor or another."""

    name = "subclass"
    before = ("views", "devices", "promotion", "inference", "device")
    after = ("explain", "profiler")
    idle = "no argument is of a subclass of Tensor"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return is_asking(keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        if OFF in state:
            if has_asked(keys):
                raise TypeError(
                    f"{op.title}an argument is no tensor; its class has {HOOK}, which is not asked in a "
                    "block of subclass_hooks(False)"
                )
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
        if types:
            return ask(types, self.op.front, self.op.name, *_as_called(self.op, args))
        # The handle is a plain one, of the framework's own making.
        keys = tuple(unflagged(key, SUBCLASS) for key in self.op.keys_of(args))
        return self.below(keys).call(*args)

    def describe(self) -> list[str]:
        return [f"subclass: {HOOK} of the arguments' classes"]


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
