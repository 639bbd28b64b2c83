"""The older names of windows, dc.*_window: periodic unless told otherwise, of any floating dtype."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import get_default_dtype
from dispatch_core._families.others import creation
from dispatch_core._op import composite
from dispatch_core._place import Place, place
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.signal._shapes import BLACKMAN, cosines, drawn, kaiser, triangle


def _place_of(name: str, window_length: Any, dtype: Any, device: Any) -> tuple[int, Place]:
    """The length and place of a window; RuntimeError for what cannot be."""
    count = whole("window_length", window_length)
    if count < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={count}")
    where = place(device, get_default_dtype() if dtype is None else dtype)
    if not where.dtype.is_floating_point:
        raise NotImplementedError(f"{name} expects floating point dtypes, got: {where.dtype.name}")
    return count, where


@composite(creation())
def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`signal.windows.bartlett`, a triangle that begins at 0.

    Shape (window_length,); N is window_length if `periodic`, else one less. RuntimeError for a
    negative length and for a dtype that is not floating.
    """
    count, where = _place_of("bartlett_window", window_length, dtype, device)
    return drawn(count, triangle(count, not periodic), where, requires_grad)


@composite(creation())
def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`signal.windows.blackman`, a sum of three cosines.

    Shape (window_length,); N is window_length if `periodic`, else one less. RuntimeError for a
    negative length and for a dtype that is not floating.
    """
    count, where = _place_of("blackman_window", window_length, dtype, device)
    return drawn(count, cosines(count, BLACKMAN, not periodic), where, requires_grad)


@composite(creation())
def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`signal.windows.hann`, (1 - cos(2 pi n / N)) / 2.

    Shape (window_length,); N is window_length if `periodic`, else one less. RuntimeError for a
    negative length and for a dtype that is not floating.
    """
    count, where = _place_of("hann_window", window_length, dtype, device)
    return drawn(count, cosines(count, (0.5, 0.5), not periodic), where, requires_grad)


@composite(creation())
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - beta cos(2 pi n / N).

    Shape (window_length,); N is window_length if `periodic`, else one less. RuntimeError for a
    negative length and for a dtype that is not floating.
    """
    count, where = _place_of("hamming_window", window_length, dtype, device)
    return drawn(count, cosines(count, (alpha, beta), not periodic), where, requires_grad)


@composite(creation())
def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """`signal.windows.kaiser`, I_0(beta sqrt(1 - (2 n / N - 1)^2)) / I_0(beta).

    Shape (window_length,); N is window_length if `periodic`, else one less. RuntimeError for a
    negative length and for a dtype that is not floating.
    """
    count, where = _place_of("kaiser_window", window_length, dtype, device)
    return drawn(count, kaiser(count, beta, not periodic), where, requires_grad)
