"""`autograd.Variable`: what tensors with a history were called before they were all tensors."""

from __future__ import annotations

from typing import Any

from dispatch_core._tensor import Tensor, check_tensor


class _AnyTensor(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_AnyTensor):
    """`Variable(data, requires_grad=False)`: a tensor that shares memory with `data`, without its history.

    Every tensor is an instance of it. Kept for older programs.
    """

    def __new__(cls, data: Tensor, requires_grad: bool = False) -> Any:
        found = check_tensor(data, "Variable(): argument 'data'").detach()
        return found.requires_grad_() if requires_grad else found
