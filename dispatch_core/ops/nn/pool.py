"""Pooling: maximum, mean and power mean of windows, also of adaptive size; and unpooling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int64
from dispatch_core._families.base import FLOATING, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn._sizes import batched, declared, ntuple
from dispatch_core.ops.nn.windows import product, window_positions, window_table


def _pooled_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool
) -> int:
    """How many windows there are; with `ceil`, a last partial one that begins inside the data."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (span + (stride - 1 if ceil else 0)) // stride + 1
    return out - 1 if ceil and (out - 1) * stride >= size + padding else out


def _pooled_sizes(
    sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> tuple[int, ...]:
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
        "input": lambda K, gs, input_shape, outs: K.max_pool_backward(
            gs[0], outs[1], tuple(input_shape)
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
    out = _pooled_sizes(sizes, kernel_size, stride, padding, dilation, ceil_mode)
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
        FLOATING,
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
    out = _pooled_sizes(input.shape[2:], kernel_size, stride, padding, ones, ceil_mode)
    total = K.sum(K.windows(input, kernel_size, stride, padding, ones, out), 2)
    found = K.reshape(total, (*input.shape[:2], *out))
    sizes = input.shape[2:]
    if divisor_override is not None:
        return found / divisor_override
    return found / _window_sizes(input, sizes, kernel_size, stride, padding, out, count_include_pad)


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


# -- public functions ------------------------------------------------------------------------------


def _geometry(
    n: int, what: str, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """The sizes for each dimension; RuntimeError where they make no sense."""
    kernel = ntuple("kernel_size", kernel_size, n)
    empty = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    stride = kernel if empty else ntuple("stride", stride, n)
    padding, dilation = ntuple("padding", padding, n), ntuple("dilation", dilation, n)
    if min(stride) < 1:
        raise RuntimeError(f"stride should not be zero, got {stride}")
    if min(kernel) < 1 or min(dilation) < 1:
        raise RuntimeError(
            f"kernel size and dilation should be greater than zero, got kernel_size={kernel} and "
            f"dilation={dilation}"
        )
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} and dilation={d}"
            )
    sizes = tuple(input.shape[-n:])
    out = (
        _pooled_sizes(sizes, kernel, stride, padding, dilation, ceil_mode)
        if len(sizes) == n
        else ()
    )
    if min(out, default=1) < 1:
        raise RuntimeError(
            f"Given input size: {list(sizes)}. Output size is too small for {what} with "
            f"kernel_size={kernel}"
        )
    return kernel, stride, padding, dilation


def _max_pool(
    n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    what = f"max_pool{n}d"
    sizes = _geometry(n, what, input, kernel_size, stride, padding, dilation, ceil_mode)
    found = batched(what, input, n, lambda x: K.max_pool(x, *sizes, ceil_mode))
    return found if return_indices else found[0]


def _avg_pool(
    n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Any:  # fmt: skip
    what = f"avg_pool{n}d"
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    kernel, stride, padding, _ = _geometry(
        n, what, input, kernel_size, stride, padding, 1, ceil_mode
    )
    return batched(
        what,
        input,
        n,
        lambda x: K.avg_pool(
            x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override
        ),
    )


def _lp_pool(
    n: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    kernel = ntuple("kernel_size", kernel_size, n)
    mean = _avg_pool(n, K.pow(input, norm_type), kernel, stride, 0, ceil_mode, True, None)
    return K.pow(K.sgn(mean) * K.relu(K.abs(mean)) * product(kernel), 1.0 / norm_type)


def _adaptive_size(n: int, input: Tensor, output_size: Any) -> tuple[int, ...]:
    """The wanted size; None keeps that of the input."""
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * n
    if len(given) != n:
        raise RuntimeError(f"output_size must have {n} elements, but got {given}")
    return tuple(
        int(size if wanted is None else wanted)
        for wanted, size in zip(given, input.shape[-n:], strict=True)
    )


def _adaptive_windows(like: Tensor, size: int, out: int) -> tuple[Tensor, Tensor]:
    """First element of, and first element after, each of `out` windows that cover a dimension."""
    i = K.storage_index(like, out)
    return K.floor_divide(i * size, out), K.floor_divide((i + 1) * size + out - 1, out)


def _adaptive_avg_pool(n: int, input: Tensor, output_size: Any) -> Any:
    wanted = _adaptive_size(n, input, output_size)
    sizes = tuple(input.shape[-n:])
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"adaptive_avg_pool{n}d(): Expected {n + 1}D or {n + 2}D tensor, but got "
            f"{list(input.shape)}"
        )
    if all(o and s % o == 0 for s, o in zip(sizes, wanted, strict=True)):
        kernel = tuple(s // o for s, o in zip(sizes, wanted, strict=True))
        return _avg_pool(n, input, kernel, None, 0, False, True, None)
    for d, (size, out) in enumerate(zip(sizes, wanted, strict=True), -n):
        begin, end = _adaptive_windows(input, size, out)
        at = K.unsqueeze(K.storage_index(input, size), 1)
        covers = K.cast(K.bitwise_and(K.ge(at, begin), K.lt(at, end)), input.dtype)
        shares = covers / K.cast(end - begin, input.dtype)
        input = K.movedim(K.matmul(K.movedim(input, d, -1), shares), -1, d)
    return input


def _adaptive_max_pool(n: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    wanted = _adaptive_size(n, input, output_size)
    found = batched(f"adaptive_max_pool{n}d", input, n, lambda x: K.adaptive_max(x, wanted))
    return found if return_indices else found[0]


@composite(
    custom(REAL_NUMBERS, samples=lambda make: [(make(2, 3, 7), (3,)), (make(1, 2, 5, 6), (2, 4))]),
    grad={
        "input": lambda K, gs, input_shape, outs: K.max_pool_backward(
            gs[0], outs[1], tuple(input_shape)
        )
    },
    outputs=2,
    namespace="_",
)
def adaptive_max(input: Tensor, output_size: Any) -> Any:
    """Maxima over `output_size` windows that cover (N, C, *spatial), and their flat positions."""
    positions = []
    for size, out in zip(input.shape[2:], output_size, strict=True):
        begin, end = _adaptive_windows(input, size, out)
        longest = max((-(-(i + 1) * size // out) - i * size // out for i in range(out)), default=1)
        at = K.unsqueeze(K.storage_index(input, longest), 1) + begin
        positions.append(K.where(K.lt(at, end), at, -1))
    return _largest(input, output_size, positions)


def _unpooled_size(
    n: int, input: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> tuple[int, ...]:
    """The size that pooling had before; ValueError where `output_size` could not be it."""
    default = tuple(
        (size - 1) * s + k - 2 * p
        for size, k, s, p in zip(input.shape[-n:], kernel, stride, padding, strict=True)
    )
    if output_size is None:
        return default
    wanted = tuple(output_size)
    if len(wanted) == n + 2:
        wanted = wanted[2:]
    if len(wanted) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a "
            f"length of '{len(wanted)}'"
        )
    for d, (w, size, s) in enumerate(zip(wanted, default, stride, strict=True)):
        if not size - s < w < size + s:
            raise ValueError(
                f'invalid output_size "{wanted}" (dim {d} must be between {size - s} '
                f"and {size + s})"
            )
    return wanted


def _max_unpool(
    n: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any,
    output_size: Any,
) -> Any:  # fmt: skip
    kernel = ntuple("kernel_size", kernel_size, n)
    stride = kernel if stride is None else ntuple("stride", stride, n)
    padding = ntuple("padding", padding, n)
    size = _unpooled_size(n, input, kernel, stride, padding, output_size)
    if input.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor "
            f"({list(input.shape)}) but got indices tensor with shape: {list(indices.shape)}"
        )
    at = indices if indices.ndim == n + 2 else K.unsqueeze(indices, 0)

    def put(x: Tensor) -> Tensor:
        lead = tuple(x.shape[:2])
        flat = (*lead, product(x.shape[2:]))
        planes = K.new_zeros(x, (*lead, product(size)))
        filled = K.scatter_src(planes, 2, K.reshape(at, flat), K.reshape(x, flat))
        return K.reshape(filled, (*lead, *size))

    return batched(f"max_unpool{n}d", input, n, put)


_DOCS = {
    "max_pool?d": "The largest value of each window of (N, C, *), ?-dimensional; N may be missing.",
    "avg_pool?d": "The mean of each window of (N, C, *), ?-dimensional; N may be missing.",
    "lp_pool?d": "(sum of x^p)^(1/p) over each window of (N, C, *), ?-dimensional.",
    "adaptive_avg_pool?d": "Means over `output_size` windows that cover (N, C, *), ?-dimensional.",
    "adaptive_max_pool?d": "Maxima over `output_size` windows that cover (N, C, *), ?-dimensional.",
    "max_pool?d_with_indices": "`max_pool?d`, and the flat position of each maximum in its plane.",
    "adaptive_max_pool?d_with_indices": "`adaptive_max_pool?d`, and the positions of the maxima.",
    "max_unpool?d": "Each maximum of `max_pool?d` put back where it was found, among zeros.",
}


def _samples(name: str, n: int) -> Callable[[Any], list[Any]]:
    """Sample calls: with and without batch, windows that overlap, leave gaps and hang over the edge."""
    sizes = (5, 4, 3)[:n]
    pooled = (3, 2, 2)[:n]

    def samples(make: Any) -> list[Any]:
        x, single = make(2, 2, *sizes), make(2, *sizes)
        if name == "lp_pool?d":
            x = make(2, 2, *sizes, low=0.2, high=2)
            return [(x, 2, 2), (x, 3.0, 2, 1, True)]
        if name.startswith("adaptive"):
            return [(x, 2), (single, pooled if n > 1 else 3)]
        if name == "max_unpool?d":
            y = make(1, 2, *(2,) * n)
            places = K.reshape(K.storage_index(y, 2 * 2**n), tuple(y.shape))
            return [(y, places, 2)]
        found = [(x, 2), (single, 3, 1, 1), (x, 3, 2, 1, {"ceil_mode": True})]
        if name.startswith("max_pool"):
            with_indices = {} if "with" in name else {"return_indices": True}
            return [*found, (x, 2, {"dilation": 2, "stride": 1, **with_indices})]
        return [*found, (x, 2, 1, 1, {"count_include_pad": False})]

    return samples


def _declare(n: int) -> None:
    def max_pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        return _max_pool(
            n, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        )

    def avg_pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:  # fmt: skip
        return _avg_pool(
            n, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )

    def lp_pool(
        input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None,
        ceil_mode: bool = False,
    ) -> Tensor:  # fmt: skip
        return _lp_pool(n, input, norm_type, kernel_size, stride, ceil_mode)

    def adaptive_avg_pool(input: Tensor, output_size: Any) -> Tensor:
        return _adaptive_avg_pool(n, input, output_size)

    def adaptive_max_pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        return _adaptive_max_pool(n, input, output_size, return_indices)

    def max_pool_with_indices(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        return _max_pool(n, input, kernel_size, stride, padding, dilation, ceil_mode, True)

    def adaptive_max_pool_with_indices(
        input: Tensor, output_size: Any, return_indices: bool = False
    ) -> Any:
        return _adaptive_max_pool(n, input, output_size, True)

    def max_unpool(
        input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
        output_size: Any = None,
    ) -> Tensor:  # fmt: skip
        return _max_unpool(n, input, indices, kernel_size, stride, padding, output_size)

    made: dict[str, Callable[..., Any]] = {
        "max_pool?d": max_pool,
        "avg_pool?d": avg_pool,
        "lp_pool?d": lp_pool,
        "adaptive_avg_pool?d": adaptive_avg_pool,
        "adaptive_max_pool?d": adaptive_max_pool,
        "max_pool?d_with_indices": max_pool_with_indices,
        "adaptive_max_pool?d_with_indices": adaptive_max_pool_with_indices,
        "max_unpool?d": max_unpool,
    }
    for name, function in made.items():
        function = declared(name, n, function, _DOCS[name])
        family = custom(
            REAL_NUMBERS if "max" in name else FLOATING,
            apart=("indices",),
            samples=_samples(name, n),
        )
        composite(family, namespace="nn.functional")(function)


for _n in (1, 2, 3):
    _declare(_n)
