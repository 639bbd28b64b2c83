"""The recorded graph: nodes, leaves and the clock that orders operations and in-place writes.

Every node and every in-place write draws its number from one clock. A consumer is therefore always
newer than what it consumes (the engine needs no dependency counts), and "was a saved array modified
since?" is one comparison in the usual case.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dispatch_core._handles import HookTable, RemovableHandle, add_hook

if TYPE_CHECKING:
    from dispatch_core._tensor import Tensor

Raw = Any
"""An array of a backend's own library."""

tick: Callable[[], int] = itertools.count(1).__next__
"""The next moment of the clock that orders nodes and in-place writes."""


class Spec(Protocol):
    """What all nodes of one operator and key combination share."""

    name: str
    keeps_arrays: bool
    """Whether going back uses a node up: what it saved is then released, unless the graph is retained."""

    def gradients(self, node: Node, g: Any, mode: Any) -> tuple[Any, ...]:
        """The gradient for each edge (None where none flows), given the outputs' gradient."""


class Hooks:
    """What the user attached to a node, each by a number that removes it again."""

    __slots__ = ("after", "before", "on_tensor")

    def __init__(self) -> None:
        self.on_tensor: HookTable = OrderedDict()
        self.before: HookTable = OrderedDict()
        self.after: HookTable = OrderedDict()


def hooks_of(node: Node) -> Hooks:
    """The hooks of a node, made at first use."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks


def is_retaining(node: Node) -> bool:
    """Whether a node keeps the gradient of its result."""
    return node.hooks is not None and RETAIN in node.hooks.on_tensor


def retain(node: Node) -> None:
    """Have a node keep the gradient of its result in `retained`."""
    node.retained = None
    hooks_of(node).on_tensor[RETAIN] = functools.partial(_keep, node_of=weakref.ref(node))


def move_retained(old: Any, new: Node) -> None:
    """After a write in place the result of `new` is what the gradient is retained of."""
    if isinstance(old, Node) and old is not new and is_retaining(old):
        hooks_of(old).on_tensor.pop(RETAIN)
        retain(new)


def _keep(g: Tensor, node_of: Any) -> None:
    node = node_of()
    if node is not None:
        known = node.retained
        node.retained = g if known is None else known + g


RETAIN = -1
"""The number of the hook that retains a gradient; it runs after all others."""


class Node:
    """One recorded operation: its edges lead to the nodes of its inputs (None: no gradient needed)."""

    __slots__ = (
        "__weakref__",
        "duals",
        "edges",
        "hooks",
        "metadata_",
        "only_shape",
        "order",
        "retained",
        "saved",
        "shapes",
        "spec",
        "trace",
    )

    spec: Spec
    retained: Tensor | None
    only_shape: bool
    """Set where the tensor itself was given another shape in place: its elements are the old ones."""
    duals: list[Any]
    """The arguments of a call in forward mode, where some have tangents."""
    order: int
    edges: tuple[Any, ...]
    saved: Any
    shapes: Any
    hooks: Hooks | None
    metadata_: dict[str, Any]
    trace: str

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that this one sends gradients to, each with the number of its output."""
        found = []
        for edge in self.edges:
            output = 0
            if edge is not None and edge.__class__ is Pick:
                output = edge.index
                edge = edge.edges[0]
            found.append((shown(edge), output))
        return tuple(found)

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Have `fn(grad_inputs, grad_outputs)` run after this node; it may return new grad_inputs."""
        return add_hook(hooks_of(self).after, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Have `fn(grad_outputs)` run before this node; it may return new grad_outputs."""
        return add_hook(hooks_of(self).before, fn)

    def name(self) -> str:
        """The name of the recorded operation, as PyTorch spells it (`MulBackward0`)."""
        return self.spec.name

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for the user's own notes about this node."""
        try:
            return self.metadata_
        except AttributeError:
            self.metadata_ = {}
        return self.metadata_

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Pick(Node):
    """Stands between an operation with several outputs and the users of one of them."""

    __slots__ = ("index",)

    index: int


class OfFunction(Node):
    """The node of an `autograd.Function`, as users see it: it has the attributes of its `ctx`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in Node.__slots__:  # one that is not set
            raise AttributeError(name)
        return getattr(self.saved, name)


@functools.cache
def _named(base: type[Node], name: str) -> Any:
    return type(name, (base,), {"__slots__": (), "__module__": __name__})


def shown(node: Any) -> Any:
    """A node as it is given to users: of a class that has the name of the operation."""
    if node.__class__ is Node:
        base = OfFunction if getattr(node.spec, "of_function", False) else Node
        node.__class__ = _named(base, node.name())
    return node


class Leaf:
    """The end of a graph: where the gradient of a tensor that the user made is accumulated."""

    __slots__ = ("__weakref__", "after", "grad", "hooks", "order", "tensor")

    spec = None
    edges: tuple[Any, ...] = ()

    def __init__(self, tensor: Tensor) -> None:
        self.grad: Tensor | None = None
        self.hooks: HookTable | None = None
        self.after: HookTable | None = None
        self.order = tick()
        self.tensor = weakref.ref(tensor)

    next_functions: tuple[tuple[Any, int], ...] = ()

    @property
    def variable(self) -> Tensor | None:
        """The tensor whose gradient this is, while it is alive."""
        return self.tensor()

    def name(self) -> str:
        """PyTorch's name for the end of a graph."""
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


Leaf.__name__ = Leaf.__qualname__ = "AccumulateGrad"  # as users know it


class Origin(NamedTuple):
    """Where the gradient of a tensor arrives, and what it looks like."""

    node: Any
    shape: Any
    dtype: Any
    device: Any

    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor flows: a node and the number of its output.

    `backward` and `grad` take it in place of the tensor, whose memory may then be freed.
    """

    node: Node | Leaf
    output_nr: int
    ownership_token: Any = None
    """What keeps the way to `node` alive; of an edge that `get_gradient_edge` gave an `Origin`."""


class _Writes:
    """When each storage was last written in place, and how often; forgets storages that are gone."""

    def __init__(self) -> None:
        self.last = 0
        self._records: dict[int, list[Any]] = {}
        """By the storage's id: a weak reference to it, the moment, the count."""

    def record(self, storage: Any) -> None:
        """Note that `storage` is being written now."""
        identity = id(storage)
        known = self._records.get(identity)
        self.last = moment = tick()
        if known is None:
            forget = self._records.pop
            guard = weakref.ref(storage, lambda _: forget(identity, None))
            self._records[identity] = [guard, moment, 1]
        else:
            known[1] = moment
            known[2] += 1

    def record_all(self, storages: Iterable[Any]) -> None:
        """Note that several storages are being written now, by one call."""
        records = self._records
        moment = tick()
        for storage in storages:
            known = records.get(id(storage))
            if known is None:
                self.record(storage)
            else:
                known[1] = moment
                known[2] += 1
        self.last = tick()

    def moment(self, storage: Any) -> int:
        """When `storage` was last written (0: never)."""
        known = self._records.get(id(storage))
        return 0 if known is None else known[1]

    def version(self, storage: Any) -> int:
        """How often `storage` was written in place."""
        known = self._records.get(id(storage))
        return 0 if known is None else known[2]


WRITES = _Writes()
