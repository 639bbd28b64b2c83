"""A = L D L^T for matrices that are symmetric, or Hermitian, but need not be definite.

Diagonal pivoting as in LAPACK's sytf2 and hetf2: Bunch and Kaufman, Some stable methods for calculating
inertia and solving symmetric linear systems (1977). D has blocks of size one and two.
"""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int32
from dispatch_core._errors import LinAlgError
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import contraction, custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import check_square

_ALPHA = (1 + math.sqrt(17)) / 8  # bounds the growth of elements best


def _size(x: Tensor) -> Tensor:
    """LAPACK measures complex numbers by |re| + |im|."""
    return K.add(K.abs(K.real(x)), K.abs(K.imag(x))) if x.is_complex() else K.abs(x)


def _largest(x: Tensor) -> tuple[int, float]:
    if not x.shape[0]:
        return 0, 0.0
    sizes = _size(x)
    at = int(K.argmax(sizes, 0).item())
    return at, float(K.select(sizes, 0, at).item())


def _column(A: Tensor, k: int, at: int) -> Tensor:
    """Column `at` of the part not yet done, but for its diagonal element; A has a lower triangle."""
    return K.cat([K.select(A, 0, at)[k:at], K.select(A, 1, at)[at + 1 :]], 0)


def _exchange(A: Tensor, i: int, j: int, conj: Any) -> None:
    """Rows and columns i < j exchanged, in the lower triangle that is not yet done."""
    _swap(A, (slice(j + 1, None), i), (slice(j + 1, None), j))
    between, row = A[i + 1 : j, i].clone(), A[j, i + 1 : j].clone()
    A[i + 1 : j, i] = conj(row)
    A[j, i + 1 : j] = conj(between)
    _swap(A, (i, i), (j, j))
    A[j, i] = conj(A[j, i].clone())


def _swap(A: Tensor, one: Any, other: Any) -> None:
    kept = A[one].clone()
    A[one] = A[other]
    A[other] = kept


def _pivot(A: Tensor, k: int, hermitian: bool) -> tuple[int, int, bool]:
    """The size of the next block, the row that comes into its last place, and whether it is zero."""
    here = float(_size(K.real(A[k, k]) if hermitian else A[k, k]).item())
    at, colmax = _largest(A[k + 1 :, k])
    if max(here, colmax) == 0 or math.isnan(here):
        return 1, k, True
    at += k + 1
    if here >= _ALPHA * colmax:
        return 1, k, False
    _, rowmax = _largest(_column(A, k, at))
    if here >= _ALPHA * colmax * (colmax / rowmax):
        return 1, k, False
    there = float(_size(K.real(A[at, at]) if hermitian else A[at, at]).item())
    return (1 if there >= _ALPHA * rowmax else 2), at, False


def _factor_one(A: Tensor, hermitian: bool) -> tuple[Tensor, list[int], int]:
    """The factors of one matrix in LAPACK's form, its pivots, and where D is first zero."""
    n = A.shape[-1]
    A = K.clone(K.tril(A))
    conj = K.conj if hermitian else K.clone
    pivots, info, k = [0] * n, 0, 0
    while k < n:
        block, at, zero = _pivot(A, k, hermitian)
        last = k + block - 1
        if zero:
            info = info or k + 1
        elif at != last:
            _exchange(A, last, at, conj)
            if block == 2:
                _swap(A, (last, k), (at, k))
        if hermitian:
            for d in range(k, last + 1):
                A[d, d] = K.cast_like(K.real(A[d, d]), A)
        if not zero and last + 1 < n:
            rest = slice(last + 1, None)
            D = A[k : last + 1, k : last + 1].clone()
            if block == 2:
                D[0, 1] = conj(D[1, 0].clone())
            C = A[rest, k : last + 1].clone()
            L = K.matmul(C, K.inverse(D))
            product = K.matmul(L, conj(K.transpose(C, 0, 1)))
            A[rest, rest] = A[rest, rest] - K.tril(product)
            A[rest, k : last + 1] = L
        # A block of size two is marked by two negative numbers.
        pivots[k : last + 1] = [at + 1] if block == 1 else [-(at + 1)] * 2
        k += block
    return A, pivots, info


def _symmetric(make: Any) -> list[Any]:
    """Matrices whose pivots do not hang on rounding."""
    x = make(3, 3)
    y = make(2, 3, 3)
    return [(x + x.mT + 8 * x.new_ones((3,)).diag_embed(),), (y + y.mT,)]


@composite(
    custom(INEXACT, halves=False, samples=_symmetric),
    grad=NOT_DIFFERENTIABLE,
    outputs=3,
    fields=("LD", "pivots", "info"),
    namespace="_",
    aliases=("linalg.ldl_factor_ex",),
    out=True,
)
def linalg_ldl_factor_ex(
    input: Tensor, *, hermitian: bool = False, check_errors: bool = False
) -> Any:
    """`linalg.ldl_factor`, and for each matrix 0 or the place of the first zero block of D."""
    check_square("torch.linalg.ldl_factor_ex", input)
    found = [_factor_one(matrix, hermitian and input.is_complex()) for matrix in _matrices(input)]
    LD = K.reshape(K.stack([f[0] for f in found]), tuple(input.shape)) if found else K.clone(input)
    shape = tuple(input.shape[:-1])
    pivots, info = (
        K.reshape(K.cast(_vector(input, values), int32), size)
        for values, size in (
            ([p for f in found for p in f[1]], shape),
            ([f[2] for f in found], shape[:-1]),
        )
    )
    if check_errors and any(f[2] for f in found):
        raise LinAlgError(
            "torch.linalg.ldl_factor_ex: D has a block that is exactly zero "
            f"(the first at {next(f[2] for f in found if f[2])}); the matrix is singular"
        )
    return K.linalg_ldl_factor_ex.op.result_type(LD, pivots, info)


def _matrices(A: Tensor) -> Any:
    n, count = A.shape[-1], math.prod(A.shape[:-2])
    return K.unbind(K.reshape(A.detach(), (count, n, n)), 0)


def _vector(like: Tensor, values: list[int]) -> Tensor:
    if not values:
        return K.storage_index(like, 0)
    places = K.storage_index(like, 1)
    return K.cat([K.add(places, v) for v in values], 0)


@composite(
    custom(INEXACT, halves=False, samples=_symmetric),
    grad=NOT_DIFFERENTIABLE,
    outputs=2,
    fields=("LD", "pivots"),
    namespace="_",
    aliases=("linalg.ldl_factor",),
    out=True,
)
def linalg_ldl_factor(input: Tensor, *, hermitian: bool = False) -> Any:
    """A = L D L^T, or L D L^H if `hermitian`, in LAPACK's compact form; reads the lower triangle.

    L has ones on its diagonal; D, of blocks of size one and two, stands in its place. Pivots (int32)
    count from 1: the row exchanged with this one, two equal negative ones for a block of size two.
    """
    LD, pivots, _ = K.linalg_ldl_factor_ex(input, hermitian=hermitian, check_errors=True)
    return K.linalg_ldl_factor.op.result_type(LD, pivots)


def _blocks(pivots: list[int]) -> list[tuple[int, int, int]]:
    """First and last row of each block of D, and the row that was exchanged with the last."""
    found, k = [], 0
    while k < len(pivots):
        size = 1 if pivots[k] > 0 else 2
        found.append((k, k + size - 1, abs(pivots[k]) - 1))
        k += size
    return found


def _solve_one(LD: Tensor, pivots: list[int], B: Tensor, hermitian: bool) -> Tensor:
    conj = K.conj if hermitian else K.clone
    X = K.clone(B)
    blocks = _blocks(pivots)
    for first, last, at in blocks:
        _swap(X, (last,), (at,))
        L = LD[last + 1 :, first : last + 1]
        X[last + 1 :] = X[last + 1 :] - K.matmul(L, X[first : last + 1])
        D = LD[first : last + 1, first : last + 1].clone()
        if last > first:
            D[0, 1] = conj(D[1, 0].clone())
        X[first : last + 1] = K.linalg_solve_matrix(D, X[first : last + 1])
    for first, last, at in reversed(blocks):
        L = conj(K.transpose(LD[last + 1 :, first : last + 1], 0, 1))
        X[first : last + 1] = X[first : last + 1] - K.matmul(L, X[last + 1 :])
        _swap(X, (last,), (at,))
    return X


@composite(
    contraction(
        INEXACT,
        halves=False,
        whole=("pivots",),
        samples=lambda make: [
            (*K.linalg_ldl_factor(a), make(*a.shape[:-1], 2)) for (a,) in _symmetric(make)
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
    aliases=("linalg.ldl_solve",),
    batch="leading",
    out=True,
)
def linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """X with A X = B, from the factors and pivots of `linalg.ldl_factor`."""
    check_square("torch.linalg.ldl_solve", LD)
    if B.ndim < 2:
        raise IndexError(
            "torch.linalg.ldl_solve: Expected B to have at least 2 dimensions, but it has "
            f"{B.ndim} dimensions instead"
        )
    if B.shape[-2] != LD.shape[-1]:
        raise RuntimeError(
            "torch.linalg.ldl_solve: Expected LD.shape[-1] == B.shape[-2], but got "
            f"{LD.shape[-1]} and {B.shape[-2]}"
        )
    n = LD.shape[-1]
    lead = (K.expand(LD[..., 0, 0], LD.shape[:-2]) if n else K.new_zeros(LD, LD.shape[:-2])).shape
    lead = K.add(K.new_zeros(LD, lead), K.new_zeros(B, tuple(B.shape[:-2]))).shape
    LD, B = (K.reshape(K.expand(x, (*lead, *x.shape[-2:])), (-1, *x.shape[-2:])) for x in (LD, B))
    rows = K.reshape(K.expand(pivots, (*lead, n)), (-1, n)).tolist()
    conjugate = hermitian and LD.is_complex()
    found = [
        _solve_one(LD[i].detach(), row, B[i].detach(), conjugate) for i, row in enumerate(rows)
    ]
    shape = (*lead, *B.shape[-2:])
    return K.reshape(K.stack(found), shape) if found else K.new_zeros(B, shape)
