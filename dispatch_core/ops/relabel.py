"""In-place changes of a tensor's shape: the handle shows its memory in another way from then on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dispatcher.kinds import telling
from dispatch_core._dual import Dual
from dispatch_core._keys import GRAD, VIEW
from dispatch_core._namespaces import public
from dispatch_core._op import K
from dispatch_core._shapes import wholes
from dispatch_core._tensor import Tensor, grad_mode


def _become(tensor: Tensor, view: Tensor, name: str) -> Tensor:
    if tensor.requires_grad and tensor.is_leaf and grad_mode():
        raise RuntimeError(
            f"{name}(): a leaf Variable that requires grad is being used in an in-place operation. "
            "Write under `with no_grad():` or use the variant that is not in-place."
        )
    if tensor._k & VIEW:
        tensor._base = view._base
    if tensor._raw.__class__ is Dual:
        tensor._raw = view._raw
        return tensor
    if view.requires_grad:
        if not tensor._k & VIEW:
            view._node.only_shape = True
        tensor._node = view._node
        tensor._k |= GRAD
    tensor._raw = view._raw
    return tensor


def _inplace(name: str) -> Callable[..., Tensor]:
    def changed(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
        return _become(self, getattr(K, name)(self, *args, **keywords), f"{name}_")

    changed.__name__ = f"{name}_"
    changed.__doc__ = f"In-place version of `{name}`: the tensor itself gets the new shape."
    return public(f"Tensor.{name}_")(changed)


for _name in ("squeeze", "unsqueeze", "transpose", "t"):
    _inplace(_name)
public("")(_inplace("as_strided"))


@public("Tensor.swapaxes_", "Tensor.swapdims_")
def swapaxes_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """In-place version of `transpose`."""
    return _become(self, K.transpose(self, dim0, dim1), "swapaxes_")


@public("Tensor")
@telling
def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Give the tensor another shape; elements are kept in order, further ones are uninitialised.

    Other than in PyTorch the memory is new unless the number of elements stays the same.
    """
    if not sizes:
        raise TypeError("resize_(): missing 1 required positional argument: 'size'")
    shape: Sequence[int] = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    shape = wholes("size", shape)
    if self._raw.__class__ is Dual:
        raise RuntimeError("cannot resize variables that has a forward grad")
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    count = 1
    for n in shape:
        count *= n
    flat = K.reshape(self.detach(), (-1,))
    have = flat.shape[0]
    if count < have:
        flat = K.clone(K.narrow(flat, 0, 0, count))
    elif count > have:
        flat = K.cat([flat, K.empty(count - have, dtype=self.dtype, device=self.device)], 0)
    self._raw = K.reshape(flat, shape)._raw
    return self


@public("", "Tensor")
@telling
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Give the tensor the shape of another; see `resize_`."""
    return resize_(input, tuple(the_template.shape))
