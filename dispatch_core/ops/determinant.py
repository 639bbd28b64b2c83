"""Determinants and their logarithms."""

from __future__ import annotations

from typing import Any

from dispatch_core._errors import LinAlgError
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import check_square, positive_samples, square_samples, turned
from dispatch_core.ops._values import all_true


def _squares_and_determinants(make: Any) -> list[Any]:
    return [(make(*A.shape[:-2]), A, K.det(A)) for (A,) in square_samples(make)]


@composite(
    custom(INEXACT, halves=False, samples=_squares_and_determinants), namespace="_", batch="leading"
)
def det_slope(g: Tensor, A: Tensor, out: Tensor) -> Tensor:
    """g times the conjugate of A's cofactors: det(A) A^-1, or from an SVD where that fails."""
    wide = K.unsqueeze(K.unsqueeze(g, -1), -1)
    # Against the largest that rows of these lengths can give (Hadamard's bound).
    bound = K.prod(K.linalg_vector_norm(A, 2, -1), -1)
    if all_true(K.gt(K.abs(out), bound * 1e-6)):
        det = K.unsqueeze(K.unsqueeze(out, -1), -1)
        return wide * K.conj(det) * turned(K, K.inverse(A))
    finite = K.unsqueeze(K.all(K.isfinite(K.reshape(A, (*A.shape[:-2], -1))), -1), -1)
    finite = K.unsqueeze(finite, -1)
    U, S, Vh = K.svd_factors(K.where(finite, A, 0.0), True)
    n = S.shape[-1]
    rows = K.expand(K.unsqueeze(S, -2), (*S.shape, n))
    others = K.prod(K.tril(rows, -1) + K.triu(rows, 1) + K.diag_embed(K.ones_like(S)), -1)
    phase = K.unsqueeze(K.unsqueeze(K.conj(K.det(U) * K.det(Vh)), -1), -1)
    # conj(det(U) det(Vh))^-1 = det(U) det(Vh), both being of modulus one.
    slope = wide * K.matmul(U * K.unsqueeze(others, -2), Vh) * phase
    return K.where(finite, slope, float("nan"))


@composite(
    custom(
        INEXACT, halves=False, rule=lambda A: check_square("linalg.det", A), samples=square_samples
    ),
    grad={"input": lambda K, g, input, out: K.det_slope(g, input, out)},
    aliases=("linalg.det",),
    batch="leading",
    keywords={"A": "input"},
    out=True,
)
def det(input: Tensor) -> Tensor:
    """The determinant of square matrices."""
    check_square("linalg.det", input)
    LU, pivots = K.lu_factors(input)
    return K.mul(_pivot_sign(pivots, LU), K.prod(K.diagonal(LU, 0, -2, -1), -1))


def _pivot_sign(pivots: Tensor, LU: Tensor) -> Tensor:
    places = K.add(K.storage_index(pivots, pivots.shape[-1]), 1)
    swaps = K.sum(K.ne(pivots, places), -1)
    return K.cast(K.sub(1, K.mul(K.remainder(swaps, 2), 2)), LU.dtype)


def _slogdet_input(K: Any, gs: Any, A: Any, outs: Any) -> Any:
    """Re(d logdet) belongs to the logarithm, the imaginary part turns the sign."""
    g_sign, g_log = gs
    total: Any = 0
    if g_log is not None:
        total = g_log
    if g_sign is not None:
        turn = g_sign * K.conj(outs[0])
        total = total + (turn - K.conj(turn)) * 0.5
    try:
        inverse = K.inverse(A)
    except LinAlgError:  # NaN for those that are singular
        inverse = K.linalg_inv_ex(A)[0]
    return K.unsqueeze(K.unsqueeze(total, -1), -1) * turned(K, inverse)


@composite(
    custom(
        INEXACT,
        halves=False,
        rule=lambda A: check_square("linalg.slogdet", A),
        samples=square_samples,
    ),
    grad={"input": lambda K, gs, input, outs: _slogdet_input(K, gs, input, outs)},
    outputs=2,
    fields=("sign", "logabsdet"),
    aliases=("linalg.slogdet",),
    batch="leading",
    keywords={"A": "input"},
    out=True,
)
def slogdet(input: Tensor) -> Any:
    """The sign (or phase) of the determinant and the logarithm of its absolute value."""
    check_square("linalg.slogdet", input)
    LU, pivots = K.lu_factors(input)
    diagonal = K.diagonal(LU, 0, -2, -1)
    sign = K.mul(_pivot_sign(pivots, LU), K.prod(K.sgn(diagonal), -1))
    return K.slogdet.op.result_type(sign, K.sum(K.log(K.abs(diagonal)), -1))


@composite(custom(INEXACT, halves=False, samples=positive_samples))
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
    sign, logarithm = K.slogdet(input)
    if input.is_complex():
        return K.add(K.log(sign), logarithm)
    return K.where(K.lt(sign, 0), float("nan"), logarithm)
