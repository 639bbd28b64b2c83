"""Tensors laid out in memory as strides say, and writing where strides point."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import get_default_dtype
from dispatch_core._families.others import creation, custom, movement
from dispatch_core._namespaces import public
from dispatch_core._op import OPERATORS, Ints, K, composite
from dispatch_core._place import Place, place
from dispatch_core._shapes import pad_sides, wholes
from dispatch_core._tensor import Tensor, detached
from dispatch_core.ops.arrange import _replaced
from dispatch_core.ops.create import _finish, _size

# -- new tensors ---------------------------------------------------------------------------------


def _laid_out(size: Any, stride: Any, where: Place) -> Tensor:
    """An uninitialised tensor of given strides, which owns memory for just its elements."""
    size, stride = _size(size), wholes("stride", stride)
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    if min(stride, default=0) < 0:
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    extent = 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    memory = K.fill_new((extent,), None, where)
    return detached(K.as_strided(memory, size, stride, 0))


@composite(creation())
def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """An uninitialised tensor whose elements lie in memory `stride` apart (in elements)."""
    where = place(device, dtype or get_default_dtype())
    return _finish(_laid_out(size, stride, where), requires_grad)


@composite(creation())
def empty_permuted(
    size: Any,
    physical_layout: Sequence[int],
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """An uninitialised tensor without gaps, its dimensions in memory in a given order.

    `physical_layout` names the dimensions from the outermost to the innermost in memory.
    """
    size = _size(size)
    if len(physical_layout) != len(size):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = "
            f"{len(physical_layout)}"
        )
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(
            "Dimension out of range or duplicate dim: physical_layout must have each of 0 to "
            f"{len(size) - 1} once, but got {list(physical_layout)}"
        )
    stride, step = [0] * len(size), 1
    for d in reversed(physical_layout):
        stride[d] = step
        step *= max(size[d], 1)
    where = place(device, dtype or get_default_dtype())
    return _finish(_laid_out(size, stride, where), requires_grad)


@composite(custom(), grad=NOT_DIFFERENTIABLE, method=True, namespace="_")
def new_empty_strided(
    input: Tensor,
    size: Any,
    stride: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """An uninitialised tensor of given strides, of the dtype and device of `input`."""
    where = place(input.device if device is None else device, dtype or input.dtype)
    return _finish(_laid_out(size, stride, where), requires_grad)


# -- writing and summing ---------------------------------------------------------------------------


@composite(
    custom(samples=lambda make: [(make(3, 4), make(2, 2), (2, 2), (1, 4), 1)]),
    batch="body",
)
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: Any = None
) -> Tensor:
    """A copy with `src` where a view by size, strides and offset would show it."""

    def part(x: Tensor) -> Tensor:
        return K.as_strided(x, tuple(size), tuple(stride), storage_offset)

    return _replaced("as_strided_scatter", input, src, part)


@composite(
    custom(samples=lambda make: [(make(2, 3), (3,)), (make(2, 3), (2, 1)), (make(2, 3), ())]),
    namespace="_",
    method=True,
)
def sum_to_size(input: Tensor, size: Ints) -> Tensor:
    """Summed over the dimensions along which `size` would be broadcast to the tensor's shape."""
    wanted: Sequence[int] = size  # type: ignore[assignment]
    extra = input.ndim - len(wanted)
    shape = input.shape[max(extra, 0) :]
    if extra < 0 or any(n not in (1, m) for n, m in zip(wanted, shape, strict=True)):
        raise RuntimeError(
            f"size {{{list(wanted)}}} is not expandable to size {{{list(input.shape)}}}."
        )
    dims = (*range(extra), *(d for d, n in enumerate(wanted, extra) if n != input.shape[d]))
    if dims:
        input = K.sum(input, dims, True)
    return K.reshape(input, tuple(wanted)) if extra else input


@composite(
    movement(samples=lambda make: [(make(2, 3), (1, 2)), (make(2, 3), (-1, 0, 1, 1), 2)]),
    method=False,
)
def constant_pad_nd(input: Tensor, pad: Any, value: Any = 0) -> Tensor:
    """The last dimensions extended by `value`, or cut; see `nn.functional.pad`."""
    padded = K.pad_constant(input, pad_sides(pad, input.ndim), value)
    return K.clone(padded) if padded is input else padded


# -- in place, as functions ------------------------------------------------------------------------

public("")(OPERATORS["zero"].exposure.inplace)  # type: ignore[type-var]


# -- old factories -----------------------------------------------------------------------------------


@public(".range")
def range_with_end(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Deprecated: start, start + step, ... up to and with end; see `arange`."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces values "
        "in [start, end).",
        stacklevel=2,
    )
    if end is None:
        start, end = 0, start
    if not step:
        raise RuntimeError("step must be nonzero")
    count = int((end - start) / step) + 1
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    where = place(device, dtype or get_default_dtype())
    made = _finish(K.arange_new(start, step, count, where), requires_grad)
    return made if out is None else out.resize_(count).copy_(made)
