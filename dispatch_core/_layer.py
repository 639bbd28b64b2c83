"""Layers: what may wrap a kernel (autograd, profiler, ...), in an order they declare.

A layer is asked once per operator, key combination and state, when the chain for that combination
is composed. The layers that answer `active` are in the chain; the others cost nothing.
"""

from __future__ import annotations

import graphlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from dispatch_core._errors import LayerOrderError, PluginError
from dispatch_core._keys import LOCK
from dispatch_core._state import State

if TYPE_CHECKING:
    from dispatch_core._dispatcher.chains import Chain
    from dispatch_core._dispatcher.compose import Below
    from dispatch_core._dispatcher.operator import Op

Keys = tuple[Any, ...]
"""The key number of each argument that selects a chain; for a list of tensors, the set of theirs."""


class Layer(ABC):
    """One concern that may wrap operator calls.

    `before` and `after` name layers that stand further in (below) and further out (above) than this
    one; names of layers that are not installed are ignored.
    """

    name: ClassVar[str]
    before: ClassVar[Sequence[str]] = ("device",)
    after: ClassVar[Sequence[str]] = ()
    idle: ClassVar[str] = "not switched on"
    """What `explain` says where the layer takes no part."""
    provider: str = "dispatch_core"

    @abstractmethod
    def active(self, op: Op, keys: Keys, state: State) -> bool:
        """Whether this layer takes part in calls of `op` with these keys in this state."""

    @abstractmethod
    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        """The chain that does this layer's part around `below()`, that of the layers further in."""

    def session(self, **options: Any) -> AbstractContextManager[Any]:
        """What `dc.layer(name, **options)` enters at switching the layer on; gives its `as` value.

        A layer that collects something keeps it in a ContextVar of its own, set and reset here.
        """
        if options:
            raise TypeError(f"layer '{self.name}' takes no options, got {', '.join(options)}")
        return nullcontext(self)


class LayerStack:
    """The installed layers, outermost first."""

    def __init__(self) -> None:
        self.layers: tuple[Layer, ...] = ()
        self._on_change: list[Callable[[], None]] = []

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have `callback()` run after every change."""
        self._on_change.append(callback)

    def add(self, *layers: Layer) -> None:
        """Install layers at the places their declarations ask for: all, or with an error none.

        Raises PluginError when a name is taken and LayerOrderError when the declared orders
        contradict each other.
        """
        with LOCK:
            found = self.layers
            for layer in layers:
                taken = next((known for known in found if known.name == layer.name), None)
                if taken is not None:
                    raise PluginError(
                        f"'{layer.provider}' registers a layer '{layer.name}', but "
                        f"'{taken.provider}' already provides one of that name; rename it"
                    )
                found = (*found, layer)
            self.layers = _ordered(found)
        self._changed()

    def remove(self, name: str) -> None:
        """Take a layer out."""
        with LOCK:
            self.layers = tuple(layer for layer in self.layers if layer.name != name)
        self._changed()

    def _changed(self) -> None:
        for callback in self._on_change:
            callback()


def _ordered(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    by_name = {layer.name: layer for layer in layers}
    outer: dict[str, set[str]] = {name: set() for name in by_name}
    for layer in layers:
        for name in layer.before:
            if name in outer:
                outer[name].add(layer.name)
        for name in layer.after:
            if name in outer:
                outer[layer.name].add(name)
    try:
        order = tuple(graphlib.TopologicalSorter(outer).static_order())
    except graphlib.CycleError as error:
        cycle = error.args[1]
        named = " -> ".join(f"'{name}' ({by_name[name].provider})" for name in cycle)
        raise LayerOrderError(
            f"the layers' declared order is a cycle: {named}; change `before` or `after` of one "
            f"of them"
        ) from None
    return tuple(by_name[name] for name in order)


LAYERS = LayerStack()
