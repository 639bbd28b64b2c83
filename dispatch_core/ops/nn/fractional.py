"""Fractional max pooling (Graham 2014): windows of one size at places drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn._sizes import batched, declared, ntuple
from dispatch_core.ops.nn.windows import product


def _starts(samples: Tensor, size: int, out: int, kernel: int) -> Tensor:
    """Where the windows of each plane begin: (N, C) random numbers -> (N, C, out)."""
    last = K.new_full(samples, (*samples.shape, 1), size - kernel, dtype=int64)
    if out == 1:
        return last
    alpha = (size - kernel) / (out - 1)
    u = K.unsqueeze(samples, -1)
    i = K.cast(K.storage_index(samples, out - 1), samples.dtype)
    steps = K.sub(K.trunc(K.mul(K.add(i, u), alpha)), K.trunc(K.mul(u, alpha)))
    return K.cat([K.cast(steps, int64), last], -1)


@composite(
    custom(
        FLOATING,
        alike=True,
        samples=lambda make: [
            (make(1, 2, 5, 6), (2, 3), (3, 2), make(1, 2, 2, low=0, high=0.99)),
            (make(2, 1, 4, 4, 5), (2, 2, 2), (2, 3, 3), make(2, 1, 3, low=0, high=0.99)),
        ],
    ),
    grad={
        "input": lambda K, gs, input_shape, outs: K.max_pool_backward(
            gs[0], outs[1], tuple(input_shape)
        ),
        "random_samples": NOT_DIFFERENTIABLE,
    },
    outputs=2,
    namespace="_",
)
def fractional_max(
    input: Tensor, kernel_size: Any, output_size: Any, random_samples: Tensor
) -> Any:
    """Maxima over windows of (N, C, *spatial) that begin where samples (N, C, n) say, and places.

    The samples stand in the order in which PyTorch reads them: of images that of the last dimension
    first.
    """
    n = len(kernel_size)
    order = (1, 0) if n == 2 else range(n)
    sizes, lead = tuple(input.shape[2:]), tuple(input.shape[:2])
    flat: Any = 0
    for d, (size, out, kernel, which) in enumerate(
        zip(sizes, output_size, kernel_size, order, strict=True)
    ):
        start = _starts(K.select(random_samples, -1, which), size, out, kernel)
        at = K.add(K.unsqueeze(start, -1), K.storage_index(input, kernel))
        spread = [1] * (2 * n)
        spread[d], spread[n + d] = out, kernel
        flat = flat * size + K.reshape(at, (*lead, *spread))
    windows = K.reshape(flat, (*lead, product(output_size) * product(kernel_size)))
    planes = K.reshape(input, (*lead, product(sizes)))
    shape = (*lead, product(output_size), product(kernel_size))
    best = K.argmax(K.reshape(K.gather(planes, 2, windows), shape), -1, True)
    found = K.squeeze(K.gather(K.reshape(windows, shape), -1, best), -1)
    shape = (*lead, *output_size)
    return K.reshape(K.gather(planes, 2, found), shape), K.reshape(found, shape)


def _target(n: int, input: Tensor, output_size: Any, output_ratio: Any) -> tuple[int, ...]:
    if output_size is None and output_ratio is None:
        raise ValueError(
            f"fractional_max_pool{n}d requires specifying either an output_size or an output_ratio"
        )
    if output_size is not None:
        return ntuple("output_size", output_size, n)
    ratio = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
    return tuple(int(size * r) for size, r in zip(input.shape[-n:], ratio, strict=True))


def _fractional(
    n: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any
) -> Any:
    kernel = ntuple("kernel_size", kernel_size, n)
    wanted = _target(n, input, output_size, output_ratio)
    if min(kernel) < 1:
        raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
    what = f"fractional_max_pool{n}d"
    for size, k, out in zip(input.shape[-n:], kernel, wanted, strict=True):
        if out + k - 1 > size:
            raise RuntimeError(f"{what}(): pool size {k} too large relative to input size {size}")

    def pooled(x: Tensor) -> Any:
        u = samples
        if u is None:
            u = K.rand((*x.shape[:2], n), dtype=x.dtype, device=x.device)
        return K.fractional_max(x, kernel, wanted, u)

    return batched(what, input, n, pooled)


def _samples(n: int) -> Callable[[Any], list[Any]]:
    def samples(make: Any) -> list[Any]:
        x = make(1, 2, *(5, 4, 6)[:n])
        u = make(1, 2, n, low=0, high=0.99)
        return [
            (x, 2, 3, {"_random_samples": u}),
            (x, 2, {"output_ratio": 0.5, "return_indices": True, "_random_samples": u}),
        ]

    return samples


def _declare(n: int) -> None:
    def pool(
        input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Any = None,
    ) -> Any:  # fmt: skip
        found = _fractional(n, input, kernel_size, output_size, output_ratio, _random_samples)
        return found if return_indices else found[0]

    def pool_with_indices(
        input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Any = None,
    ) -> Any:  # fmt: skip
        return _fractional(n, input, kernel_size, output_size, output_ratio, _random_samples)

    name, doc = (
        "fractional_max_pool?d",
        (
            "The largest value of each of `output_size` windows of (N, C, *), ?-dimensional.\n\n"
            "The windows have `kernel_size`; where they begin is drawn for each plane. `output_ratio`\n"
            "gives the output's size as a fraction of the input's."
        ),
    )
    where = {"namespace": "nn.functional", "random": True}
    composite(custom(FLOATING, samples=_samples(n)), outputs=0, **where)(
        declared(name, n, pool, doc)
    )
    with_indices = declared(
        f"{name}_with_indices", n, pool_with_indices, f"`{name}`, and where each value was found."
    )
    composite(custom(FLOATING, samples=_samples(n)), outputs=2, **where)(with_indices)


for _n in (2, 3):
    _declare(_n)
