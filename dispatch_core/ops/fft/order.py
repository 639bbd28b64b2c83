"""The order of frequencies in a spectrum, and their values."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import get_default_dtype
from dispatch_core._families.others import creation, movement
from dispatch_core._op import K, composite
from dispatch_core._place import Place, place
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.fft._arguments import dim_of


def _shifted(input: Tensor, dim: Any, inverse: bool) -> Tensor:
    if dim is None:
        dim = tuple(range(input.ndim))
    dims = [dim_of(d, input.ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    if not dims:
        raise RuntimeError("`shifts` required: there is no dimension to shift")
    shifts = [(input.shape[d] + inverse) // 2 for d in dims]
    return K.roll(input, shifts, dims)


def _samples(make: Any) -> list[Any]:
    return [(make(5),), (make(2, 3, 4),), (make(3, 4), 0), (make(3, 4, 5), (-1, 0)), (make(0, 3),)]


@composite(movement(samples=_samples), namespace="_", aliases=("fft.fftshift",))
def fft_fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The zero frequency moved to the middle of `dim` (one, several, default all dimensions).

    Any dtype; a copy. RuntimeError without a dimension.
    """
    return _shifted(input, dim, False)


@composite(movement(samples=_samples), namespace="_", aliases=("fft.ifftshift",))
def fft_ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`: the middle of `dim` moved to the front."""
    return _shifted(input, dim, True)


def _place_of(name: str, dtype: Any, device: Any) -> Place:
    where = place(device, get_default_dtype() if dtype is None else dtype)
    if not where.dtype.is_floating_point:
        raise NotImplementedError(
            f"{name} requires a floating point dtype, but got {where.dtype.name}"
        )
    return where


def _frequencies(steps: Tensor, n: int, d: Any, requires_grad: bool) -> Tensor:
    if not isinstance(d, (int, float, Tensor)):
        raise TypeError(f"argument 'd' must be float, not {type(d).__name__}")
    span = n * float(d)
    found = steps * (1 / span if span else math.inf)
    return found.requires_grad_() if requires_grad else found


@composite(creation(), namespace="_", aliases=("fft.fftfreq",), out=True)
def fft_fftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of an `fft` of n samples d apart: [0, 1, ..., -2, -1] / (n d).

    Shape (n,), of a floating dtype. RuntimeError for a negative n or another dtype.
    """
    n = whole("n", n)
    where = _place_of("fftfreq", dtype, device)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    parts = [K.arange_new(0, 1, n - n // 2, where), K.arange_new(-(n // 2), 1, n // 2, where)]
    return _frequencies(K.cat(parts), n, d, requires_grad)


@composite(creation(), namespace="_", aliases=("fft.rfftfreq",), out=True)
def fft_rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of an `rfft` of n samples d apart: [0, 1, ..., n // 2] / (n d).

    Shape (n // 2 + 1,), of a floating dtype. RuntimeError for a negative n or another dtype.
    """
    n = whole("n", n)
    where = _place_of("rfftfreq", dtype, device)
    count = int(n / 2) + 1
    if count < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {count}: [{count}]")
    return _frequencies(K.arange_new(0, 1, count, where), n, d, requires_grad)
