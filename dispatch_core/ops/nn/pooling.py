"""The public pools: one function a dimension, made from what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._dtypes import float32
from dispatch_core._families.base import FLOATING, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn._sizes import batched, declared, ntuple
from dispatch_core.ops.nn.pool import adaptive_windows, pooled_sizes
from dispatch_core.ops.nn.windows import product


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
        pooled_sizes(sizes, kernel, stride, padding, dilation, ceil_mode) if len(sizes) == n else ()
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
    if divisor_override is not None and whole("divisor_override", divisor_override) == 0:
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
    if n > 1 and len(given) >= input.ndim:
        raise ValueError(
            f"Input dimension should be at least {len(given) + 1} for output_size={output_size}, but "
            f"got shape {list(input.shape)}"
        )
    if len(given) != n:
        raise RuntimeError(f"output_size must have {n} elements, but got {given}")
    if any(wanted is not None and whole("output_size", wanted) < 0 for wanted in given):
        raise RuntimeError(f"elements of output_size must be at least 0, but got {given}")
    return tuple(
        int(size if wanted is None else wanted)
        for wanted, size in zip(given, input.shape[-n:], strict=True)
    )


def _adaptive_avg_pool(n: int, input: Tensor, output_size: Any) -> Any:
    wanted = _adaptive_size(n, input, output_size)
    sizes = tuple(input.shape[-n:])
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"adaptive_avg_pool{n}d(): Expected {n + 1}D or {n + 2}D tensor, but got "
            f"{list(input.shape)}"
        )
    if not all(sizes):
        at = input.ndim - n + sizes.index(0)
        raise RuntimeError(
            f"adaptive_avg_pool{n}d(): Expected input to have non-zero size for non-batch dimensions, "
            f"but input has sizes {list(input.shape)} with dimension {at} being empty"
        )
    if all(o and s % o == 0 for s, o in zip(sizes, wanted, strict=True)):
        kernel = tuple(s // o for s, o in zip(sizes, wanted, strict=True))
        return _avg_pool(n, input, kernel, None, 0, False, True, None)
    mean = K.cast(input, float32) if input.dtype.itemsize == 2 else input
    for d, (size, out) in enumerate(zip(sizes, wanted, strict=True), -n):
        begin, end = adaptive_windows(input, size, out)
        longest = -(-size // max(out, 1)) + 1
        at = K.unsqueeze(begin, 1) + K.storage_index(input, longest)
        places = K.reshape(K.minimum(at, size - 1), (-1,))
        windows = K.index_select(K.movedim(mean, d, -1), -1, places)
        windows = K.reshape(windows, (*windows.shape[:-1], out, longest))
        inside = K.lt(at, K.unsqueeze(end, 1))
        total = K.sum(K.where(inside, windows, 0.0), -1)
        mean = K.movedim(total / K.cast(end - begin, mean.dtype), -1, d)
    return K.cast(mean, input.dtype)


def _adaptive_max_pool(n: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    wanted = _adaptive_size(n, input, output_size)
    if not all(input.shape[-n:]):
        raise RuntimeError(
            f"adaptive_max_pool{n}d(): Expected input to have non-zero size for non-batch dimensions, "
            f"but input has sizes {list(input.shape)}"
        )
    found = batched(f"adaptive_max_pool{n}d", input, n, lambda x: K.adaptive_max(x, wanted))
    return found if return_indices else found[0]


def _unpooled_size(
    n: int, input: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> tuple[int, ...]:
    """The size that pooling had before; ValueError where `output_size` could not be it."""
    default = tuple(
        (size - 1) * s + k - 2 * p
        for size, k, s, p in zip(input.shape[-n:], kernel, stride, padding, strict=True)
    )
    if output_size is None:
        if min(default) < 0:
            raise ValueError(
                f"max_unpool{n}d(): the sizes before pooling would be {list(default)}; give "
                "kernel_size, stride and padding as they were"
            )
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
            REAL_NUMBERS if "max" in name or name == "avg_pool?d" else FLOATING,
            apart=("indices",),
            samples=_samples(name, n),
        )
        out = name == "avg_pool?d" and n > 1
        composite(family, namespace="nn.functional", out=out)(function)


for _n in (1, 2, 3):
    _declare(_n)
