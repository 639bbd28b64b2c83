"""The shapes of windows: how much of a signal each place of a window lets through.

`sym` makes a window that is its own mirror image, for the design of filters; without it the window
is the first M elements of one of M + 1, one period of it, for spectra. See Harris, On the use of
windows for harmonic analysis with the discrete Fourier transform (1978).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from dispatch_core._dtypes import float32
from dispatch_core._op import K
from dispatch_core._place import Place
from dispatch_core._tensor import Tensor

Shape = Callable[[Tensor], Tensor]
"""From the places 0, 1, ... of a window to its values."""

BLACKMAN = (0.42, 0.5, 0.08)
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)


def drawn(count: int, shape: Shape, where: Place, requires_grad: bool) -> Tensor:
    """A window of `count` values; halves are computed in float32."""
    wide = where if where.dtype.itemsize > 2 else Place(where.device, float32)
    found = shape(K.arange_new(0, 1, count, wide))
    found = found if wide is where else K.cast(found, where.dtype)
    return found.requires_grad_() if requires_grad else found


def period(count: int, sym: bool) -> int:
    """After how many steps the first value of a window comes again."""
    return count - 1 if sym else count


def cosines(count: int, a: Iterable[float], sym: bool) -> Shape:
    """sum_i (-1)^i a_i cos(2 pi i n / N)."""

    def shape(n: Tensor) -> Tensor:
        if count <= 1:
            return K.ones_like(n)
        angle = n * (2 * math.pi / period(count, sym))
        found = K.zeros_like(n)
        for i, weight in enumerate(a):
            found = found + K.cos(angle * i) * ((-1) ** i * weight)
        return found

    return shape


def triangle(count: int, sym: bool) -> Shape:
    """1 - |2 n / N - 1|."""

    def shape(n: Tensor) -> Tensor:
        if count <= 1:
            return K.ones_like(n)
        return 1 - K.abs(n * (2 / period(count, sym)) - 1)

    return shape


def kaiser(count: int, beta: float, sym: bool) -> Shape:
    """I_0(beta sqrt(1 - (2 n / N - 1)^2)) / I_0(beta)."""

    def shape(n: Tensor) -> Tensor:
        if count <= 1:
            return K.ones_like(n)
        x = n * (2 / period(count, sym)) - 1
        inside = K.maximum(1 - x * x, K.zeros_like(x))
        return K.i0(K.sqrt(inside) * beta) / K.i0(K.full_like(x, beta))

    return shape
