"""Factorisations of matrices: QR, Cholesky and LU.

The gradients are the classical formulas; see Giles, An extended collection of matrix derivative
results for forward and reverse mode algorithmic differentiation (2008).
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._errors import LinAlgError
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops import _elimination, _householder
from dispatch_core.ops._matrices import (
    check_matrix,
    check_square,
    diagonal_matrix,
    of_hermitian,
    positive_samples,
    turned,
)
from dispatch_core.ops._values import any_true

# -- QR ------------------------------------------------------------------------------------------


def _qr_rule(A: Tensor, mode: str = "reduced") -> None:
    check_matrix("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced', 'r', or "
            "'complete'"
        )


@composite(
    custom(
        INEXACT,
        halves=False,
        rule=_qr_rule,
        samples=lambda make: [(make(4, 3),), (make(3, 3),), (make(3, 4),), (make(2, 4, 3),)],
    ),
    grad={"A": lambda K, gs, outs, A, mode: _qr_input(K, gs, outs, A, mode)},
    outputs=2,
    fields=("Q", "R"),
    namespace="_",
    aliases=("linalg.qr",),
    batch="leading",
    out=True,
)
def linalg_qr(A: Tensor, mode: str = "reduced") -> Any:
    """A = Q R, Q with orthonormal columns and R upper triangular; mode reduced, complete or r."""
    _qr_rule(A, mode)
    return K.linalg_qr.op.result_type(*_householder.qr(A, mode))


def _qr_input(K: Any, gs: Any, outs: Any, A: Any, mode: str) -> Any:
    gQ, gR = gs
    Q, R = outs
    m, n = A.shape[-2:]
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'; use "
            "mode='reduced'"
        )
    if mode == "complete" and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols"
        )
    if m >= n:
        return _tall_qr(K, gQ, gR, Q, R)
    # The first m columns give Q and the square part of R; the others are Q^H A.
    rest = K.narrow(A, -1, m, n - m)
    square, g_rest = K.narrow(R, -1, 0, m), None
    if gR is not None:
        g_rest = K.narrow(gR, -1, m, n - m)
        more = K.matmul(rest, turned(K, g_rest))
        gQ = more if gQ is None else gQ + more
        gR = K.narrow(gR, -1, 0, m)
    first = _tall_qr(K, gQ, gR, Q, square)
    second = K.zeros_like(rest) if g_rest is None else K.matmul(Q, g_rest)
    return K.cat([first, second], -1)


def _tall_qr(K: Any, gQ: Any, gR: Any, Q: Any, R: Any) -> Any:
    inner: Any = 0
    if gR is not None:
        inner = K.matmul(gR, turned(K, R))
    if gQ is not None:
        inner = inner - K.matmul(turned(K, Q), gQ)
    upper = K.triu(inner, 1)
    middle = upper + turned(K, upper) + diagonal_matrix(K, K.real(K.diagonal(inner, 0, -2, -1)))
    total = K.matmul(Q, middle)
    if gQ is not None:
        total = total + gQ
    return turned(K, K.linalg_solve_matrix(R, turned(K, total)))


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(4, 3),), (make(3, 4),)]),
    outputs=2,
    fields=("Q", "R"),
    out=True,
)
def qr(input: Tensor, some: bool = True) -> Any:
    """The QR decomposition, reduced if `some`; prefer linalg.qr."""
    return K.qr.op.result_type(*K.linalg_qr(input, "reduced" if some else "complete"))


# -- Cholesky ------------------------------------------------------------------------------------


def _cholesky_rule(A: Tensor) -> None:
    check_square("linalg.cholesky", A)


@composite(
    custom(
        INEXACT, halves=False, rule=_cholesky_rule, tested_as=of_hermitian, samples=positive_samples
    ),
    grad={"A": lambda K, g, out: _cholesky_input(K, g, out)},
    namespace="_",
    batch="leading",
)
def cholesky_lower(A: Tensor) -> Tensor:
    """The lower triangular L with A = L L^H."""
    _cholesky_rule(A)
    return _elimination.cholesky(A)


def _cholesky_input(K: Any, g: Any, L: Any) -> Any:
    inner = K.matmul(turned(K, L), g)
    strict = K.tril(inner, -1)
    inner = strict + turned(K, strict) + diagonal_matrix(K, K.real(K.diagonal(inner, 0, -2, -1)))
    adjoint = turned(K, L)
    half = K.linalg_solve_matrix(adjoint, inner)
    return turned(K, K.linalg_solve_matrix(adjoint, turned(K, half))) * 0.5


@composite(
    custom(INEXACT, halves=False, tested_as=of_hermitian, samples=positive_samples),
    namespace="_",
    aliases=("linalg.cholesky",),
    out=True,
)
def linalg_cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """The triangular factor of a positive definite matrix, A = L L^H (or U^H U if `upper`)."""
    L = K.cholesky_lower(input)
    return K.conj(K.transpose(L, -2, -1)) if upper else L


@composite(
    custom(INEXACT, halves=False, tested_as=of_hermitian, samples=positive_samples), out=True
)
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The Cholesky factor; prefer linalg.cholesky."""
    return K.linalg_cholesky(input, upper=upper)


# -- LU ------------------------------------------------------------------------------------------


def _lu_rule(A: Tensor) -> None:
    check_matrix("linalg.lu_factor", A)


@composite(
    custom(
        INEXACT, halves=False, rule=_lu_rule, samples=lambda make: [(make(3, 3),), (make(2, 4, 4),)]
    ),
    grad={"A": lambda K, gs, outs: _lu_input(K, gs, outs)},
    outputs=2,
    fields=("LU", "pivots"),
    namespace="_",
    batch="leading",
)
def lu_factors(A: Tensor) -> Any:
    """L (below the diagonal) and U in one matrix, and the pivots.

    For each row, in order, the one it was exchanged with (int32, counted from 1).
    """
    _lu_rule(A)
    return K.lu_factors.op.result_type(*_elimination.lu(A))


def _parted(K: Any, matrix: Any, m: int, n: int) -> tuple[Any, Any]:
    """The leading square of a matrix, and what is below or beside it."""
    k, dim = min(m, n), -2 if m > n else -1
    part = K.narrow(matrix, dim, 0, k)
    return part, K.narrow(matrix, dim, k, max(m, n) - k)


def _lu_input(K: Any, gs: Any, outs: Any) -> Any:
    g, (LU, pivots) = gs[0], outs
    m, n = LU.shape[-2:]
    square, rest = _parted(K, LU, m, n)
    g, grest = _parted(K, g, m, n)
    L = K.tril(square, -1) + diagonal_matrix(K, K.ones_like(K.diagonal(square, 0, -2, -1)))
    U = K.triu(square)
    # What is over in a rectangle is rest U^-1 below the square, or L^-1 rest beside it.
    if m > n:
        other = turned(K, K.linalg_solve_matrix(U, turned(K, grest)))
        g = g - K.triu(K.matmul(turned(K, rest), other))
    elif n > m:
        other = K.linalg_solve_matrix(turned(K, L), grest)
        g = g - K.tril(K.matmul(other, turned(K, rest)), -1)
    inner = K.tril(K.matmul(turned(K, L), K.tril(g, -1)), -1)
    inner = inner + K.triu(K.matmul(K.triu(g), turned(K, U)))
    half = K.linalg_solve_matrix(turned(K, L), inner)
    whole = turned(K, K.linalg_solve_matrix(U, turned(K, half)))
    if m != n:
        whole = K.cat([whole, other], -2 if m > n else -1)
    order = K.lu_order(pivots, m)
    return K.gather(whole, -2, K.expand(K.unsqueeze(K.argsort(order, -1), -1), whole.shape))


@composite(custom(), grad=NOT_DIFFERENTIABLE, namespace="_")
def lu_order(pivots: Tensor, rows: int) -> Tensor:
    """Which row stands where after the exchanges that the pivots say (int64)."""
    count = pivots.shape[-1]
    order = K.expand(K.storage_index(pivots, rows), (*pivots.shape[:-1], rows))
    for i in range(count):
        other = K.sub(K.cast(K.narrow(pivots, -1, i, 1), order.dtype), 1)
        here = K.clone(K.narrow(order, -1, i, 1))
        there = K.gather(order, -1, other)
        order = K.scatter_src(order, -1, other, here)
        at = K.full_like(other, i)
        order = K.scatter_src(order, -1, at, there)
    return order


def _lu_samples(make: Any) -> list[Any]:
    return [(make(3, 3),), (make(2, 4, 4),)]


@composite(
    custom(INEXACT, halves=False, samples=_lu_samples),
    outputs=2,
    fields=("LU", "pivots"),
    namespace="_",
    batch="leading",
    aliases=("linalg.lu_factor",),
    out=True,
)
def linalg_lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """The compact LU decomposition with partial pivoting, and the pivots (int32, from 1).

    LinAlgError, which is a RuntimeError, for a singular matrix.
    """
    LU, pivots = pivoted(A, pivot)
    zero = K.eq(K.diagonal(LU.detach(), 0, -2, -1), 0)
    if any_true(zero):
        raise LinAlgError(
            "torch.linalg.lu_factor: a diagonal element of U is zero and using it on lu_solve would "
            "result in a division by zero. If you still want to perform the factorization, consider "
            "calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )
    return K.linalg_lu_factor.op.result_type(LU, pivots)


def pivoted(A: Tensor, pivot: bool) -> Any:
    """The compact LU decomposition and the pivots, also of singular matrices."""
    if not pivot:
        raise RuntimeError(
            "linalg.lu_factor: LU without pivoting is not implemented; use pivot=True"
        )
    return K.lu_factors(A)


@composite(
    custom(INEXACT, halves=False, samples=_lu_samples),
    outputs=3,
    fields=("P", "L", "U"),
    namespace="_",
    aliases=("linalg.lu",),
    out=True,
)
def linalg_lu(A: Tensor, *, pivot: bool = True) -> Any:
    """A = P L U with a permutation P, unit lower triangular L and upper triangular U."""
    return K.linalg_lu.op.result_type(*K.lu_unpack(*pivoted(A, pivot)))


@composite(
    custom(
        INEXACT,
        halves=False,
        apart=("LU_pivots",),
        samples=lambda make: [tuple(K.linalg_lu_factor(make(3, 3)))],
    ),
    outputs=3,
    fields=("P", "L", "U"),
    method=False,
    out=True,
)
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """P, L and U of a compact LU decomposition; without elements what is not unpacked."""
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    P = L = U = K.new_zeros(LU_data, (0,))
    if unpack_pivots:
        order = K.lu_order(LU_pivots, m)
        places = K.storage_index(LU_data, m)
        P = K.cast(K.eq(K.unsqueeze(places, 1), K.unsqueeze(order, -2)), LU_data.dtype)
    if unpack_data:
        ones = K.eye(m, k, dtype=LU_data.dtype, device=LU_data.device)
        L = K.narrow(K.tril(LU_data, -1), -1, 0, k) + ones
        U = K.narrow(K.triu(LU_data), -2, 0, k)
    return K.lu_unpack.op.result_type(P, L, U)
