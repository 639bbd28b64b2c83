"""From operator, keys and state to a chain: the layers outermost first, then a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core import _state
from dispatch_core._dispatcher import chains
from dispatch_core._dispatcher.chains import Body, Chain
from dispatch_core._dispatcher.operator import Op, ParamKind, forget_all
from dispatch_core._dtypes import default_dtype_listeners
from dispatch_core._keys import FIRST_TENSOR_KEY, LOCK, tensor_key
from dispatch_core._layer import LAYERS, Keys, Layer

LAYERS.on_change(forget_all)
default_dtype_listeners.append(forget_all)


class Below:
    """The layers further in than one layer, for one combination; call it for their chain."""

    __slots__ = ("_layers", "keys", "op", "state")

    def __init__(self, op: Op, keys: Keys, state: int, layers: Sequence[Layer]) -> None:
        self.op = op
        self.keys = keys
        self.state = state
        self._layers = layers

    def __call__(self, keys: Keys | None = None) -> Chain:
        """The chain of the layers further in; for other keys if the layer changed the arguments."""
        return _compose(self.op, self.keys if keys is None else keys, self.state, self._layers)


def compose(op: Op, keys: Keys, state: int) -> Chain:
    """The whole chain of a combination, made anew."""
    op.family.admit_operands(op, keys)
    return _compose(op, keys, state, LAYERS.layers)


def _compose(op: Op, keys: Keys, state: int, layers: Sequence[Layer]) -> Chain:
    names = _state.STATES[state]
    for at, layer in enumerate(layers, 1):
        if layer.active(op, keys, names):
            return layer.compose(op, keys, names, Below(op, keys, state, layers[at:]))
    raise RuntimeError(f"no layer answers for {op.name}; the 'device' layer is missing")


def admit(op: Op, keys: Keys) -> None:
    """Raise where the dtypes of the arguments do not go together, as the operator's family says."""
    dtypes = {}
    for at, number in zip(op.selectors, keys, strict=True):
        if op.params[at].kind is not ParamKind.PLACE:
            for each in number if isinstance(number, frozenset) else (number,):
                if each >= FIRST_TENSOR_KEY:
                    dtypes[op.params[at].name] = tensor_key(each).dtype
    op.family.admit(op, {n: d for n, d in dtypes.items() if n not in op.family.apart})
    op.family.admit_apart(op, dtypes)


def definition(op: Op, keys: Keys) -> Body:
    """The chain that runs the body where a layer sees that instead of a kernel."""
    admit(op, keys)
    return Body(op, op.body)  # type: ignore[arg-type]  # layers ask whether there is one


def chain_for(op: Op, args: Sequence[Any]) -> Chain:
    """Compose and publish the chain for these arguments in the current state."""
    state = _state.current_state() or _state.open_context()
    keys = op.keys_of(args)
    with LOCK:
        chain = op.find(state, keys)
        if chain is op.miss:
            chain = compose(op, keys, state)
            op.store(state, keys, chain)
    return chain


chains.SLOTS.chain_for = chain_for
