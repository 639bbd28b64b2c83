"""Methods that read or change a tensor's elements one by one, or what memory it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._construct import tensor
from dispatch_core._dispatcher.kinds import telling
from dispatch_core._layouts import strided
from dispatch_core._namespaces import public
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, grad_mode

# -- elements by a Python function -------------------------------------------------------------------


def _check_free(self: Tensor, name: str) -> None:
    if self.requires_grad:
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
        )


def _by_elements(self: Tensor, function: Callable[..., Any], others: Any) -> Tensor:
    columns = [K.reshape(K.expand(t, tuple(self.shape)), (-1,)).tolist() for t in (self, *others)]
    made = tensor([function(*row) for row in zip(*columns, strict=True)], dtype=self.dtype)
    self.copy_(K.reshape(made, tuple(self.shape)))
    return self


@public("Tensor")
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by a Python function of it; slow, and only on the cpu."""
    _check_free(self, "apply_")
    if self.device.type != "cpu":
        raise TypeError("apply_ is only implemented on CPU tensors")
    return _by_elements(self, callable, ())


@public("Tensor")
def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element by a Python function of it and that of another tensor; slow."""
    _check_free(self, "map_")
    return _by_elements(self, callable, (tensor,))


@public("Tensor")
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Replace each element by a Python function of it and those of two tensors; slow."""
    _check_free(self, "map2_")
    return _by_elements(self, callable, (x, y))


@public("Tensor")
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write a number on the main diagonal; with `wrap` that of a tall matrix begins anew below."""
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    n = min(self.shape)
    strides = self.stride()
    start = self.storage_offset()
    K.as_strided(self, (n,), (sum(strides),), start).fill_(fill_value)
    rows, columns = self.shape[0], self.shape[1]
    if wrap and self.ndim == 2:
        for first in range(columns + 1, rows, columns + 1):
            size = min(columns, rows - first)
            part = K.narrow(self, 0, first, size)
            K.diagonal(part).fill_(fill_value)
    return self


# -- memory ------------------------------------------------------------------------------------------


@public("Tensor")
@telling
def set_(self: Tensor, source: Any = None) -> Tensor:
    """Have the tensor show the memory of another one, or none."""
    if source is None:
        source = self.detach().new_empty((0,))
    if source.dtype is not self.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {source.dtype.name} to a tensor of type {self.dtype.name}"
        )
    if self.requires_grad and grad_mode():
        raise RuntimeError("set_() has no derivative: call it under no_grad(), or on detach()")
    self._raw = source._raw
    return self


@public("Tensor")
@telling
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same elements of the same memory."""
    one, other = (t._backend.storage_of(t._raw) for t in (self, tensor))
    return (
        one is other
        and self.shape == tensor.shape
        and self.stride() == tensor.stride()
        and self.storage_offset() == tensor.storage_offset()
    )


@public("Tensor")
def const_data_ptr(self: Tensor) -> int:
    """The address of the first element, where the backend has one."""
    return int(self.data_ptr())


@public("Tensor")
def dim_order(self: Tensor) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost."""
    strides = self.stride()
    return tuple(sorted(range(self.ndim), key=lambda d: -strides[d]))


@public("Tensor")
def module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
    """What `load_state_dict` puts in this tensor's place: itself overwritten, or the other one."""
    return other.detach() if assign else self.detach().copy_(other)


@public("Tensor")
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool = True) -> Tensor:
    """The tensor itself: all are dense."""
    return self if dtype is None else self.to(dtype)


@public("Tensor")
def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = strided,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor with a copy of `data`, of the dtype and device of this one."""
    where = self.device if device is None else device
    return tensor(data, dtype=dtype or self.dtype, device=where, requires_grad=requires_grad)


@public("Tensor.where")
def where_method(self: Tensor, condition: Tensor, y: Any) -> Tensor:
    """The tensor's elements where the condition is set, else those of `y`."""
    found: Tensor = K.where(condition, self, y)
    return found
