"""A tensor and its gradient: detaching, hooks, retaining."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from dispatch_core._graph import Leaf, hooks_of, retain
from dispatch_core._handles import RemovableHandle, add_hook
from dispatch_core._keys import GRAD, VIEW
from dispatch_core._methods._table import method
from dispatch_core._namespaces import public
from dispatch_core._subclass import as_in
from dispatch_core._tensor import Tensor, detached


@method
def detach(self: Tensor) -> Tensor:
    """A tensor that shares memory and has no history."""
    return as_in(detached(self), self)


@public("")
@method
def detach_(self: Tensor) -> Tensor:
    """Cut the history off this tensor itself."""
    if self._k & VIEW:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self._node = None
    self._k &= ~GRAD
    return self


@method
def register_hook(self: Tensor, hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(grad)` run when the gradient of this tensor is known; it may return another one."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not callable(hook):
        raise TypeError(f"expected a callable hook, got {hook.__class__.__name__}")
    node = self._node
    if node.__class__ is Leaf:
        if node.hooks is None:
            node.hooks = OrderedDict()
        return add_hook(node.hooks, hook)
    return add_hook(hooks_of(node).on_tensor, hook)


@method
def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(tensor)` run after the gradient of this leaf was accumulated."""
    if not self.requires_grad or self._node.__class__ is not Leaf:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._node.after is None:
        self._node.after = OrderedDict()
    return add_hook(self._node.after, hook)


@method
def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this tensor in `.grad`, though it is not a leaf."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    node = self._node
    if node.__class__ is Leaf or hasattr(node, "retained"):
        return
    retain(node)
