"""The one place where an optimizer hands its lists of tensors to an operator.

`fused_step` is the seam: it calls the operator of that name, which runs the backend's kernel where
there is one and the body in `_steps.py` elsewhere.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ._core import Tensor, call_step, view_as_real
from ._steps import BODIES

Lists = tuple[list[Tensor], ...]


class Rows:
    """Rows of tensors (parameter, gradient, state ...) gathered into lists that one step may take.

    Rows of one `key` share a call; parameters of different dtypes or devices never do. The common
    case, a group of equal parameters that step together, is one key and therefore one call.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._batches: dict[tuple[Hashable, ...], Lists] = {}

    def add(self, key: Hashable, *row: Tensor | None) -> None:
        """Appends one parameter's tensors; None stands for state that the options do without."""
        param = row[0]
        if param is None:
            raise TypeError("Rows.add got None for the parameter, the first tensor of a row")
        batch_key = (param.device, param.dtype, key)
        lists = self._batches.get(batch_key)
        if lists is None:
            lists = self._batches[batch_key] = tuple([] for _ in range(self._columns))
        for column, tensor in zip(lists, row, strict=True):
            if tensor is not None:
                column.append(tensor)

    def batches(self) -> list[tuple[Any, Lists]]:
        """(key, lists) of each call to make; complex tensors appear as views of real ones."""
        return [(key[-1], _as_real(lists)) for key, lists in self._batches.items()]


def _as_real(lists: Lists) -> Lists:
    if not lists[0][0].is_complex():
        return lists
    return tuple([view_as_real(tensor) for tensor in column] for column in lists)


def fused_step(name: str, *lists: list[Tensor], **hyper: Any) -> None:
    """Updates parameters and state in place by the operator `name`, a key of `BODIES`.

    The lists are in the order of the body's signature; hyper-parameters are converted to numbers,
    which waits for those that are tensors on a device.
    """
    call_step(name, *lists, **{key: number(value) for key, value in hyper.items()})


def composite_step(name: str, *lists: list[Tensor], differentiable: bool, **hyper: Any) -> None:
    """Updates by the body itself, so that autograd records it and no tensor is read on the host."""
    scalars = {key: scalar(value) for key, value in hyper.items()}
    BODIES[name](*lists, **scalars, differentiable=differentiable)


def run_step(group: dict[str, Any], name: str, *lists: list[Tensor], **hyper: Any) -> None:
    """Chooses between the two by the options of the parameter group.

    `differentiable` must be seen by autograd and `capturable` must not wait for the device; with
    `fused=False` the user asks for the plain formulas.
    """
    if group["differentiable"] or group.get("capturable") or group.get("fused") is False:
        composite_step(name, *lists, differentiable=group["differentiable"], **hyper)
    else:
        fused_step(name, *lists, **hyper)


def number(value: Any) -> Any:
    """A one-element tensor's value as a Python number; anything else unchanged."""
    return value.item() if isinstance(value, Tensor) else value


def scalar(value: Any) -> Any:
    """A one-element tensor as a 0-d one; anything else unchanged."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() != 0 else value
