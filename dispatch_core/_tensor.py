"""The tensor handle: a raw array of some backend, its dispatch key and its place in the graph.

Only what every part of the framework needs of a tensor stands here; operators become methods in
`_methods`, which binds them from the operator table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dispatch_core import _graph
from dispatch_core._caller import warn
from dispatch_core._device import device as Device
from dispatch_core._device import device_named
from dispatch_core._dtypes import dtype as DType
from dispatch_core._graph import WRITES, Leaf, Node, Raw
from dispatch_core._keys import GRAD, INFERENCE, KEYS, PLAIN, TRANSPARENT, VIEW, tensor_key
from dispatch_core._size import Size, trusted_size
from dispatch_core._state import is_on
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import backend_of, proxied


class _Slots:
    """Filled from above: what a property must ask of a part of the framework that stands higher."""

    refresh: Callable[[Tensor], None]
    construct: Callable[..., Tensor]
    as_gradient: Callable[[Tensor, Any], Tensor]
    subclassed: Callable[[type[Tensor]], None] = staticmethod(lambda cls: None)
    """Told of every subclass of Tensor; of those that the framework itself makes before it, not."""


SLOTS = _Slots()


class Tensor:
    """A multi-dimensional array of one dtype on one device, with an optional gradient history.

    `Tensor(data)` and `Tensor(*sizes)` construct a tensor of the default dtype, as in PyTorch; prefer
    `tensor(data)` and `empty(size)`.
    """

    __slots__ = ("__dict__", "__weakref__", "_base", "_k", "_node", "_raw")

    _raw: Raw
    _k: int
    _node: Any
    _base: tuple[Tensor, Any, Any, Any, tuple[Any, ...]]
    """For views only (`_k & VIEW`): the root, its node when the view was made, and how to replay it."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        return SLOTS.construct(cls, *args, **kwargs)

    # -- what the key says ---------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return KEYS[self._k].dtype  # type: ignore[union-attr]

    @property
    def device(self) -> Device:
        """The device that holds the memory."""
        name = KEYS[self._k].device  # type: ignore[union-attr]
        return device_named(name, self._backend.index_of(self._raw))

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded for differentiation."""
        if self._k & VIEW:
            SLOTS.refresh(self)
        return self._k & GRAD != 0

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) recording operations on this tensor, in place; returns it.

        Raises RuntimeError for dtypes that have no derivative and when stopping a tensor that is the
        result of recorded operations (use `detach()`).
        """
        if not isinstance(requires_grad, bool):
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        if requires_grad == self.requires_grad:
            return self
        if requires_grad:
            if not (self.dtype.is_floating_point or self.dtype.is_complex):
                raise RuntimeError(
                    "only Tensors of floating point and complex dtype can require gradients, "
                    f"got {self.dtype}; convert it first, as in x.float().requires_grad_()"
                )
            if INFERENCE in KEYS[self._k].flags and not is_on(INFERENCE):  # type: ignore[union-attr]
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; "
                    "make a clone() to get a normal tensor."
                )
            if self._node is None:
                self._node = Leaf(self)
            self._k |= GRAD
        else:
            if self._node.__class__ is not Leaf:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a "
                    "computed variable in a subgraph that doesn't require differentiation use "
                    "var_no_grad = var.detach()."
                )
            self._k &= ~GRAD
        return self

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return trusted_size(self._raw.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._raw.shape)

    # -- the graph ----------------------------------------------------------------------------------

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded operation."""
        return not self.requires_grad or self._node.__class__ is Leaf

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made this tensor; None for leaves."""
        if not self.requires_grad or self._node.__class__ is Leaf:
            return None
        node: Node = self._node
        return _graph.shown(node.edges[0] if isinstance(node, _graph.Pick) else node)

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` this tensor is."""
        return self._node.index if isinstance(self._node, _graph.Pick) else 0

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient of a leaf, or of a tensor with `retain_grad()`; else None."""
        node = self._node
        if node.__class__ is Leaf:
            found: Tensor | None = node.grad
            return found
        if node is not None and self.requires_grad and not hasattr(node, "retained"):
            warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
                "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
                "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor."
            )
        return None if node is None else getattr(node, "retained", None)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            value = SLOTS.as_gradient(self, value)
        if self._node is None:
            if value is None:
                return
            self._node = Leaf(self)
        if self._node.__class__ is Leaf:
            self._node.grad = value
        else:
            self._node.retained = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def _version(self) -> int:
        """How often the memory behind this tensor was written in place."""
        return WRITES.version(self._backend.storage_of(self._raw))

    @property
    def _is_view_of(self) -> Tensor | None:
        return self._base[0] if self._k & VIEW else None

    # -- for the framework itself ---------------------------------------------------------------------

    @property
    def _backend(self) -> Backend:
        key = tensor_key(self._k)
        return proxied(key.device, key.flags) if key.flags else backend_of(key.device)  # type: ignore[no-any-return]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        SLOTS.subclassed(cls)

    __hash__ = object.__hash__  # by identity, though `==` compares elements


READERS: list[Callable[[Tensor], None]] = []
"""Called with each tensor of which Python reads values; empty but while somebody watches."""


def host_values(tensor: Tensor) -> Any:
    """The elements as a host array, for Python to look at."""
    for watch in READERS:
        watch(tensor)
    return tensor._backend.to_host(tensor._raw)


fresh: Callable[[], Tensor] = partial(object.__new__, Tensor)
"""A tensor whose fields are still to be set; a partial is called faster than `object.__new__` itself."""


def wrap(raw: Raw, key: int, node: Any = None) -> Tensor:
    """A tensor around a raw array."""
    t = fresh()
    t._raw = raw
    t._k = key
    t._node = node
    return t


def wrap_raw(raw: Raw, backend: Backend) -> Tensor:
    """A tensor around a raw array whose key follows from the array's own dtype."""
    if raw.__class__ is not backend.array:
        raw = backend.as_array(raw)
    return wrap(raw, backend.key_of(raw))


def detached(tensor: Tensor) -> Tensor:
    """A tensor that shares memory with `tensor` and has no history."""
    return wrap(tensor._raw, tensor._k & PLAIN)


def says_in_order(tensor: Tensor) -> bool:
    """Whether an array that knows says that its elements lie in the order of the dimensions."""
    flags = getattr(tensor._raw, "flags", None)
    return flags is not None and bool(flags.c_contiguous)


def is_plain(tensor: Tensor) -> bool:
    """Whether `_raw` is an array of the device itself: no batched tensor, none with a tangent."""
    return tensor_key(tensor._k).flags <= TRANSPARENT


def is_readable(tensor: Tensor) -> bool:
    """Whether Python can look at the elements: not those of batched tensors, nor on device `meta`."""
    return is_plain(tensor) and tensor._backend.holds_values


def check_tensor(value: Any, where: str) -> Tensor:
    """`value` if it is a tensor, else a TypeError that names `where`."""
    if isinstance(value, Tensor):
        return value
    raise TypeError(f"{where} must be Tensor, not {type(value).__name__}")


def grad_mode() -> bool:
    """Whether operations are being recorded."""
    return is_on("grad")
