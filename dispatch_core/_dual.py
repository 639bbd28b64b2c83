"""Dual tensors: handles that hold two tensors, a value (the primal) and its tangent.

The key of a dual tensor has the flag of its level and its `_raw` is a `Dual`, so other calls never
test for it. What is asked about a dual tensor - values, strides, history - is answered by its primal.
When a level ends, its dual tensors become what their primals are.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from dispatch_core._device import device as Device
from dispatch_core._graph import Raw
from dispatch_core._keys import KEYS, VIEW, key_number, tensor_key
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import backend_of

ON, OFF = "forward", "forward_off"
"""Names in a state: some level is open; tangents are dropped all the same."""
_FLAG = "dual"


class Level:
    """One nesting of forward mode, and the dual tensors that live in it."""

    __slots__ = ("flag", "members", "number", "sources")

    def __init__(self, number: int) -> None:
        self.number = number
        self.flag = f"{_FLAG}{number}"
        self.members: WeakValueDictionary[int, Tensor] = WeakValueDictionary()
        self.sources: WeakValueDictionary[int, Tensor] = WeakValueDictionary()
        """The tensors whose memory the primals of `make_dual` share."""

    def shows(self, root: Tensor) -> bool:
        """Whether the memory of a tensor is that of the primal of a dual tensor which is in use."""
        return self.sources.get(id(root)) is root and any(
            root_of(member._raw.primal) is root for member in list(self.members.values())
        )

    def end(self) -> None:
        """Have all dual tensors of the level become what their primals are."""
        for member in list(self.members.values()):
            _become_primal(member)


LEVELS: ContextVar[tuple[Level, ...]] = ContextVar("dual_levels", default=())
"""The levels that are open in this thread or task, outermost first."""


class Dual:
    """What stands in `_raw` of a dual tensor."""

    __slots__ = ("level", "primal", "tangent")

    base = None

    def __init__(self, primal: Tensor, tangent: Tensor, level: Level) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of both."""
        return self.primal._raw.shape


def level_of(value: Any) -> int:
    """The number of the level of a dual tensor, the innermost if it has several; -1 for all else."""
    if isinstance(value, Tensor) and value._raw.__class__ is Dual:
        return value._raw.level.number
    return -1


INSIDE: dict[type, Callable[[Any], tuple[Tensor, ...]]] = {
    Dual: lambda raw: (raw.primal, raw.tangent)
}
"""For each class of what may stand in `_raw` instead of an array: the tensors within."""


def has_history(value: Any) -> bool:
    """Whether a value is a tensor that requires grad, or something within it does (a tangent, a batch)."""
    if not isinstance(value, Tensor):
        return False
    inside = INSIDE.get(value._raw.__class__)
    within = () if inside is None else inside(value._raw)
    return value.requires_grad or any(has_history(each) for each in within)


def root_of(tensor: Tensor) -> Tensor:
    """The tensor that a view is part of; itself, if that one has not its tangent (`make_dual`)."""
    if tensor._k & VIEW:
        root = tensor._base[0]
        if level_of(root) >= level_of(tensor):
            return root
    return tensor


def is_dual_key(number: int) -> bool:
    """Whether a key number is that of a dual tensor."""
    key = KEYS[number]
    return key is not None and any(flag.startswith(_FLAG) for flag in key.flags)


def _through(name: str) -> Any:
    """The backend's method of that name, asked about the raw array of the innermost primal.

    That of the primal itself, which may be batched and so have another backend than its device.
    """

    def ask(self: _Below, raw: Raw) -> Any:
        backend = self.backend
        while raw.__class__ is Dual:
            backend, raw = raw.primal._backend, raw.primal._raw
        return getattr(backend, name)(raw)

    return ask


class _Below:
    """What may be asked of the backend of a dual tensor; nothing that would lose the tangent."""

    __slots__ = ("backend",)

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    dtype_of = _through("dtype_of")
    index_of = _through("index_of")
    layout_of = _through("layout_of")
    storage_of = _through("storage_of")
    to_host = _through("to_host")


def _of_primal(name: str) -> Any:
    """A property that is the primal's."""

    def get(self: Tensor) -> Any:
        return getattr(self._raw.primal, name)

    def put(self: Tensor, value: Any) -> None:
        setattr(self._raw.primal, name, value)

    def delete(self: Tensor) -> None:
        delattr(self._raw.primal, name)

    return property(get, put, delete)


def _by_primal(name: str) -> Any:
    """A method that is the primal's."""

    def call(self: Tensor, *args: Any, **keywords: Any) -> Any:
        return getattr(self._raw.primal, name)(*args, **keywords)

    call.__name__ = name
    return call


class DualTensor(Tensor):
    """A tensor with a tangent. Where it is a view, `_base` names the root by its (dual) handle."""

    __slots__ = ()
    __dispatch_function__ = None

    plain: ClassVar[type[Tensor]] = Tensor
    """What such a tensor is once its level has ended."""

    data = _of_primal("data")
    device: Device = _of_primal("device")
    grad = _of_primal("grad")
    grad_fn = _of_primal("grad_fn")
    is_leaf = _of_primal("is_leaf")
    output_nr = _of_primal("output_nr")
    requires_grad = _of_primal("requires_grad")
    __deepcopy__ = _by_primal("__deepcopy__")
    __dlpack__ = _by_primal("__dlpack__")
    __reduce_ex__ = _by_primal("__reduce_ex__")
    data_ptr = _by_primal("data_ptr")
    detach = _by_primal("detach")

    @property
    def _node(self) -> Any:
        return _node_of(self._raw.primal)

    @_node.setter
    def _node(self, node: Any) -> None:
        self._raw.primal._node = node

    @property
    def _backend(self) -> Any:
        return _Below(backend_of(KEYS[self._k].device))  # type: ignore[union-attr]

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) recording operations on the primal; returns the dual tensor."""
        self._raw.primal.requires_grad_(requires_grad)
        return self

    def detach_(self) -> Tensor:
        """Cut history and tangent off this tensor itself."""
        Tensor.detach_(_become_primal(self))
        return self

    def as_subclass(self, cls: Any) -> Any:
        """The same dual tensor as an instance of a subclass of Tensor."""
        made = object.__new__(dual_class(cls))
        return _show(made, self._raw, self._k, self)

    def __repr__(self) -> str:
        raw = self._raw
        return f"{repr(raw.primal)[:-1]}, tangent={raw.tangent!r})"


def _node_of(tensor: Tensor) -> Any:
    """The node of a tensor, which a view may have to bring up to date."""
    return tensor._node if tensor.requires_grad or not tensor._k & VIEW else None


_classes: dict[type[Tensor], Any] = {Tensor: DualTensor}


def dual_class(cls: type[Tensor]) -> Any:
    """The class of dual tensors of a subclass of Tensor."""
    if issubclass(cls, DualTensor):
        return cls
    if cls not in _classes:
        meta: Any = type(cls)
        _classes[cls] = meta(cls.__name__, (DualTensor, cls), {"__slots__": (), "plain": cls})
    return _classes[cls]


def make(primal: Tensor, tangent: Tensor, level: Level) -> Tensor:
    """A dual tensor of a level, whose parts lie in memory alike."""
    key = tensor_key(primal._k)
    number = key_number(key.device, key.dtype, key.flags | {level.flag})
    return _show(object.__new__(DualTensor), Dual(primal, tangent, level), number)


def _show(handle: Tensor, raw: Dual, number: int, like: Tensor | None = None) -> Any:
    """Have a handle of class DualTensor show a Dual, as a view of what `like` is a view of."""
    handle._raw = raw
    handle._k = number
    if like is not None and like._k & VIEW:
        handle._base = like._base
    raw.level.members[id(handle)] = handle
    return handle


def become_dual(handle: Tensor, like: Tensor) -> None:
    """Have a handle of any class show what a dual tensor shows."""
    if handle.__class__ is not DualTensor:
        Tensor._node.__set__(handle, None)  # the primal holds it
        handle.__class__ = dual_class(handle.__class__)
    _show(handle, like._raw, like._k, like)


def _become_primal(handle: Tensor) -> Tensor:
    """Have a dual tensor be what its primal is; a view keeps its root, whose handle users have."""
    primal = handle._raw.primal
    is_view = handle._k & VIEW
    if primal._raw.__class__ is Dual:
        _show(handle, primal._raw, primal._k | is_view, None if is_view else primal)
        return handle
    if is_view and handle._base[0]._k & VIEW:  # a root in forward mode only
        is_view = 0
    node = _node_of(primal)
    handle.__class__ = handle.plain  # type: ignore[attr-defined]
    handle._raw, handle._k, handle._node = primal._raw, primal._k | is_view, node
    if primal._k & VIEW and not is_view:
        handle._base = primal._base
    return handle
