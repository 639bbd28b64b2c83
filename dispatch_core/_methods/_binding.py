"""Gives Tensor its methods: operators from the operator table, and those of the files beside this one."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getattr_static
from typing import Any

from dispatch_core import ops  # noqa: F401  declares the operators
from dispatch_core._caller import warn_once
from dispatch_core._dtypes import (
    PUBLIC_NAMES,
    dtype,
    int8,
    uint8,
)
from dispatch_core._indexing import getitem, setitem
from dispatch_core._layouts import strided
from dispatch_core._methods import (  # noqa: F401  enter theirs in the table
    _copies,
    _history,
    _memory,
    _values,
)
from dispatch_core._methods._facts import SIZE
from dispatch_core._methods._table import TABLE
from dispatch_core._namespaces import METHODS, names_of
from dispatch_core._op import OPERATORS, K, dunder
from dispatch_core._subclass import asking, is_asked
from dispatch_core._tensor import SLOTS, Tensor, detached
from dispatch_core._ufuncs import array_ufunc
from dispatch_core.ops.create import converted


def bind() -> None:
    """Give Tensor its methods and Python operators."""
    for declared in OPERATORS.here():
        op, where = declared.op, declared.exposure
        if where.method:
            setattr(Tensor, op.name, declared.front)
        if where.inplace is not None:
            setattr(Tensor, op.name + "_", where.inplace)
            for alias in where.aliases:
                if "." not in alias:
                    setattr(Tensor, alias + "_", where.inplace)
        for alias in where.aliases:
            if "." not in alias and where.method:
                setattr(Tensor, alias, declared.front)
        for operator in where.operators:
            setattr(Tensor, f"__{operator}__", dunder(declared, operator))
    for name, function in (names_of(METHODS) | TABLE).items():
        setattr(Tensor, name, function)
        _note(name, function)
    for name, found in (PUBLIC_NAMES | {"byte": uint8, "char": int8}).items():
        if not hasattr(Tensor, name):
            setattr(Tensor, name, _note(name, _converter(name, found)))
    for name, member in _MEMBERS.items():
        setattr(Tensor, name, member)
    SLOTS.subclassed = _have_asked


_GIVE_TENSORS: dict[str, Callable[..., Any]] = {}
"""The methods that are no operators and give a tensor: those by which instances of a class could leave it."""


def _note(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if getattr(function, "__annotations__", {}).get("return") == "Tensor":
        _GIVE_TENSORS[name] = function
    return function


def _have_asked(cls: type[Tensor]) -> None:
    """Give a subclass that operators ask methods that ask as well, but for those that it has of its own.

    Plain tensors have the methods as they are, and never ask whether there is a hook.
    """
    if not is_asked(cls):
        return
    for name, function in _GIVE_TENSORS.items():
        if getattr(cls, name) is function:
            setattr(cls, name, asking(name, function, function))
    for name in ("data",):
        kept = Tensor.__dict__[name]
        if getattr_static(cls, name) is kept:
            get = asking(name, kept.fget, kept.__get__)
            setattr(cls, name, property(get, kept.fset, doc=kept.__doc__))


def _converter(name: str, found: dtype) -> Callable[..., Tensor]:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        if memory_format is not None:
            return self.to(found, memory_format=memory_format)
        return self if self.dtype is found else converted(self, found)

    convert.__name__ = name
    convert.__doc__ = f"The tensor in dtype {found.name}."
    return convert


def _part_property(name: str) -> property:
    """`x.real`, a view that can also be written: `x.real = y`."""

    def get(self: Tensor) -> Tensor:
        return getattr(K, name)(self)

    def put(self: Tensor, value: Any) -> None:
        get(self)[...] = value

    return property(get, put, doc=f"The {name} parts, as a view.")


def _on(device: str) -> property:
    return property(
        lambda self: self.device.type == device, doc=f"Whether the memory is on device `{device}`."
    )


def _reversed(self: Tensor) -> Tensor:
    """The dimensions in reverse order, as a view; warns, once, where they are not two."""
    if self.ndim != 2:
        warn_once(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated. "
            "Consider `x.mT` to transpose batches of matrices or `x.permute(*range(x.ndim - 1, -1, -1))` "
            "to reverse the dimensions of a tensor."
        )
    return K.permute(self, tuple(range(self.ndim))[::-1])


def _adjoint(self: Tensor) -> Tensor:
    """A matrix transposed and conjugated; RuntimeError for what is no matrix."""
    if self.ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor. For "
            "batches of matrices, consider using tensor.mH"
        )
    if not self.ndim:
        warn_once("Tensor.H is deprecated on 0-D tensors. Consider using x.conj().")
        return K.conj(self)
    return K.conj(_reversed(self))


def _matrix_transposed(self: Tensor) -> Tensor:
    """The last two dimensions exchanged, as a view; RuntimeError for a vector."""
    if not self.ndim:
        return self
    if self.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
        )
    return K.transpose(self, -2, -1)


_MEMBERS: dict[str, Any] = {
    "__array_priority__": 1000,
    "__array_ufunc__": array_ufunc,
    "__getitem__": getitem,
    "__setitem__": setitem,
    "H": property(_adjoint),
    "T": property(_reversed),
    "data": property(detached, _copies.set_data),
    "grad_dtype": property(
        lambda self: self.dtype, doc="The dtype of gradients: the tensor's own."
    ),
    "imag": _part_property("imag"),
    "is_cpu": _on("cpu"),
    "is_cuda": _on("cuda"),
    "is_ipu": False,
    "is_maia": False,
    "is_meta": _on("meta"),
    "is_mps": _on("mps"),
    "is_mtia": False,
    "is_quantized": False,
    "is_sparse": False,
    "is_xla": False,
    "itemsize": property(lambda self: self.dtype.itemsize, doc="The bytes of one element."),
    "layout": strided,
    "mH": property(
        lambda self: K.conj(_matrix_transposed(self)),
        doc="The last two dimensions exchanged, and conjugated; RuntimeError for a vector.",
    ),
    "mT": property(_matrix_transposed),
    "name": None,
    "nbytes": property(
        lambda self: self.numel() * self.dtype.itemsize, doc="The bytes of all elements."
    ),
    "real": _part_property("real"),
    "size": SIZE,
    "retains_grad": property(
        lambda self: hasattr(self._node, "retained"),
        doc="Whether the gradient of this tensor, though no leaf, is kept in `grad`.",
    ),
}
"""What is neither an operator nor a plain method."""
