"""All that the optimizers need of the framework below; no other module here imports from it."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import dtype, finfo, float32, float64, get_default_dtype, int64
from dispatch_core._handles import RemovableHandle
from dispatch_core._op import K, operator_named
from dispatch_core._steps import FORMULAS, Formula, nadam_momentum
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import enable_grad, no_grad, set_grad_enabled
from dispatch_core.ops import cat, empty_like, full_like, zeros, zeros_like

__all__ = [
    "FORMULAS",
    "Formula",
    "RemovableHandle",
    "Tensor",
    "cat",
    "dtype",
    "empty_like",
    "enable_grad",
    "finfo",
    "flatten_tensors",
    "float32",
    "float64",
    "full_like",
    "get_default_dtype",
    "int64",
    "kind_of",
    "nadam_momentum",
    "no_grad",
    "set_grad_enabled",
    "shapes_of",
    "step_body",
    "step_operator",
    "unflatten_tensors_",
    "view_as_real",
    "zeros",
    "zeros_like",
]


def step_operator(name: str) -> Any:
    """The operator of that name ("sgd_step_", ...) as a function."""
    return getattr(K, name)


def step_body(name: str) -> Any:
    """Its definition in terms of other operators, which autograd can record."""
    return operator_named(name).body


def kind_of(tensor: Tensor) -> Any:
    """What tensors of one device, dtype and need of gradients have in common; quick to ask."""
    return tensor._k, tensor._backend.index_of(tensor._raw)


def shapes_of(tensors: list[Tensor]) -> list[tuple[int, ...]]:
    """Their shapes as plain tuples; quick to ask."""
    return [t._raw.shape for t in tensors]


def flatten_tensors(tensors: list[Tensor]) -> Tensor:
    """A new vector of all elements of tensors of one dtype and device."""
    return K.flatten_tensors(tensors)


def unflatten_tensors_(tensors: list[Tensor], values: Tensor) -> None:
    """Overwrites tensors, one after the other, with the elements of a vector."""
    K.unflatten_tensors_(tensors, values)


def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor's parts, as a last dimension of two."""
    return K.view_as_real(input)
