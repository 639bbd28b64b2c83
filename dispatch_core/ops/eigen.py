"""Eigenvalues and eigenvectors of matrices that need not be symmetric."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import dtype
from dispatch_core._families.base import INEXACT, Family
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import check_square, diagonal_matrix, up_to_phase


class _Complex(Family):
    """Operators whose results are complex for real matrices too."""

    def result(self, op: Any, computed: dtype) -> dtype | None:
        return computed.to_complex()


def _apart(make: Any) -> list[Any]:
    """Matrices whose eigenvalues are well apart, real ones with complex eigenvalues among them."""
    shift = make(3, 3).new_zeros((3, 3))
    shift[0, 0], shift[1, 1], shift[2, 2] = 4.0, 11.0, 0.5
    return [(make(3, 3) + shift,), (make(2, 3, 3) + shift,)]


def _turned(K: Any, value: Any) -> Any:
    # `K.conj` leaves arrays alone in the formulas of real operators, and here they are complex.
    return K.conj_physical(K.transpose(value, -2, -1))


def _eig_input(K: Any, gs: Any, outs: Any, real: bool) -> Any:
    """For eigenvectors of length one, after Boeddeker, Hanebrink et al. (2017).

    On the computation of complex-valued gradients with application to statistically optimum
    beamforming.
    """
    gL, gV = gs
    L, V = outs
    inner: Any = None
    if gV is not None:
        Vh = _turned(K, V)
        inner = K.matmul(Vh, gV)
        along = K.real(K.diagonal(inner, 0, -2, -1))
        inner = inner - K.matmul(Vh, V * K.unsqueeze(along, -2))
        gap = K.unsqueeze(L, -2) - K.unsqueeze(L, -1) + diagonal_matrix(K, K.ones_like(L))
        inner = inner / K.conj_physical(gap)
        inner = K.tril(inner, -1) + K.triu(inner, 1)
    if gL is not None:
        values = diagonal_matrix(K, gL)
        inner = values if inner is None else inner + values
    adjoint = _turned(K, V)
    found = K.linalg_solve_matrix(adjoint, K.matmul(inner, adjoint))
    return K.real(found) if real else found


@composite(
    _Complex(
        INEXACT,
        halves=False,
        rule=lambda input: check_square("linalg.eig", input),
        tested_as=up_to_phase,
        samples=_apart,
    ),
    grad={
        "input": lambda K, gs, outs, input_dtype: _eig_input(
            K, gs, outs, not input_dtype.is_complex
        )
    },
    outputs=2,
    fields=("eigenvalues", "eigenvectors"),
    namespace="_",
    aliases=("linalg.eig",),
    batch="leading",
    out=True,
)
def linalg_eig(input: Tensor) -> Any:
    """Eigenvalues, in no particular order, and eigenvectors of length one; both are complex.

    Gradients exist for distinct eigenvalues and losses that do not depend on the vectors' phases.
    """
    # The cpu always has a kernel; a device without one has the host compute it.
    found = K.linalg_eig(K.to_device(input, "cpu"))
    return K.linalg_eig.op.result_type(*(K.to_device(t, input.device) for t in found))


@composite(
    _Complex(INEXACT, halves=False, tested_as=up_to_phase, samples=_apart),
    namespace="_",
    aliases=("linalg.eigvals",),
    out=True,
)
def linalg_eigvals(input: Tensor) -> Tensor:
    """The eigenvalues of square matrices, complex and in no particular order."""
    return K.linalg_eig(input)[0]
