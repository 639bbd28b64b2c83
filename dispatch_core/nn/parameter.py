"""The tensors a module owns: a `Parameter` is learnt, a `Buffer` is kept."""

from __future__ import annotations

from typing import Any

from dispatch_core._saving import register_subclass
from dispatch_core.nn._core import (
    PLAIN_DATA,
    Tensor,
    as_instance,
    become,
    empty,
    is_asked,
    make_subclass,
    subclass_hooks,
)


def _as_tensor(kind: str, data: Any) -> Tensor:
    if data is None:
        return empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{kind} expected a Tensor, got {type(data).__name__}; make one with tensor(data)"
        )
    return data


class _Marked(type):
    """Counts as instances also those of other classes that were made one: they have the class's MARK."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if super().__instancecheck__(instance):
            return True
        mark = cls.__dict__.get(
            "MARK"
        )  # of the class itself: none is an instance of what derives from it
        return mark is not None and isinstance(instance, Tensor) and hasattr(instance, mark)


def _own(kind: str, data: Tensor, requires_grad: bool) -> Tensor:
    """A leaf on the memory of an instance of a class that operators ask, of the same class."""
    made: Tensor = data.detach()
    if made.__class__ is not data.__class__:
        raise RuntimeError(
            f"{kind} keeps the class of its data, {type(data).__name__}, but detach() of it gave "
            f"{type(made).__name__}; have its __dispatch_function__ return the former for Tensor.detach"
        )
    return made.requires_grad_(requires_grad)


def _rebuild(cls: Any, data: Tensor, arguments: dict[str, bool], state: dict[str, Any]) -> Tensor:
    """Make a Parameter or Buffer again from what `__reduce_ex__` wrote down."""
    result: Tensor = cls(data, **arguments)
    result.__dict__.update(state)
    return result


class Parameter(Tensor, metaclass=_Marked):
    """A leaf tensor that a `Module` lists in `parameters()` when it is assigned as an attribute.

    `Parameter(data)` shares memory with `data`. Results of operators on parameters are plain
    tensors. An integer `data` needs `requires_grad=False`, otherwise RuntimeError is raised.
    An instance of a subclass of Tensor that operators ask keeps its class; `isinstance` says of it that
    it is a Parameter all the same.
    """

    __dispatch_function__ = PLAIN_DATA
    MARK = "_is_param"

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        data = _as_tensor("Parameter", data)
        if is_asked(data.__class__):
            kept: Any = _own("Parameter", data, requires_grad)
            kept._is_param = True
            return kept
        result: Parameter = make_subclass(cls, data, requires_grad)
        return result

    def __repr__(self, **options: Any) -> str:
        return "Parameter containing:\n" + super().__repr__(**options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        copied: Parameter = memo[id(self)]
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        arguments = {"requires_grad": self.requires_grad}
        return _rebuild, (type(self), self.data, arguments, dict(self.__dict__))


class Buffer(Tensor, metaclass=_Marked):
    """A tensor that a `Module` lists in `buffers()` when it is assigned as an attribute.

    A `persistent` buffer is part of the `state_dict`; one that is not is only moved and copied.
    """

    __dispatch_function__ = PLAIN_DATA
    MARK = "_is_buffer"
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        data = _as_tensor("Buffer", data)
        result: Any
        if is_asked(data.__class__):
            result = _own("Buffer", data, data.requires_grad)
            result._is_buffer = True
        else:
            result = make_subclass(cls, data, data.requires_grad)
        result.persistent = persistent
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), persistent=self.persistent)
        copied: Buffer = memo[id(self)]
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        arguments = {"persistent": self.persistent}
        return _rebuild, (type(self), self.data, arguments, dict(self.__dict__))


_NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This happens in "
    "`load_state_dict` when an uninitialized parameter is loaded into an initialized one. Call "
    "`forward` to initialize the parameters before accessing their attributes."
)


def _moved_only(
    cls: Any, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
) -> Any:
    """The hook of tensors without shape: they can be moved and cast, and nothing else."""
    name = func.__name__
    if name not in _HARMLESS:
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {name}. This error happens when you "
            "are using a lazy module or explicitly manipulating uninitialized parameters. When "
            "using lazy modules call `forward` with a dummy batch to initialize the parameters "
            "before calling other functions"
        )
    with subclass_hooks(False):
        result = func(*args, **(kwargs or {}))
    return result if isinstance(result, cls) else as_instance(result, cls)


_HARMLESS = frozenset(
    [
        "__get__",
        "alias",
        "bfloat16",
        "cast",
        "clone",
        "contiguous",
        "cpu",
        "cuda",
        "detach",
        "double",
        "empty_like",
        "float",
        "half",
        "to",
        "to_device",
        "type",
    ]
)
"""The functions that move, cast or copy; `__get__` is that of the attribute `data`."""


class _Uninitialized(Tensor):
    """A tensor of which device and dtype are known, and the shape is not yet."""

    __dispatch_function__ = classmethod(_moved_only)
    cls_to_become: type[Tensor]

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give it a shape: from now on it is a Parameter or Buffer, of undefined content."""
        device = self.device if device is None else device
        dtype = self.dtype if dtype is None else dtype
        become(self, self.cls_to_become)
        self.data = empty(tuple(shape), device=device, dtype=dtype)

    @property
    def shape(self) -> Any:
        """Not known yet: RuntimeError."""
        raise RuntimeError(_NO_SHAPE)

    def share_memory_(self) -> Any:
        """There is no memory yet: RuntimeError."""
        raise RuntimeError("Can't share memory on an uninitialized parameter or buffer.")

    def __repr__(self, **options: Any) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), self._arguments()

    def _arguments(self) -> tuple[Any, ...]:
        """What it is made of."""
        raise NotImplementedError

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(*self._arguments())
        return memo[id(self)]


class UninitializedParameter(_Uninitialized, Parameter):
    """A Parameter whose shape is not known until `materialize(shape)`, as in lazy modules.

    It can be moved, cast, saved and loaded; its shape raises RuntimeError, operators raise ValueError.
    """

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> UninitializedParameter:
        data = empty(0, device=device, dtype=dtype)
        result: UninitializedParameter = make_subclass(cls, data, requires_grad)
        return result

    def _arguments(self) -> tuple[Any, ...]:
        return self.requires_grad, self.device, self.dtype


class UninitializedBuffer(_Uninitialized, Buffer):
    """A Buffer whose shape is not known until `materialize(shape)`."""

    cls_to_become = Buffer

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> UninitializedBuffer:
        data = empty(0, device=device, dtype=dtype)
        result: UninitializedBuffer = make_subclass(cls, data, requires_grad)
        result.persistent = persistent
        return result

    def _arguments(self) -> tuple[Any, ...]:
        persistent = getattr(self, "persistent", True)  # what a move returns has no attributes
        return self.requires_grad, self.device, self.dtype, persistent


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, _Uninitialized)


register_subclass(Parameter, "parameter", Parameter)
register_subclass(Buffer, "buffer", lambda data, requires_grad: Buffer(data))
