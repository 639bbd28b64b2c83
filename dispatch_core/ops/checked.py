"""Solvers and factorisations that tell failure in a result instead of by an error."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import int32
from dispatch_core._errors import LinAlgError
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import contraction, custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor, is_readable
from dispatch_core.ops._matrices import (
    check_matrix,
    check_square,
    of_hermitian,
    positive_samples,
    turned,
)
from dispatch_core.ops._values import any_true
from dispatch_core.ops.factor import pivoted


def _first(bad: Tensor) -> Tensor:
    """For each row the place, from 1, of the first that is set, 0 where none is (int32)."""
    n = bad.shape[-1]
    if not n:
        return K.new_zeros(bad, tuple(bad.shape[:-1]), dtype=int32)
    places = K.add(K.storage_index(bad, n), 1)
    first = K.amin(K.where(bad, places, n + 1), -1)
    return K.cast(K.where(K.gt(first, n), 0, first), int32)


def _raise_for(what: str, info: Tensor, why: str) -> None:
    flat = K.reshape(info, (-1,)).tolist()
    for at, code in enumerate(flat):
        if code:
            which = f"(Batch element {at}): " if info.ndim else ""
            raise LinAlgError(f"{what}: {which}{why.format(code)}")


def _singular(info: Tensor) -> Tensor:
    return K.unsqueeze(K.unsqueeze(K.ne(info, 0), -1), -1)


def _may_have_failed(info: Tensor) -> bool:
    return not is_readable(info) or any_true(K.ne(info, 0))


def _solvable(A: Tensor) -> tuple[Tensor, Tensor]:
    """A with the identity for each singular matrix, and where U of its LU has its first zero."""
    LU, _ = K.lu_factors(A.detach())
    info = _first(K.eq(K.diagonal(LU, 0, -2, -1), 0))
    if not _may_have_failed(info):
        return A, info
    eye = K.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    return K.where(_singular(info), eye, A), info


_SINGULAR = (
    "The diagonal element {} is zero, the inversion could not be completed because the input matrix "
    "is singular."
)
_UNSOLVABLE = "The solver failed because the input matrix is singular."


def _lost(found: Tensor, info: Tensor) -> Tensor:
    """NaN for what has no solution."""
    if not _may_have_failed(info):
        return found
    return K.where(_singular(info), float("nan"), found)


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(3, 3),), (make(2, 3, 3),)]),
    outputs=2,
    fields=("inverse", "info"),
    namespace="_",
    aliases=("linalg.inv_ex",),
    out=True,
)
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """The inverse, and for each matrix 0 or, where it is singular, the place of a zero pivot.

    What stands for the inverse of a singular matrix means nothing. `check_errors`: raise instead.
    """
    check_square("linalg.inv_ex", A)
    regular, info = _solvable(A)
    if check_errors:
        _raise_for("linalg.inv_ex", info, _SINGULAR)
    return K.linalg_inv_ex.op.result_type(_lost(K.inverse(regular), info), info)


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            (make(3, 3), make(3, 2)),
            (make(2, 3, 3), make(2, 3)),
            (make(3, 3), make(2, 3), {"left": False}),
        ],
    ),
    outputs=2,
    fields=("result", "info"),
    namespace="_",
    aliases=("linalg.solve_ex",),
    out=True,
)
def linalg_solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """`linalg.solve`, and for each matrix 0 or, where it is singular, the place of a zero pivot."""
    check_square("linalg.solve_ex", A)
    regular, info = _solvable(A)
    if check_errors:
        _raise_for("torch.linalg.solve_ex", info, _UNSOLVABLE)
    found = K.linalg_solve(regular, B, left=left)
    if _may_have_failed(info):
        lost = K.ne(info, 0) if found.ndim == A.ndim - 1 else _singular(info)
        lost = K.unsqueeze(lost, -1) if found.ndim == A.ndim - 1 else lost
        found = K.where(lost, float("nan"), found)
    return K.linalg_solve_ex.op.result_type(found, info)


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(3, 3),), (make(2, 4, 4),)]),
    outputs=3,
    fields=("LU", "pivots", "info"),
    namespace="_",
    aliases=("linalg.lu_factor_ex",),
    out=True,
)
def linalg_lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """`linalg.lu_factor`, and for each matrix 0 or the place of the first zero on U's diagonal."""
    check_matrix("linalg.lu_factor_ex", A)
    LU, pivots = pivoted(A, pivot)
    info = _first(K.eq(K.diagonal(LU.detach(), 0, -2, -1), 0))
    if check_errors:
        _raise_for(
            "torch.linalg.lu_factor_ex",
            info,
            "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero.",
        )
    return K.linalg_lu_factor_ex.op.result_type(LU, pivots, info)


def _column_by_column(A: Tensor) -> tuple[Tensor, Tensor]:
    """L, and for each matrix the order of the first leading minor that is not positive.

    Columns from that order on are what is left of the matrix, which means nothing.
    """
    n = A.shape[-1]
    L = K.clone(K.tril(A))
    info = K.new_zeros(A, tuple(A.shape[:-2]), dtype=int32)
    for k in range(n):
        pivot = K.real(K.clone(L[..., k, k]))
        bad = K.bitwise_not(K.gt(pivot, 0))
        info = K.where(K.bitwise_and(bad, K.eq(info, 0)), k + 1, info)
        failed = K.ne(info, 0)
        root = K.where(failed, 1.0, K.sqrt(pivot))
        below = K.div(L[..., k + 1 :, k], K.unsqueeze(root, -1))
        below = K.where(K.unsqueeze(failed, -1), L[..., k + 1 :, k], below)
        rest = K.tril(K.matmul(K.unsqueeze(below, -1), turned(K, K.unsqueeze(below, -1))))
        rest = K.where(_singular(failed), 0.0, rest)
        L[..., k, k] = K.where(failed, L[..., k, k], root)
        L[..., k + 1 :, k] = below
        L[..., k + 1 :, k + 1 :] = L[..., k + 1 :, k + 1 :] - rest
    return L, K.cast(info, int32)


@composite(
    custom(INEXACT, halves=False, tested_as=of_hermitian, samples=positive_samples),
    outputs=2,
    fields=("L", "info"),
    namespace="_",
    aliases=("linalg.cholesky_ex",),
    out=True,
)
def linalg_cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """`linalg.cholesky`, and for each matrix 0 or the order of a minor that is not positive.

    Where that is not 0 the factor means nothing, and there is no gradient.
    """
    check_square("linalg.cholesky_ex", input)
    try:
        found = K.linalg_cholesky(input, upper=upper)
        info = K.new_zeros(input, tuple(input.shape[:-2]), dtype=int32)
    except LinAlgError:
        found, info = _column_by_column(turned(K, input.detach()) if upper else input.detach())
        if check_errors:
            _raise_for(
                "linalg.cholesky_ex",
                info,
                "The factorization could not be completed because the input is not "
                "positive-definite (the leading minor of order {} is not positive-definite).",
            )
        found = turned(K, found) if upper else found
    return K.linalg_cholesky_ex.op.result_type(found, info)
