"""Inverses, pseudo-inverses, rank and condition of matrices."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import check_square, precision, square_samples, turned


@composite(
    custom(
        INEXACT, halves=False, rule=lambda A: check_square("linalg.inv", A), samples=square_samples
    ),
    grad={"input": lambda K, g, out: K.neg(K.matmul(turned(K, out), K.matmul(g, turned(K, out))))},
    aliases=("linalg.inv",),
    keywords={"A": "input"},
    out=True,
)
def inverse(input: Tensor) -> Tensor:
    """The inverse of square matrices; LinAlgError where there is none."""
    check_square("linalg.inv", input)
    eye = K.eye(input.shape[-1], dtype=input.dtype, device=input.device)
    return K.linalg_solve_matrix(input, K.expand(eye, input.shape))


def _pinv_input(K: Any, g: Any, A: Any, out: Any) -> Any:
    """Golub and Pereyra (1973), for matrices of constant rank."""
    gh, ph = turned(K, g), turned(K, out)
    left = K.matmul(gh, out)
    right = K.matmul(left, ph)
    total = K.neg(turned(K, K.matmul(out, left))) + right
    total = total - K.matmul(K.matmul(A, out), right)
    return total + K.matmul(K.matmul(ph, out), gh - K.matmul(left, A))


@composite(
    custom(
        INEXACT,
        halves=False,
        samples=lambda make: [(make(4, 3), None, 1e-9), (make(3, 4), None, 1e-9)],
    ),
    grad={"A": lambda K, g, A, out: _pinv_input(K, g, A, out)},
    namespace="_",
)
def pseudo_inverse(A: Tensor, atol: Any, rtol: Any) -> Tensor:
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as zero."""
    U, S, Vh = K.svd_factors(A, False)
    if not S.shape[-1]:
        return K.zeros_like(K.transpose(A, -2, -1))
    bound = K.mul(K.amax(S, -1, True), rtol)
    if atol is not None:
        bound = K.maximum(bound, K.unsqueeze(atol, -1) if getattr(atol, "ndim", 0) else atol)
    inverse = K.where(K.gt(S, bound), K.reciprocal(S), 0.0)
    return K.matmul(turned(K, Vh) * K.unsqueeze(inverse, -2), turned(K, U))


def _tolerance(A: Tensor, rtol: Any, atol: Any) -> Any:
    """The relative tolerance, one for each matrix where it is a tensor with dimensions.

    Without any, it is the dtype's precision times the longer side.
    """
    if rtol is not None:
        return K.unsqueeze(rtol, -1) if getattr(rtol, "ndim", 0) else rtol
    if atol is not None:
        return 0.0
    return precision(A) * max(A.shape[-2:])


@composite(
    custom(
        INEXACT, halves=False, samples=lambda make: [(make(4, 3),), (make(3, 4),), (make(2, 3, 3),)]
    ),
    namespace="_",
    aliases=("linalg.pinv",),
    out=True,
)
def linalg_pinv(
    input: Tensor, rcond: Any = None, *, rtol: Any = None, atol: Any = None, hermitian: bool = False
) -> Tensor:
    """The Moore-Penrose inverse; small singular values count as zero."""
    if hermitian:
        check_square("linalg.pinv", input)
    return K.pseudo_inverse(input, atol, _tolerance(input, rcond if rtol is None else rtol, atol))


@composite(custom(INEXACT, halves=False, samples=lambda make: [(make(4, 3),)]))
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse; prefer linalg.pinv."""
    return K.pseudo_inverse(input, None, rcond)


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(4, 3),), (make(2, 3, 3),)]),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
    aliases=("linalg.matrix_rank",),
    out=True,
)
def linalg_matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, rtol: Any = None, atol: Any = None
) -> Tensor:
    """How many singular values are larger than the tolerance (int64)."""
    S = K.abs(K.linalg_eigvalsh(input)) if hermitian else K.svd_factors(input, False)[1]
    if not S.shape[-1]:
        return K.sum(K.ne(S, 0), -1)
    if tol is not None:
        return K.sum(K.gt(S, tol), -1)
    bound = K.mul(K.amax(S, -1, True), _tolerance(input, rtol, atol))
    if atol is not None:
        bound = K.maximum(bound, K.unsqueeze(atol, -1) if getattr(atol, "ndim", 0) else atol)
    return K.sum(K.gt(S, bound), -1)


@composite(
    custom(
        INEXACT,
        halves=False,
        samples=lambda make: [(make(3, 3),), (make(3, 3), "fro"), (make(3, 3), 1)],
    ),
    namespace="_",
    aliases=("linalg.cond",),
    out=True,
)
def linalg_cond(input: Tensor, p: Any = None) -> Tensor:
    """The condition number in a matrix norm (default: the 2-norm)."""
    if p in (None, 2, -2):
        S = K.linalg_svdvals(input)
        largest, least = K.amax(S, -1), K.amin(S, -1)
        return least / largest if p == -2 else largest / least
    return K.mul(K.linalg_matrix_norm(input, p), K.linalg_matrix_norm(K.inverse(input), p))
