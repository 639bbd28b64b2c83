"""How many floating-point operations a call needs, of the operators that need most: products.

A multiplication and an addition count as two. Elsewhere 0, as in PyTorch's profiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final

Shape = tuple[int, ...]


def flops_of(name: str, args: Sequence[Any], result: Any) -> int:
    """The operations of a call with these arguments and this result."""
    count = _COUNTS.get(name)
    if count is None:
        return 0
    shapes = [tuple(a._raw.shape) for a in args if hasattr(a, "_raw")]
    return count(shapes, tuple(result._raw.shape))


def _product(shapes: list[Shape], result: Shape) -> int:
    return 2 * prod(result) * shapes[0][-1]


def _added_product(shapes: list[Shape], result: Shape) -> int:
    return 2 * prod(result) * shapes[1][-1]


def _convolution(shapes: list[Shape], result: Shape) -> int:
    return 2 * prod(result) * prod(shapes[1][1:])


def _each(shapes: list[Shape], result: Shape) -> int:
    return prod(result)


_COUNTS: Final[dict[str, Callable[[list[Shape], Shape], int]]] = {
    **dict.fromkeys(("mm", "bmm", "mv", "matmul", "linear"), _product),
    **dict.fromkeys(("addmm", "baddbmm", "addmv"), _added_product),
    **dict.fromkeys(("convolution", "conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("add", "sub", "mul", "div"), _each),
}
