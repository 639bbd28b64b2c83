"""Softmax and its logarithm, with the gradients that their kernels compute in one go."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import FLOATING
from dispatch_core._families.reduction import scan
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor


@composite(
    scan(FLOATING),
    grad={"input": lambda K, g, out, dim: K.softmax_backward(g, out, dim)},
    handled=("dtype",),
    aliases=("special.softmax",),
    out=True,
)
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """exp(input) scaled to sum to 1 along `dim`; a slice of only -inf gives NaN."""
    if dtype is not None:
        return K.softmax(K.cast(input, dtype), dim)
    e = K.exp(input - K.amax(input, dim, True))
    return e / K.sum(e, dim, True)


@composite(
    scan(FLOATING),
    grad={"input": lambda K, g, out, dim: K.log_softmax_backward(g, out, dim)},
    handled=("dtype",),
    aliases=("special.log_softmax",),
    out=True,
)
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, without underflow."""
    if dtype is not None:
        return K.log_softmax(K.cast(input, dtype), dim)
    shifted = input - K.amax(input, dim, True)
    return shifted - K.log(K.sum(K.exp(shifted), dim, True))


def _pairs(make: Any) -> list[Any]:
    return [(make(3, 4), make(3, 4), 0), (make(2, 3, 4), make(2, 3, 4), -1)]


@composite(scan(FLOATING, samples=_pairs), namespace="_")
def softmax_backward(grad: Tensor, output: Tensor, dim: int) -> Tensor:
    """The gradient of `softmax` from its result."""
    weighted = grad * output
    return weighted - output * K.sum(weighted, dim, True)


@composite(scan(FLOATING, samples=_pairs), namespace="_")
def log_softmax_backward(grad: Tensor, output: Tensor, dim: int) -> Tensor:
    """The gradient of `log_softmax` from its result."""
    return grad - K.exp(output) * K.sum(grad, dim, True)
