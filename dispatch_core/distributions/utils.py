"""What distributions share: broadcasting, probabilities and logits, values computed when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Number
from typing import Any

from dispatch_core.distributions._core import (
    F,
    K,
    Size,
    Tensor,
    as_tensor,
    broadcast_tensors,
    dtype,
    enable_grad,
    finfo,
    get_default_dtype,
)

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "euler_constant",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060
"""Euler and Mascheroni's constant."""


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape; numbers get dtype and device of the first tensor.

    Raises ValueError for anything else.
    """
    if not all(isinstance(v, (Tensor, Number)) for v in values):
        found = ", ".join(type(v).__name__ for v in values)
        raise ValueError(
            "Input arguments must all be instances of Number or Tensor, but got "
            f"{found}; make tensors of lists and arrays with dispatch_core.tensor(...)"
        )
    like = next((v for v in values if isinstance(v, Tensor)), None)
    tensors = [v if isinstance(v, Tensor) else _tensor_beside(like, v) for v in values]
    return tuple(broadcast_tensors(*tensors))


def _tensor_beside(like: Tensor | None, value: Any) -> Tensor:
    """A number with dtype and device of a tensor; beside integers a float stays one."""
    if like is None:
        return as_tensor(value, dtype=get_default_dtype())
    kept = like.is_floating_point() or not isinstance(value, float)
    return as_tensor(value, dtype=like.dtype if kept else get_default_dtype(), device=like.device)


def standard_normal(shape: Any, dtype: dtype, device: Any) -> Tensor:
    """Numbers from the standard normal distribution."""
    return K.randn(tuple(shape), dtype=dtype, device=device)


def standard_uniform(shape: Any, like: Tensor) -> Any:
    """Numbers evenly distributed over the open interval (0, 1)."""
    limits = finfo(like.dtype)
    drawn = K.rand(tuple(shape), dtype=like.dtype, device=like.device)
    return K.clamp(drawn, limits.tiny, 1 - limits.eps / 2)


def sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last `dim` dimensions."""
    if dim == 0:
        return value
    kept = tuple(value.shape)[: value.ndim - dim]
    return K.sum(K.reshape(value, (*kept, -1)), -1)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logits: of log-odds if `is_binary`, else normalised over the last dimension."""
    return K.sigmoid(logits) if is_binary else K.softmax(logits, -1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept from 0 and 1 by the precision of their dtype."""
    eps = finfo(probs.dtype).eps
    return K.clamp(probs, eps, 1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds of probabilities if `is_binary`, else their logarithms, which are finite in both cases."""
    clamped = clamp_probs(probs)
    logits = K.log(clamped)
    return logits - K.log1p(-clamped) if is_binary else logits


class lazy_property:  # noqa: N801  PyTorch's name
    """A property whose value is computed when it is first asked for, with gradients, and then kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        vars(instance)[self.name] = value
        return value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements of the lower triangles of matrices, up to diagonal `diag`, row by row.

    Raises ValueError where the matrices have no such diagonal.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = K.tril_indices(n, n, diag, device=mat.device)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Matrices whose lower triangles, up to diagonal `diag`, have these elements row by row, else 0.

    Raises ValueError for a number of elements that no triangle has.
    """
    count = vec.shape[-1]
    below = 2 * diag + 1
    root = math.sqrt(below**2 + 8 * count + 4 * abs(diag) * (diag + 1))
    n = round((root - below) / 2)
    if round(root) ** 2 != round(root**2):
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as the lower triangular "
            "part of a square D x D matrix; expected 1, 3, 6, 10, ... for diag=0"
        )
    rows, columns = K.tril_indices(n, n, diag, device=vec.device)
    matrix = K.zeros((*vec.shape[:-1], n * n), dtype=vec.dtype, device=vec.device)
    places = K.expand(rows * n + columns, tuple(vec.shape))
    return K.reshape(K.scatter(matrix, -1, places, vec), (*vec.shape[:-1], n, n))


def shape_of(*parts: Any) -> Size:
    """Shapes one after the other, as a Size."""
    return Size([size for part in parts for size in part])


def cross_entropy_of_logits(logits: Tensor, value: Tensor) -> Tensor:
    """-log of the probability of 0 or 1 (or between), given log-odds."""
    return F.binary_cross_entropy_with_logits(logits, value, reduction="none")


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), which PyTorch's function of the name is only up to 20."""
    return K.maximum(x, 0.0) + K.log1p(K.exp(-K.abs(x)))
