"""Linear equations and inverses between tensors, and Vandermonde matrices."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._families.base import INEXACT, NUMBERS
from dispatch_core._families.others import contraction, custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dim
from dispatch_core._tensor import Tensor


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(2, 2, 4),), (make(3, 3), 1)]),
    namespace="_",
    aliases=("linalg.tensorinv",),
    out=True,
)
def linalg_tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse of the map that `tensordot(A, x, ind)` is, its first dimensions at the end."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > input.ndim:
        ind = input.ndim
    left, right = tuple(input.shape[:ind]), tuple(input.shape[ind:])
    rows, columns = math.prod(left), math.prod(right)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    return K.reshape(K.inverse(K.reshape(input, (rows, columns))), right + left)


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            (make(2, 3, 6), make(2, 3)),
            (make(6, 2, 3), make(6)),
            (make(2, 4, 2, 4), make(2, 4)),
            (make(3, 6, 2), make(6), (0,)),
        ],
    ),
    namespace="_",
    aliases=("linalg.tensorsolve",),
    out=True,
)
def linalg_tensorsolve(input: Tensor, other: Tensor, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B; the dimensions `dims` of A are moved to its end first."""
    if dims is not None:
        ndim = input.ndim
        chosen = tuple(check_dim(d, ndim) for d in dims)
        input = K.movedim(input, chosen, tuple(range(ndim - len(chosen), ndim)))
    shape = tuple(input.shape[other.ndim :])
    size = math.prod(shape)
    if size != math.prod(input.shape[: other.ndim]):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {size} != {math.prod(input.shape[: other.ndim])}"
        )
    return K.reshape(K.linalg_solve(K.reshape(input, (size, size)), K.reshape(other, (-1,))), shape)


@composite(
    custom(
        NUMBERS,
        halves=False,
        samples=lambda make: [(make(3),), (make(2, 3), {"N": 5}), (make(3), {"N": 2})],
    ),
    namespace="_",
    aliases=("linalg.vander",),
)
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0, 1, ... N - 1 of each element, as a new last dimension; a number is a vector of one.

    N is the length of the vectors where it is not given. RuntimeError where it is less than two.
    """
    x = x if x.ndim else K.reshape(x, (1,))
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError(f"N must be greater than 1, but got {n}")
    one = K.ones_like(K.unsqueeze(x, -1))
    steps = K.cat([one, K.expand(K.unsqueeze(x, -1), (*x.shape, n - 1))], -1)
    return K.cumprod(steps, -1)
