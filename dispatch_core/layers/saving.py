"""Saved tensors as the user wants them kept: `autograd.graph.saved_tensors_hooks`.

While such hooks are on, what a node saves is handed to the pack hook right after the call, and the
node's spec is one that asks the unpack hook when the gradient comes. Nodes of other calls are as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.operator import Op
from dispatch_core._graph import WRITES, Node, Pick
from dispatch_core._keys import GRAD
from dispatch_core._state import is_on
from dispatch_core._tensor import Tensor, detached, wrap_raw
from dispatch_core.backend.api import Backend
from dispatch_core.layers.spec import Mode, OperatorSpec

ON = "saved_tensors_hooks"
"""The name in the state."""
Hook = Callable[[Any], Any]
Pair = tuple[Hook, Hook]
HOOKS: ContextVar[tuple[Pair, ...]] = ContextVar("saved_tensors_hooks", default=())
"""The pack and unpack hooks of this thread or task; the last pair is asked."""


class Packed:
    """What the pack hook made of one saved array."""

    __slots__ = ("backend", "dtype", "kept", "shape", "unpack")

    def __init__(self, tensor: Tensor, hooks: Pair) -> None:
        pack, self.unpack = hooks
        self.backend = tensor._backend
        self.shape, self.dtype = tensor._raw.shape, tensor.dtype
        storage = self.backend.storage_of(tensor._raw)
        written = WRITES.version(storage)
        self.kept = pack(tensor)
        if WRITES.version(storage) != written:
            raise RuntimeError(
                "a saved tensor's pack hook wrote into the tensor it was given, which others use: work on a "
                "copy, as in tensor.clone()"
            )

    def tensor(self) -> Tensor:
        """The tensor that the unpack hook gives back."""
        found = self.unpack(self.kept)
        if not isinstance(found, Tensor):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got {type(found).__name__}"
            )
        return found

    def array(self) -> Any:
        """Its array."""
        tensor = self.tensor()
        if tensor._raw.shape != self.shape:
            raise RuntimeError(
                f"a saved tensor's unpack hook returned one of shape {list(tensor.shape)}, but "
                f"{list(self.shape)} was saved"
            )
        found = (tensor if tensor.dtype is self.dtype else tensor.to(self.dtype))._raw
        if found.__class__ is not self.backend.array:
            raise RuntimeError(
                f"a saved tensor's unpack hook returned one of another device than '{self.backend.device}', "
                "where it was saved; move it back, as in packed.to(device)"
            )
        return found


def hooks_now() -> Pair:
    """The hooks that are asked now."""
    return HOOKS.get()[-1]


class Packing(Chain):
    """Records a call, then has what it saved packed."""

    __slots__ = ("below", "spec")

    def __init__(self, op: Op, below: Chain, spec: OperatorSpec) -> None:
        self.op = op
        self.below = below
        self.spec = PackedSpec(spec)

    def call(self, *args: Any) -> Any:
        results = self.below.call(*args)
        for result in results if isinstance(results, tuple) else (results,):
            if result._k & GRAD:
                node = result._node
                self.spec.pack(node.edges[0] if isinstance(node, Pick) else node)
                break
        return results

    def describe(self) -> list[str]:
        return ["saved tensors are packed by a hook", *self.below.describe()]


class PackedSpec(OperatorSpec):
    """The spec of nodes whose saved values are packed."""

    __slots__ = ()

    def __init__(self, spec: OperatorSpec) -> None:
        for name in OperatorSpec.__slots__:
            setattr(self, name, getattr(spec, name))
        self.calls = None  # the engine's fast loop takes saved values as they are

    def pack(self, node: Node) -> None:
        """Have all that a node of the operator saved packed."""
        node.saved = _packed(node.saved, self.backend, hooks_now())
        node.spec = self

    def gradients(self, node: Node, g: Any, mode: Mode) -> tuple[Any, ...]:
        kept = node.saved
        node.saved = unpacked(kept)
        try:
            return super().gradients(node, g, mode)
        finally:
            node.saved = kept


def _packed(value: Any, backend: Backend, hooks: Pair) -> Any:
    """Saved values with every array packed."""
    if isinstance(value, backend.array):
        return Packed(wrap_raw(value, backend), hooks)
    if value.__class__ in (list, tuple):
        return value.__class__(_packed(each, backend, hooks) for each in value)
    return value


def kept_array(tensor: Tensor) -> Any:
    """What is kept of a tensor: its array, or what the pack hook makes of it."""
    return Packed(detached(tensor), hooks_now()) if is_on(ON) else tensor._raw


def unpacked(value: Any) -> Any:
    """Saved values with every packed one given back."""
    if value.__class__ is Packed:
        return value.array()
    if value.__class__ in (list, tuple):
        return value.__class__(unpacked(each) for each in value)
    return value
