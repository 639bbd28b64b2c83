"""The window functions of torch.signal.windows: float32 or float64, symmetric unless told otherwise.

`M` is the number of elements; N in the formulas is M - 1 if `sym`, else M, and a window of one
element is [1]. ValueError for a negative M and for another dtype.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core._dtypes import float32, float64, get_default_dtype
from dispatch_core._families.others import creation
from dispatch_core._op import K, composite
from dispatch_core._place import Place, place
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.signal._shapes import (
    BLACKMAN,
    NUTTALL,
    cosines,
    drawn,
    kaiser,
    triangle,
)


def _place_of(name: str, M: Any, dtype: Any, device: Any) -> tuple[int, Place]:
    """The length and place of a window."""
    count = whole("M", M)
    if count < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={count}")
    where = place(device, get_default_dtype() if dtype is None else dtype)
    if where.dtype not in (float32, float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {where.dtype.name}")
    return count, where


def _last(count: int, sym: bool) -> int:
    """The last place of the symmetric window whose begin this is."""
    return count if not sym and count > 1 else count - 1


# -- sums of cosines -----------------------------------------------------------------------------


@composite(creation(), namespace="_", aliases=("signal.windows.general_cosine",))
def signal_general_cosine(
    M: int,
    *,
    a: Any,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = sum_i (-1)^i a_i cos(2 pi i n / N); ValueError without a coefficient."""
    count, where = _place_of("general_cosine", M, dtype, device)
    if count > 1:
        if not isinstance(a, Iterable):
            raise TypeError(f"Coefficients must be a list/tuple, not {type(a).__name__}")
        a = list(a)
        if not a:
            raise ValueError("Coefficients cannot be empty")
    return drawn(count, cosines(count, a, sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.general_hamming",))
def signal_general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = alpha - (1 - alpha) cos(2 pi n / N)."""
    count, where = _place_of("general_hamming", M, dtype, device)
    return drawn(count, cosines(count, (alpha, 1 - alpha), sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.hamming",))
def signal_hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = 0.54 - 0.46 cos(2 pi n / N)."""
    count, where = _place_of("hamming", M, dtype, device)
    return drawn(count, cosines(count, (0.54, 0.46), sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.hann",))
def signal_hann(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = (1 - cos(2 pi n / N)) / 2."""
    count, where = _place_of("hann", M, dtype, device)
    return drawn(count, cosines(count, (0.5, 0.5), sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.blackman",))
def signal_blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = 0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)."""
    count, where = _place_of("blackman", M, dtype, device)
    return drawn(count, cosines(count, BLACKMAN, sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.nuttall",))
def signal_nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Four cosines with small side lobes; Nuttall, Some windows with very good sidelobe behavior (1981)."""
    count, where = _place_of("nuttall", M, dtype, device)
    return drawn(count, cosines(count, NUTTALL, sym), where, requires_grad)


# -- other shapes --------------------------------------------------------------------------------


@composite(creation(), namespace="_", aliases=("signal.windows.bartlett",))
def signal_bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle that begins and ends at 0: w_n = 1 - |2 n / N - 1|."""
    count, where = _place_of("bartlett", M, dtype, device)
    return drawn(count, triangle(count, sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.kaiser",))
def signal_kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = I_0(beta sqrt(1 - (2 n / N - 1)^2)) / I_0(beta); ValueError for a negative beta."""
    count, where = _place_of("kaiser", M, dtype, device)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return drawn(count, kaiser(count, beta, sym), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.cosine",))
def signal_cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = sin(pi (n + 1/2) / M), with M + 1 in place of M if not `sym`."""
    count, where = _place_of("cosine", M, dtype, device)
    step = math.pi / max(_last(count, sym) + 1, 1)
    return drawn(count, lambda n: K.sin((n + 0.5) * step), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.exponential",))
def signal_exponential(
    M: int,
    *,
    center: Any = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = exp(-|n - center| / tau), by default around the middle.

    ValueError for tau <= 0 and for a center of a symmetric window.
    """
    count, where = _place_of("exponential", M, dtype, device)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    middle = _last(count, sym) / 2 if center is None else center
    return drawn(count, lambda n: K.exp(-K.abs((n - middle) / tau)), where, requires_grad)


@composite(creation(), namespace="_", aliases=("signal.windows.gaussian",))
def signal_gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """w_n = exp(-((n - c) / std)^2 / 2) around the middle c; ValueError for std <= 0."""
    count, where = _place_of("gaussian", M, dtype, device)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle, scale = _last(count, sym) / 2, std * math.sqrt(2)
    return drawn(count, lambda n: K.exp(-K.square((n - middle) / scale)), where, requires_grad)
