"""Singular values, and eigenvalues of Hermitian matrices.

The gradients are the classical formulas; see Giles, An extended collection of matrix derivative
results for forward and reverse mode algorithmic differentiation (2008), and for complex singular
vectors Wan and Zhang, Automatic differentiation for complex valued SVD (2019).
"""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops import _jacobi
from dispatch_core.ops._matrices import (
    check_matrix,
    check_square,
    diagonal_matrix,
    hermitian_samples,
    hermitian_up_to_phase,
    skew,
    turned,
    up_to_phase,
)

# -- singular values -----------------------------------------------------------------------------


def _svd_rule(A: Tensor, *rest: Any) -> None:
    check_matrix("linalg.svd", A)


def _matrix_samples(make: Any) -> list[Any]:
    return [(make(4, 3), False), (make(3, 4), False), (make(3, 3),), (make(2, 4, 3), False)]


@composite(
    custom(INEXACT, halves=False, rule=_svd_rule, tested_as=up_to_phase, samples=_matrix_samples),
    grad={"A": lambda K, gs, outs: _svd_input(K, gs, outs)},
    outputs=3,
    fields=("U", "S", "Vh"),
    namespace="_",
    batch="leading",
)
def svd_factors(A: Tensor, full_matrices: bool = True) -> Any:
    """A = U diag(S) Vh with singular values S in descending order."""
    _svd_rule(A)
    return K.svd_factors.op.result_type(*_jacobi.svd(A, full_matrices))


@composite(
    custom(INEXACT, halves=False, tested_as=up_to_phase, samples=_matrix_samples),
    outputs=3,
    fields=("U", "S", "Vh"),
    namespace="_",
    aliases=("linalg.svd",),
    out=True,
)
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: Any = None) -> Any:
    """A = U diag(S) Vh with S in descending order; U and Vh square if `full_matrices`.

    Gradients exist for the reduced form and distinct singular values, and of losses that do not
    depend on the vectors' signs (or phases).
    """
    return K.linalg_svd.op.result_type(*K.svd_factors(A, full_matrices))


def _svd_input(K: Any, gs: Any, outs: Any) -> Any:
    gU, gS, gVh = gs
    U, S, Vh = outs
    k = S.shape[-1]
    U, Vh = K.narrow(U, -1, 0, k), K.narrow(Vh, -2, 0, k)
    gU = None if gU is None else K.narrow(gU, -1, 0, k)
    gVh = None if gVh is None else K.narrow(gVh, -2, 0, k)
    if gU is None and gVh is None:
        return K.matmul(U * K.unsqueeze(gS, -2), Vh)
    m, n = U.shape[-2], Vh.shape[-1]
    left = None if gU is None else skew(K, K.matmul(turned(K, U), gU))
    right = None if gVh is None else skew(K, K.matmul(Vh, turned(K, gVh)))
    row, column = K.unsqueeze(S, -2), K.unsqueeze(S, -1)
    square = row * row - column * column
    square = square + diagonal_matrix(K, K.ones_like(S))
    inner: Any = 0
    if left is not None:
        inner = left * row / square
    if right is not None:
        inner = inner + column * right / square
    # On the diagonal stand the gradient of S, and for complex matrices the common phase.
    inner = K.tril(inner, -1) + K.triu(inner, 1)
    if gS is not None:
        inner = inner + diagonal_matrix(K, gS)
    if left is not None and right is not None:
        inner = inner + diagonal_matrix(K, K.diagonal(left, 0, -2, -1) / (2 * S))
    if m > k and gU is not None:
        scaled = gU / row
        outer = K.matmul(U, inner) + scaled - K.matmul(U, K.matmul(turned(K, U), scaled))
        return K.matmul(outer, Vh)
    if n > k and gVh is not None:
        scaled = gVh / column
        outer = K.matmul(inner, Vh) + scaled - K.matmul(K.matmul(scaled, turned(K, Vh)), Vh)
        return K.matmul(U, outer)
    return K.matmul(K.matmul(U, inner), Vh)


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(4, 3),), (make(2, 3, 4),)]),
    namespace="_",
    aliases=("linalg.svdvals",),
    out=True,
)
def linalg_svdvals(A: Tensor, *, driver: Any = None) -> Tensor:
    """The singular values in descending order."""
    return K.svd_factors(A, False)[1]


@composite(
    custom(
        INEXACT,
        halves=False,
        tested_as=up_to_phase,
        samples=lambda make: [(make(4, 3),), (make(3, 4),)],
    ),
    outputs=3,
    fields=("U", "S", "V"),
    out=True,
)
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """input = U diag(S) V^H, reduced if `some`; prefer linalg.svd."""
    if not compute_uv:
        values = K.linalg_svdvals(input)
        u, v = (K.new_zeros(input, (*input.shape[:-2], n, n)) for n in input.shape[-2:])
        return K.svd.op.result_type(u, values, v)
    u, s, vh = K.svd_factors(input, not some)
    return K.svd.op.result_type(u, s, K.conj(K.transpose(vh, -2, -1)))


# -- eigenvalues of Hermitian matrices -----------------------------------------------------------


def _eigh_rule(A: Tensor, UPLO: str = "L") -> None:
    check_square("linalg.eigh", A)
    if UPLO not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")


@composite(
    custom(
        INEXACT,
        halves=False,
        rule=_eigh_rule,
        tested_as=hermitian_up_to_phase,
        samples=hermitian_samples,
    ),
    grad={"input": lambda K, gs, outs: _eigh_input(K, gs, outs)},
    outputs=2,
    fields=("eigenvalues", "eigenvectors"),
    namespace="_",
    aliases=("linalg.eigh",),
    batch="leading",
    out=True,
)
def linalg_eigh(input: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues (ascending) and vectors of a symmetric or Hermitian matrix; reads one triangle.

    Gradients exist for distinct eigenvalues and losses that do not depend on the vectors' phases.
    """
    _eigh_rule(input, UPLO)
    return K.linalg_eigh.op.result_type(*_jacobi.eigh(input, UPLO == "L"))


def _eigh_input(K: Any, gs: Any, outs: Any) -> Any:
    gL, gV = gs
    L, V = outs
    if gV is None:
        return K.matmul(V * K.unsqueeze(gL, -2), turned(K, V))
    gap = K.unsqueeze(L, -2) - K.unsqueeze(L, -1) + diagonal_matrix(K, K.ones_like(L))
    inner = K.matmul(turned(K, V), gV) / gap
    inner = K.tril(inner, -1) + K.triu(inner, 1)
    if gL is not None:
        inner = inner + diagonal_matrix(K, gL)
    return K.matmul(K.matmul(V, inner), turned(K, V))


@composite(
    custom(INEXACT, halves=False, tested_as=hermitian_up_to_phase, samples=hermitian_samples),
    namespace="_",
    aliases=("linalg.eigvalsh",),
    out=True,
)
def linalg_eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a symmetric or Hermitian matrix, ascending."""
    return K.linalg_eigh(input, UPLO)[0]
