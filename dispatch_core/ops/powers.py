"""Powers, exponentials and chains of products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dtypes import float32
from dispatch_core._families.base import INEXACT, NUMBERS
from dispatch_core._families.others import contraction, custom
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import check_square, square_samples, turned


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            (make(3, 3), 3),
            (make(2, 3, 3), 2),
            (make(3, 3), 0),
            (make(3, 3), 1),
            (make(3, 3), 5),
        ],
    ),
    aliases=("linalg.matrix_power",),
    out=True,
)
def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices; negative powers are those of the inverse."""
    check_square("linalg.matrix_power", input)
    if n < 0:
        return K.matrix_power(K.inverse(input), -n)
    if n == 0:
        eye = K.eye(input.shape[-1], dtype=input.dtype, device=input.device)
        return K.clone(K.expand(eye, input.shape))
    result: Any = None
    square = input
    while True:
        if n & 1:
            result = square if result is None else K.matmul(result, square)
        n >>= 1
        if not n:
            return K.clone(result) if result is input else result
        square = K.matmul(square, square)


def _matrix_exp_input(K: Any, g: Any, A: Any) -> Any:
    """The derivative at A^H in the direction of g, read from the exponential of one block matrix.

    Mathias, "A chain rule for matrix functions and applications", SIAM J. Matrix Anal. 17 (1996).
    """
    AH, n = turned(K, A), A.shape[-1]
    upper, lower = K.cat([AH, g], -1), K.cat([K.zeros_like(AH), AH], -1)
    whole = K.matrix_exp(K.cat([upper, lower], -2))
    return K.narrow(K.narrow(whole, -2, 0, n), -1, n, n)


@composite(
    custom(INEXACT, rule=lambda A: check_square("linalg.matrix_exp", A), samples=square_samples),
    grad={"input": lambda K, g, input: _matrix_exp_input(K, g, input)},
    aliases=("linalg.matrix_exp",),
    batch="leading",
)
def matrix_exp(input: Tensor) -> Tensor:
    """The matrix exponential: halved to a 1-norm of 1/2, Taylor's series, squared back.

    Each matrix as often as it needs; NaN where it is not finite.
    """
    check_square("linalg.matrix_exp", input)
    if input.dtype.itemsize == 2:
        return K.cast(K.matrix_exp(K.cast(input, float32)), input.dtype)
    if not input.numel():
        return K.clone(input)
    size = K.linalg_matrix_norm(input.detach(), 1)
    needed = K.ceil(
        K.log2(K.where(K.bitwise_and(K.gt(size, 0.5), K.isfinite(size)), size * 2, 1.0))
    )
    needed = K.unsqueeze(K.unsqueeze(needed, -1), -1)
    x = input * K.exp2(K.neg(needed))
    eye = K.expand(K.eye(input.shape[-1], dtype=input.dtype, device=input.device), input.shape)
    total = term = eye
    for k in range(1, 16):
        term = K.matmul(term, x) / k
        total = total + term
    for done in range(int(K.amax(needed).item())):
        total = K.where(K.lt(done, needed), K.matmul(total, total), total)
    return total


def _chain_cost(sizes: Sequence[int]) -> list[list[int]]:
    """Where to split each part of a chain (Cormen et al., Introduction to Algorithms, 15.2)."""
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )
    return split


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            ([make(2, 3), make(3, 5), make(5, 2), make(2, 4)],),
            ([make(3), make(3, 4), make(4)],),
        ],
    ),
    namespace="_",
    aliases=("linalg.multi_dot",),
    out=True,
)
def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices in the order that takes fewest multiplications.

    The first and last may be vectors.
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    parts = list(tensors)
    drop = []
    if parts[0].ndim == 1:
        parts[0] = K.unsqueeze(parts[0], 0)
        drop.append(0)
    if parts[-1].ndim == 1:
        parts[-1] = K.unsqueeze(parts[-1], 1)
        drop.append(1)
    for i, part in enumerate(parts):
        if part.ndim != 2:
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be 2D but got {part.ndim}D (the first and last "
                "may be 1D)"
            )
    split = _chain_cost([parts[0].shape[0], *(part.shape[1] for part in parts)])

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return parts[i]
        k = split[i][j]
        return K.matmul(product(i, k), product(k + 1, j))

    found = product(0, len(parts) - 1)
    for d in reversed(drop):
        found = K.squeeze(found, d)
    return found


@public("")
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices; prefer linalg.multi_dot."""
    if len(matrices) == 1:
        return matrices[0]
    return K.linalg_multi_dot(matrices)


@composite(
    contraction(
        INEXACT,
        samples=lambda make: [
            (make(3, 4), make(3, 4)),
            (make(3, 4), make(4)),
            (make(3, 4), make(3, 4), {"dim": 0}),
        ],
    ),
    namespace="_",
    aliases=("linalg.vecdot",),
    out=True,
)
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums over `dim` of the products of two tensors, the first conjugated."""
    product = K.mul(K.conj(x), y)
    return K.sum(product, dim, dtype=product.dtype)


@composite(
    custom(samples=lambda make: [(make(3, 4),), (make(2, 3, 3), {"offset": 1})]),
    namespace="_",
    aliases=("linalg.diagonal",),
)
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of two dimensions, by default the last; a view."""
    return K.diagonal(A, offset, dim1, dim2)
