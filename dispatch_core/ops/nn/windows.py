"""Sliding windows over N spatial dimensions, by which convolution and pooling are defined."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import bool_
from dispatch_core._families.base import ALL, NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


def product(sizes: Any) -> int:
    """The product of some sizes."""
    total = 1
    for n in sizes:
        total *= n
    return total


def window_count(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows fit into one dimension."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def window_positions(
    like: Tensor, kernel: int, out: int, stride: int, padding: int, dilation: int
) -> Tensor:
    """Where each element (rows) of each window (columns) of one dimension lies in the input."""
    elements = K.unsqueeze(K.storage_index(like, kernel) * dilation - padding, 1)
    return elements + K.storage_index(like, out) * stride


def window_table(sizes: Any, positions: Any) -> tuple[Tensor, Tensor]:
    """Flat positions (elements, windows) in the input's plane, and which of them lie inside it.

    `positions` holds for each dimension its positions (elements, windows); those outside are given
    flat position 0.
    """
    n = len(sizes)
    flat: Any = None
    inside: Any = None
    for d, (size, at) in enumerate(zip(sizes, positions, strict=True)):
        shape = [1] * (2 * n)
        shape[d], shape[n + d] = at.shape
        at = K.reshape(at, tuple(shape))
        within = K.bitwise_and(K.ge(at, 0), K.lt(at, size))
        flat = at if flat is None else flat * size + at
        inside = within if inside is None else K.bitwise_and(inside, within)
    elements = product(at.shape[0] for at in positions)
    shape2 = (elements, product(at.shape[1] for at in positions))
    inside = K.reshape(inside, shape2)
    return K.where(inside, K.reshape(flat, shape2), 0), inside


def _table(
    like: Tensor, sizes: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, out: Any
) -> tuple[Tensor, Tensor]:
    geometry = zip(kernel_size, out, stride, padding, dilation, strict=True)
    return window_table(sizes, [window_positions(like, *each) for each in geometry])


@composite(
    custom(
        ALL,
        samples=lambda make: [
            (make(2, 3, 5), (3,), (2,), (1,), (1,), (3,)),
            (make(1, 2, 4, 5), (2, 2), (1, 2), (0, 1), (2, 1), (2, 3), 3),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, kernel_size, stride, padding, dilation, out_size: (
            K.fold_windows(g, tuple(input_shape), kernel_size, stride, padding, dilation, out_size)
        )
    },
    namespace="_",
)
def windows(
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    out_size: Any,
    fill: float = 0,
) -> Tensor:
    """The windows of (N, C, *spatial) as (N, C, elements of a window, windows).

    `out_size` windows a dimension; what lies outside the input is `fill`.
    """
    sizes = input.shape[2:]
    at, inside = _table(input, sizes, kernel_size, stride, padding, dilation, out_size)
    planes = K.reshape(input, (*input.shape[:2], product(sizes)))
    picked = K.index_select(planes, 2, K.reshape(at, (-1,)))
    outside = bool(fill) if input.dtype is bool_ else fill
    return K.where(inside, K.reshape(picked, (*input.shape[:2], *at.shape)), outside)


@composite(
    custom(
        NUMBERS,
        samples=lambda make: [
            (make(2, 3, 3, 3), (2, 3, 5), (3,), (2,), (1,), (1,), (3,)),
            (make(1, 2, 4, 6), (1, 2, 4, 5), (2, 2), (1, 2), (0, 1), (2, 1), (2, 3)),
        ],
    ),
    grad={
        "grad": lambda K, g, kernel_size, stride, padding, dilation, out_size: K.windows(
            g, kernel_size, stride, padding, dilation, out_size, 0
        )
    },
    namespace="_",
)
def fold_windows(
    grad: Tensor,
    input_shape: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    out_size: Any,
) -> Tensor:
    """The adjoint of `windows`: each place is the sum of what all windows hold of it."""
    sizes = input_shape[2:]
    at, inside = _table(grad, sizes, kernel_size, stride, padding, dilation, out_size)
    values = K.where(inside, grad, 0)
    lead = tuple(input_shape[:2])
    planes = K.new_zeros(grad, (*lead, product(sizes)))
    values = K.reshape(values, (*lead, at.numel()))
    return K.reshape(K.index_add(planes, 2, K.reshape(at, (-1,)), values), tuple(input_shape))
