"""The one place where an optimizer hands its lists of tensors to an operator.

`fused_step` is the seam: it calls the operator of that name, which runs the backend's kernel where
there is one and its body (`ops/nn/optim.py`) elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from dispatch_core.optim._core import Tensor, kind_of, step_body, step_operator, view_as_real

Column: TypeAlias = list[Tensor] | None


Kind: TypeAlias = Callable[[Tensor], Any]


def batches(columns: list[list[Any]], kind: Kind = kind_of) -> Iterator[list[Any]]:
    """Columns of equal length (parameters, gradients, state ...) cut into those of each call.

    Parameters of different kinds never share a call. The common case, a group whose parameters are
    of one kind, is one call. A column that has None stands for state without a use, and is None;
    complex tensors appear as views of real ones.
    """
    found: dict[Any, list[int]] = {}
    for i, key in enumerate(map(kind, columns[0])):
        found.setdefault(key, []).append(i)
    for indices in found.values():
        yield [_picked(column, indices) for column in columns]


def _picked(column: list[Any], indices: list[int]) -> Any:
    first = column[indices[0]]
    if first is None:
        return None
    picked = column if len(indices) == len(column) else [column[i] for i in indices]
    if isinstance(first, Tensor) and first.is_complex():
        return [real(tensor) for tensor in picked]
    return picked


def real(tensor: Tensor) -> Tensor:
    """A complex tensor as a view of a real one, any other as it is."""
    return view_as_real(tensor) if tensor.is_complex() else tensor


def fused_step(name: str, *lists: Column, **hyper: Any) -> None:
    """Updates parameters and state in place by the operator `name`.

    The lists are in the order of the body's signature; hyper-parameters are converted to numbers,
    which waits for those that are tensors on a device.
    """
    step_operator(name)(*lists, **{key: number(value) for key, value in hyper.items()})


def composite_step(name: str, *lists: Column, differentiable: bool, **hyper: Any) -> None:
    """Updates by the body itself, so that autograd records it and no tensor is read on the host."""
    scalars = {key: scalar(value) for key, value in hyper.items()}
    step_body(name)(*lists, **scalars, differentiable=differentiable)


def run_step(group: dict[str, Any], name: str, *lists: Column, **hyper: Any) -> None:
    """Chooses between the two by the options of the parameter group."""
    if is_fused(group):
        fused_step(name, *lists, **hyper)
    else:
        composite_step(name, *lists, differentiable=group.get("differentiable", False), **hyper)


def is_fused(group: dict[str, Any]) -> bool:
    """Whether the parameters of a group are updated by the operator and not by its body.

    `differentiable` must be seen by autograd and `capturable` must not wait for the device; with
    `fused=False` the user asks for the plain formulas.
    """
    get = group.get
    return not (get("differentiable") or get("capturable") or get("fused") is False)


def number(value: Any) -> Any:
    """A one-element tensor's value as a Python number; anything else unchanged."""
    return value.item() if isinstance(value, Tensor) else value


def scalar(value: Any) -> Any:
    """A one-element tensor as a 0-d one; anything else unchanged."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() != 0 else value
