"""Arguments named `axis`."""

from __future__ import annotations

from typing import Any

from dispatch_core._op import K
from dispatch_core._shapes import check_dim
from dispatch_core._tensor import Tensor


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """An axis argument (None for all, an int, a tuple) as dimensions from 0 up."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(check_dim(each, ndim) for each in given)


def reducing(x: Tensor, axis: Any, keepdims: bool) -> tuple[Tensor, Any, bool]:
    """The arguments of a reduction in PyTorch's terms, in which no axes at all, `()`, mean all.

    To reduce over none, a dimension of size 1 is put behind the others.
    """
    if axis == ():
        return K.unsqueeze(x, -1), -1, False
    return x, axis, keepdims
