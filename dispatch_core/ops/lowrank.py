"""Low-rank approximations by random projections, and LU under its old names.

Halko, Martinsson and Tropp, Finding structure with randomness (2009), algorithm 4.4.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.inplace import into
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import contraction, custom
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops import solve  # noqa: F401  it declares cholesky_inverse
from dispatch_core.ops._matrices import turned, up_to_phase


def _range(A: Tensor, q: int, niter: int) -> Tensor:
    """Orthonormal columns whose span nearly holds that of A."""
    # Drawn in the dtype of A; PyTorch does so too.
    guess = K.randn((A.shape[-1], q), dtype=A.dtype, device=A.device)
    Q = K.linalg_qr(K.matmul(A, guess))[0]
    for _ in range(niter):
        Q = K.linalg_qr(K.matmul(turned(K, A), Q))[0]
        Q = K.linalg_qr(K.matmul(A, Q))[0]
    return Q


def _low_rank(A: Tensor, q: int, niter: int, M: Tensor | None) -> Any:
    if M is not None:
        A = K.sub(A, K.expand(M, A.shape))
    wide = A.shape[-2] < A.shape[-1]
    tall = turned(K, A) if wide else A
    Q = _range(tall, q, niter)
    U, S, Vh = K.svd_factors(K.matmul(turned(K, Q), tall), False)
    U, V = K.matmul(Q, U), turned(K, Vh)
    return (V, S, U) if wide else (U, S, V)


_REDUCED = custom(
    INEXACT, halves=False, tested_as=up_to_phase, samples=lambda make: [(make(4, 3), 3)]
)


@composite(_REDUCED, outputs=3, random=True, method=False)
def svd_lowrank(A: Tensor, q: int = 6, niter: int = 2, M: Tensor | None = None) -> Any:
    """U, S and V of nearly A (less M, if given) = U diag(S) V^H, with q singular values.

    Exact for matrices of rank q or less; `niter` steps of subspace iteration sharpen the rest.
    """
    q = 6 if q is None else q
    niter = 2 if niter is None else niter
    return _low_rank(A, q, niter, M)


@composite(_REDUCED, outputs=3, random=True, method=False)
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """`svd_lowrank` of the rows of A, less their mean if `center`: V has the principal directions."""
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return _low_rank(K.sub(A, K.mean(A, -2, True)) if center else A, q, niter, None)


# -- old names -------------------------------------------------------------------------------------


@public("", "Tensor")
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The compact LU decomposition and its pivots; prefer linalg.lu_factor.

    With `get_infos` also, for each matrix, 0 or the place of a zero on U's diagonal.
    """
    found = K.linalg_lu_factor_ex(A, pivot=pivot)
    found = found if get_infos else tuple(found[:2])
    return found if out is None else into(K.linalg_lu_factor_ex.op, None, (found,), out)


@composite(
    contraction(
        INEXACT,
        halves=False,
        apart=("LU_pivots",),
        samples=lambda make: [(make(3, 2), *K.linalg_lu_factor(make(3, 3)))],
    ),
    out=True,
)
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X with A X = input, from the LU decomposition of A; prefer linalg.lu_solve."""
    return K.linalg_lu_solve(LU_data, LU_pivots, input)


public("Tensor")(K.cholesky_inverse)
