"""New tensors that lie in memory as another does, or as a memory format says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._layouts import check_format, preserve_format
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, detached, says_in_order
from dispatch_core.ops._formulas import order_back

Order = tuple[int, ...]
"""Dimensions from the outermost in memory to the innermost."""


def laid_out(size: Order, order: Order | None, make: Callable[[Order], Tensor]) -> Tensor:
    """What `make` makes of a size, in memory in the order of `order` (None: as the dimensions come)."""
    if order is None:
        return make(size)
    made = make(tuple(size[d] for d in order))
    return detached(K.permute(made, order_back(order)))


def order_of(name: str, memory_format: Any, ndim: int) -> Order | None:
    """The order of a format; TypeError for what is none, RuntimeError for one of other dimensions."""
    if check_format(name, memory_format) is preserve_format:
        raise RuntimeError(f"{name}(): unsupported memory format {memory_format}")
    return memory_format.order(ndim)


def order_like(name: str, input: Tensor, memory_format: Any) -> Order | None:
    """The order for a tensor like `input`: of a format, or by default of its own strides.

    Repeated elements (stride 0) leave a dimension where it is. TypeError for what is no format,
    RuntimeError for one of another number of dimensions.
    """
    if memory_format is not None and memory_format is not preserve_format:
        return order_of(name, memory_format, input.ndim)
    if says_in_order(input):
        return None
    strides = input.stride()
    moving = [d for d, n in enumerate(input.shape) if strides[d] and n != 1]
    ordered = sorted(moving, key=strides.__getitem__, reverse=True)
    if ordered == moving:
        return None
    order = [*range(len(strides))]
    for place, d in zip(moving, ordered, strict=True):
        order[place] = d
    return tuple(order)
