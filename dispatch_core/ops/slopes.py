"""`gradient`: derivatives of a function that is known at the points of a grid."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dims
from dispatch_core._tensor import Tensor


def _spacings(spacing: Any, dims: Any) -> list[Any]:
    """For each dimension a number, or a vector of coordinates."""
    if spacing is None or isinstance(spacing, (int, float, complex)):
        return [1.0 if spacing is None else spacing] * len(dims)
    if isinstance(spacing, Tensor):
        raise TypeError(
            "gradient(): argument 'spacing' must be a number, or a list of numbers or vectors, not "
            "Tensor"
        )
    found = list(spacing)
    if len(found) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal "
            f"to 'self.dim() = {len(dims)}', since dim argument was not given, but got a list of "
            f"length {len(found)}"
        )
    return found


def _middle(x: Tensor, at: int, spacing: Any) -> Tensor:
    """The slopes at all but the first and last point, exact for parabolas."""
    n = x.shape[at]
    before, here, after = (K.narrow(x, at, i, n - 2) for i in range(3))
    if not isinstance(spacing, Tensor):
        return K.div(K.sub(after, before), 2 * spacing)
    shape = (-1,) + (1,) * (x.ndim - 1 - at)
    width = K.diff(spacing)
    left = K.reshape(K.narrow(width, 0, 0, n - 2), shape)
    right = K.reshape(K.narrow(width, 0, 1, n - 2), shape)
    a = K.div(K.neg(right), K.mul(left, K.add(left, right)))
    b = K.div(K.sub(right, left), K.mul(left, right))
    c = K.div(left, K.mul(right, K.add(left, right)))
    return K.add(K.add(K.mul(a, before), K.mul(b, here)), K.mul(c, after))


def _end(x: Tensor, at: int, spacing: Any, edge_order: int, *, last: bool) -> Tensor:
    """The slope at the first or last point, by the line or parabola through the nearest ones."""
    n = x.shape[at]
    near = [K.narrow(x, at, n - 1 - i if last else i, 1) for i in range(edge_order + 1)]
    if isinstance(spacing, Tensor):
        places = [K.select(spacing, 0, n - 1 - i if last else i) for i in range(edge_order + 1)]
        h1 = K.sub(places[1], places[0])
    else:
        h1 = -spacing if last else spacing
    if edge_order == 1:
        return K.div(K.sub(near[1], near[0]), h1)
    h2 = K.sub(places[2], places[1]) if isinstance(spacing, Tensor) else h1
    a = -(2 * h1 + h2) / (h1 * (h1 + h2))
    b = (h1 + h2) / (h1 * h2)
    c = -h1 / (h2 * (h1 + h2))
    return K.add(K.add(K.mul(near[0], a), K.mul(near[1], b)), K.mul(near[2], c))


def _curves(make: Any) -> list[Any]:
    if make.dtype.name == "uint8":
        return []
    return [
        (make(5),),
        (make(3, 4), {"spacing": 2.0}),
        (make(3, 4), {"spacing": [2.0, 0.5], "dim": (0, 1)}),
        (make(3, 4), {"dim": 1, "edge_order": 2}),
    ]


@composite(custom(NUMBERS, samples=_curves), outputs=0, method=False)
def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    """The derivative along each dimension of `dim`, by central differences; a tuple.

    `spacing` is the distance of neighbouring points: one number, a number for each dimension, or
    the coordinates for each. At both ends the differences are one-sided, of order `edge_order`.
    """
    if input.dtype.name == "uint8":
        raise RuntimeError("torch.gradient does not support uint8 input.")
    if not input.ndim and dim is not None:
        raise IndexError("torch.gradient needs at least one dimension, but the tensor has none")
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if dim is None and (spacing is None or not isinstance(spacing, (list, tuple))):
        dims: Any = tuple(range(input.ndim))
    elif dim is None:
        dims = tuple(range(input.ndim))
    else:
        check_dims(dim, input.ndim)
        dims = tuple(d % input.ndim for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    found = []
    for at, space in zip(dims, _spacings(spacing, dims), strict=True):
        if input.shape[at] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )
        if isinstance(space, Tensor) and tuple(space.shape) != (input.shape[at],):
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, of the "
                f"size {input.shape[at]} of dimension {at}, but got {list(space.shape)}"
            )
        ends = [_end(input, at, space, edge_order, last=last) for last in (False, True)]
        middle = _middle(input, at, space) if input.shape[at] > 2 else None
        parts = [ends[0], ends[1]] if middle is None else [ends[0], middle, ends[1]]
        found.append(K.cat(parts, at))
    return tuple(found)
