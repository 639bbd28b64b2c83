"""What is written into a tensor, shares its memory, or copies it whole."""

from __future__ import annotations

import copy
from typing import Any

from dispatch_core._construct import make_subclass, tensor
from dispatch_core._dtypes import (
    Category,
)
from dispatch_core._graph import Leaf
from dispatch_core._keys import GRAD, PLAIN, VIEW
from dispatch_core._methods._table import method
from dispatch_core._op import OPERATORS, K
from dispatch_core._tensor import Tensor, check_tensor, host_values
from dispatch_core.backend.registry import backend_of


@method
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Write another tensor's elements into this one, broadcasting and converting; differentiable."""
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'src' must be Tensor, not {src.__class__.__name__}")
    if src.device != self.device:
        src = K.to_device(src, self.device, non_blocking)
    return OPERATORS["copy"].exposure.inplace(self, src)  # type: ignore[misc]


@method
def set_data(self: Tensor, value: Tensor) -> None:
    """Make this tensor show the memory of another (`x.data = y`)."""
    check_tensor(value, "data")
    if self.requires_grad and value.dtype.category < Category.FLOATING:
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype, got "
            f"{value.dtype}"
        )
    self._raw = value._raw
    self._k = value._k & PLAIN | self._k & GRAD


@method
def __copy__(self: Tensor) -> Tensor:
    """Another handle on the same memory, with the same history."""
    copied = make_subclass(self.__class__, self)
    copied.__dict__.update(self.__dict__)
    copied._k = self._k
    copied._node = Leaf(copied) if self.is_leaf and self.requires_grad else self._node
    if self._k & VIEW:
        copied._base = self._base
    return copied


@method
def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """A leaf with memory and gradient of its own; RuntimeError for what has a history."""
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment. Use detach().clone()."
        )
    known = memo.get(id(self))
    if known is not None:
        return known
    copied = make_subclass(self.__class__, K.clone(self.detach()), self.requires_grad)
    memo[id(self)] = copied
    copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
    if self.grad is not None:
        copied.grad = K.clone(self.grad.detach())
    return copied


@method
def __reduce_ex__(self: Tensor, protocol: int) -> Any:
    state = (str(self.device), self.requires_grad, dict(self.__dict__))
    if not backend_of(self.device.type).holds_values:
        return _rebuild_layout, (
            self.__class__,
            tuple(self.shape),
            self.stride(),
            self.dtype,
            *state,
        )
    return _rebuild, (self.__class__, host_values(self), *state)


def _rebuild(cls: Any, host: Any, device: str, requires_grad: bool, own: Any) -> Tensor:
    return _with_state(cls, tensor(host, device=device), requires_grad, own)


def _rebuild_layout(
    cls: Any, shape: Any, stride: Any, dtype: Any, device: str, requires_grad: bool, own: Any
) -> Tensor:
    data = K.empty_strided(shape, stride, dtype=dtype, device=device)
    return _with_state(cls, data, requires_grad, own)


def _with_state(cls: Any, data: Tensor, requires_grad: bool, own: Any) -> Tensor:
    made: Tensor = make_subclass(cls, data, requires_grad)
    made.__dict__.update(own)
    return made
