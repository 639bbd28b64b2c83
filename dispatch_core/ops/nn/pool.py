"""What the pools are computed by: maxima and means of windows, with their gradients."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int64
from dispatch_core._families.base import FLOATING, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.windows import product, window_positions, window_table


def _pooled_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool
) -> int:
    """How many windows there are; with `ceil`, a last partial one that begins inside the data."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (span + (stride - 1 if ceil else 0)) // stride + 1
    return out - 1 if ceil and (out - 1) * stride >= size + padding else out


def pooled_sizes(
    sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> tuple[int, ...]:
    """How many windows there are in each dimension."""
    geometry = zip(sizes, kernel, stride, padding, dilation, strict=True)
    return tuple(_pooled_size(*each, ceil) for each in geometry)


# -- kernels' operators ----------------------------------------------------------------------------


@composite(
    custom(
        REAL_NUMBERS,
        samples=lambda make: [
            (make(2, 3, 7), (3,), (2,), (1,), (1,), False),
            (make(1, 2, 5, 6), (2, 2), (1, 2), (0, 1), (2, 1), True),
        ],
    ),
    grad={
        "input": lambda K, gs, input_shape, out1: K.max_pool_backward(
            gs[0], out1, tuple(input_shape)
        )
    },
    outputs=2,
    namespace="_",
)
def max_pool(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """The largest value of each window of (N, C, *spatial), and its flat position in the plane."""
    sizes = input.shape[2:]
    out = pooled_sizes(sizes, kernel_size, stride, padding, dilation, ceil_mode)
    geometry = zip(kernel_size, out, stride, padding, dilation, strict=True)
    return _largest(input, out, [window_positions(input, *each) for each in geometry])


def _largest(input: Tensor, out: Any, positions: Any) -> tuple[Tensor, Tensor]:
    """Maxima over windows given by their positions in each dimension, and where they were found."""
    lead, sizes = tuple(input.shape[:2]), input.shape[2:]
    at, inside = window_table(sizes, positions)
    planes = K.reshape(input, (*lead, product(sizes)))
    picked = K.reshape(K.index_select(planes, 2, K.reshape(at, (-1,))), (*lead, *at.shape))
    if input.is_floating_point():
        lowest = -math.inf
    else:  # one less than all values that small integers have
        picked, lowest = K.cast(picked, int64), -(2**63)
    element = K.argmax(K.where(inside, picked, lowest), 2)
    found = K.gather(at, 0, K.reshape(element, (product(lead), at.shape[1])))
    found = K.reshape(found, (*lead, at.shape[1]))
    shape = (*lead, *out)
    return K.reshape(K.gather(planes, 2, found), shape), K.reshape(found, shape)


@composite(
    custom(
        REAL_NUMBERS,
        apart=("indices",),
        samples=lambda make: [
            (make(2, 3, 4), make(2, 3, 4, low=0, high=7, integer=True), (2, 3, 7)),
            (make(1, 2, 2, 2), make(1, 2, 2, 2, low=0, high=6, integer=True), (1, 2, 2, 3)),
        ],
    ),
    grad={
        "grad": lambda K, g, indices: K.pick_in_planes(g, indices),
        "indices": NOT_DIFFERENTIABLE,
    },
    namespace="_",
)
def max_pool_backward(grad: Tensor, indices: Tensor, input_shape: Any) -> Tensor:
    """Each value put where `indices` says in its plane of zeros; those of one place are added."""
    lead = tuple(input_shape[:2])
    planes = K.new_zeros(grad, (*lead, product(input_shape[2:])))
    count = product(grad.shape[2:])
    at = K.reshape(indices, (*lead, count))
    return K.reshape(
        K.scatter_add(planes, 2, at, K.reshape(grad, (*lead, count))), tuple(input_shape)
    )


@composite(
    custom(
        REAL_NUMBERS,
        apart=("indices",),
        samples=lambda make: [
            (make(2, 3, 7), make(2, 3, 4, low=0, high=7, integer=True)),
            (make(1, 2, 2, 3), make(1, 2, 2, 2, low=0, high=6, integer=True)),
        ],
    ),
    grad={
        "input": lambda K, g, indices, input_shape: K.max_pool_backward(
            g, indices, tuple(input_shape)
        ),
        "indices": NOT_DIFFERENTIABLE,
    },
    namespace="_",
)
def pick_in_planes(input: Tensor, indices: Tensor) -> Tensor:
    """The values of (N, C, *spatial) at flat positions in each plane, shaped as `indices`."""
    lead = tuple(input.shape[:2])
    planes = K.reshape(input, (*lead, product(input.shape[2:])))
    at = K.reshape(indices, (*lead, product(indices.shape[2:])))
    return K.reshape(K.gather(planes, 2, at), indices.shape)


@composite(
    custom(
        REAL_NUMBERS,
        samples=lambda make: [
            (make(2, 3, 7), (3,), (2,), (1,), False, True, None),
            (make(1, 2, 5, 6), (2, 2), (1, 2), (0, 1), True, False, None),
            (make(1, 2, 5, 6), (2, 2), (2, 2), (0, 0), False, True, 3),
        ],
    ),
    grad={
        "input": lambda K, g, input_shape, kernel_size, stride, padding, ceil_mode,
        count_include_pad, divisor_override: K.avg_pool_backward(
            g, tuple(input_shape), kernel_size, stride, padding, ceil_mode, count_include_pad,
            divisor_override,
        )
    },
    namespace="_",
)  # fmt: skip
def avg_pool(
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """The mean of each window of (N, C, *spatial)."""
    ones = (1,) * len(kernel_size)
    out = pooled_sizes(input.shape[2:], kernel_size, stride, padding, ones, ceil_mode)
    total = K.sum(K.windows(input, kernel_size, stride, padding, ones, out), 2)
    found = K.reshape(total, (*input.shape[:2], *out))
    sizes = input.shape[2:]
    by: Any = divisor_override
    if by is None:
        by = _window_sizes(input, sizes, kernel_size, stride, padding, out, count_include_pad)
    if input.is_floating_point():
        return found / by
    by = K.cast(by, found.dtype) if isinstance(by, Tensor) else by
    return K.cast(K.div(found, by, rounding_mode="trunc"), input.dtype)


def _window_sizes(
    like: Tensor, sizes: Any, kernel: Any, stride: Any, padding: Any, out: Any, with_padding: bool
) -> Tensor:
    """How many elements each window has, its padding counted or not."""
    total: Any = None
    for d, (size, k, s, p, o) in enumerate(zip(sizes, kernel, stride, padding, out, strict=True)):
        begin = K.storage_index(like, o) * s - p
        end = K.minimum(begin + k, size + p)
        if not with_padding:
            begin, end = K.maximum(begin, 0), K.minimum(end, size)
        length = K.reshape(K.maximum(end - begin, 1), (o,) + (1,) * (len(out) - 1 - d))
        total = length if total is None else total * length
    return K.cast(total, like.dtype)


@composite(
    custom(FLOATING, samples=lambda make: [
            (make(2, 3, 4), (2, 3, 7), (3,), (2,), (1,), False, True, None),
            (make(1, 2, 2, 2), (1, 2, 4, 5), (2, 2), (2, 2), (0, 0), False, False, 3),
        ]),
    grad={
        "grad": lambda K, g, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override: K.avg_pool(
            g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )
    },
    namespace="_",
)  # fmt: skip
def avg_pool_backward(
    grad: Tensor,
    input_shape: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """The adjoint of `avg_pool`: each value spread over its window."""
    sizes, out = input_shape[2:], tuple(grad.shape[2:])
    ones = (1,) * len(kernel_size)
    share: Any = divisor_override
    if share is None:
        share = _window_sizes(grad, sizes, kernel_size, stride, padding, out, count_include_pad)
    spread = K.reshape(grad / share, (*grad.shape[:2], 1, product(out)))
    spread = K.expand(spread, (*grad.shape[:2], product(kernel_size), product(out)))
    return K.fold_windows(spread, input_shape, kernel_size, stride, padding, ones, out)


# -- adaptive size ---------------------------------------------------------------------------------


def adaptive_windows(like: Tensor, size: int, out: int) -> tuple[Tensor, Tensor]:
    """First element of, and first element after, each of `out` windows that cover a dimension."""
    i = K.storage_index(like, out)
    out = max(out, 1)  # of no windows there is nothing to divide
    return K.floor_divide(i * size, out), K.floor_divide((i + 1) * size + out - 1, out)


def _longest_window(size: int, out: int) -> int:
    """The most elements in one of the `adaptive_windows`."""
    if not out:
        return 1
    whole, rest = divmod(size, out)
    # Begins are off a whole element by multiples of the divisor, so that this is the most.
    return whole + (rest > 0) + (rest > math.gcd(rest, out))


@composite(
    custom(REAL_NUMBERS, samples=lambda make: [(make(2, 3, 7), (3,)), (make(1, 2, 5, 6), (2, 4))]),
    grad={
        "input": lambda K, gs, input_shape, out1: K.max_pool_backward(
            gs[0], out1, tuple(input_shape)
        )
    },
    outputs=2,
    namespace="_",
)
def adaptive_max(input: Tensor, output_size: Any) -> Any:
    """Maxima over `output_size` windows that cover (N, C, *spatial), and their flat positions."""
    positions = []
    for size, out in zip(input.shape[2:], output_size, strict=True):
        begin, end = adaptive_windows(input, size, out)
        longest = _longest_window(size, out)
        at = K.unsqueeze(K.storage_index(input, longest), 1) + begin
        positions.append(K.where(K.lt(at, end), at, -1))
    return _largest(input, output_size, positions)
