"""Elimination column by column: LU, linear equations and Cholesky factors, in our own operators.

Every step works on what is left of the matrix, a block that becomes a row and a column smaller: so
zeros that are known are never multiplied by an infinity, and no step is wider than it must be. All
matrices of a batch take a step together. Algorithms by number are those of Golub and Van Loan, Matrix
Computations, 4th edition (2013).
"""

from __future__ import annotations

from dispatch_core._dtypes import int32
from dispatch_core._errors import LinAlgError
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import block, singular, turned
from dispatch_core.ops._values import all_true, any_true


def lu(A: Tensor) -> tuple[Tensor, Tensor]:
    """L below the diagonal and U in one matrix, and the pivots as LAPACK counts them."""
    steps = min(A.shape[-2:])
    if not steps:
        return K.clone(A), K.new_zeros(A, (*A.shape[:-2], 0), dtype=int32)
    factors, pivots = _eliminated(A, steps)
    return factors, K.cast(K.squeeze(K.cat(pivots, -1), -2) + 1, int32)


def solution(A: Tensor, B: Tensor) -> Tensor:
    """X with A X = B: the columns of B take part in the elimination, then U is substituted back.

    LinAlgError where a pivot is zero.
    """
    n = A.shape[-1]
    if not n:
        return K.clone(B)
    done, _ = _eliminated(K.cat([A, B], -1), n)
    U, Y = K.narrow(done, -1, 0, n), K.narrow(done, -1, n, B.shape[-1])
    if any_true(K.eq(K.diagonal(U, 0, -2, -1), 0)):
        raise singular("linalg.solve")
    return substituted(U, Y)


def cholesky(A: Tensor) -> Tensor:
    """The lower triangular L with A = L L^H, reading the lower triangle only.

    The outer product form (section 4.2): each step takes a column and what it explains of the rest.
    LinAlgError where A is not positive definite.
    """
    n = A.shape[-1]
    if not n:
        return K.clone(A)
    rest, columns = A, []
    for k in range(n):
        root = K.sqrt(K.real(block(rest, 0, 1, 0, 1)))
        below = block(rest, 1, n - k, 0, 1) / root
        above = K.new_zeros(A, (*A.shape[:-2], k, 1))
        columns.append(K.cat([above, K.cast(root, A.dtype), below], -2))
        rest = block(rest, 1, n - k, 1, n - k) - below * turned(K, below)
    L = K.cat(columns, -1)
    # The root of a pivot below zero is NaN, and stays NaN: one look at the end is enough.
    if not all_true(K.gt(K.real(K.diagonal(L, 0, -2, -1)), 0)):
        raise LinAlgError(
            "linalg.cholesky: the factorization could not be completed because the input is not "
            "positive-definite."
        )
    return L


def _eliminated(A: Tensor, steps: int) -> tuple[Tensor, list[Tensor]]:
    """Gauss's elimination of the first columns with partial pivoting (algorithm 3.4.1).

    Returns U over the multipliers, and for each step the number of the row that was taken.
    """
    m, n = A.shape[-2:]
    rest, done, pivots = A, [], []
    for k in range(steps):
        at = K.argmax(_measure(K.narrow(rest, -1, k, 1)), -2, True)
        pivots.append(at + k)
        row, rest = _exchanged(rest, at)
        done.append(row)
        pivot = K.narrow(row, -1, k, 1)
        # A column of zeros stays one, and leaves the zero on the diagonal to be found.
        factor = K.narrow(rest, -1, k, 1) / K.where(K.eq(pivot, 0), 1, pivot)
        changed = K.narrow(rest, -1, k + 1, n - k - 1)
        changed = changed - factor * K.narrow(row, -1, k + 1, n - k - 1)
        rest = K.cat([K.narrow(rest, -1, 0, k), factor, changed], -1)
    return K.cat([*done, rest] if m > steps else done, -2), pivots


def _measure(column: Tensor) -> Tensor:
    """What pivots are chosen by: |x|, and |re| + |im| for complex numbers, as LAPACK has it."""
    if not column.is_complex():
        return K.abs(column)
    return K.abs(K.real(column)) + K.abs(K.imag(column))


def _exchanged(rows: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """One row of each matrix, and the others with the first in its place."""
    *batch, m, n = rows.shape
    taken = K.gather(rows, -2, K.expand(at, (*batch, 1, n)))
    places = K.reshape(K.narrow(K.storage_index(rows, m), 0, 1, m - 1), (m - 1, 1))
    source = K.where(K.eq(places, at), 0, places)
    return taken, K.gather(rows, -2, K.expand(source, (*batch, m - 1, n)))


def substituted(U: Tensor, Y: Tensor) -> Tensor:
    """X with U X = Y for an upper triangular U, from the last row up (algorithm 3.1.4)."""
    found = []
    for k in range(U.shape[-1] - 1, -1, -1):
        x = K.narrow(Y, -2, k, 1) / block(U, k, k + 1, k, k + 1)
        found.append(x)
        Y = K.narrow(Y, -2, 0, k) - block(U, 0, k, k, k + 1) * x
    return K.cat(found[::-1], -2)
