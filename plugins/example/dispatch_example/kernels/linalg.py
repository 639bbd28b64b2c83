"""Factorisations and solvers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dispatch_core.extend import LinAlgError
from dispatch_example.array import kernel

Function = Callable[..., Any]


def _solver(name: str, function: Function) -> Function:
    """A kernel of full precision that tells numpy's failures as PyTorch does."""

    def computed(A: Any, *rest: Any) -> Any:
        if A.dtype.itemsize == 2:
            raise NotImplementedError(
                f"\"{name}\" not implemented for '{A.dtype.name}'; use .float()"
            )
        try:
            return function(A, *rest)
        except np.linalg.LinAlgError as error:
            if A.ndim < 2 or "square" in str(error):
                raise
            raise LinAlgError(f"{name}: {_WORDS.get(str(error), str(error))}") from None

    return kernel(computed)


_WORDS = {
    "Singular matrix": "the diagonal element is zero, the inversion could not be completed because "
    "the input matrix is singular.",
    "Matrix is not positive definite": "the factorization could not be completed because the input "
    "is not positive-definite.",
}


def _qr(A: Any, mode: str) -> Any:
    if mode == "r":
        return np.zeros((0,), A.dtype), np.linalg.qr(A, mode="r")
    return tuple(np.linalg.qr(A, mode=mode))


def _eig(A: Any) -> Any:
    complex_type = np.result_type(A.dtype, np.complex64)
    return tuple(part.astype(complex_type) for part in np.linalg.eig(A))


def _solve(A: Any, B: Any) -> Any:
    if B.ndim < 2:
        raise ValueError(f"expected matrices on the right hand side, got shape {B.shape}")
    return np.linalg.solve(A, B)


def _lu(A: Any) -> Any:
    m, n = A.shape[-2:]
    steps = min(m, n)
    out = A.reshape(-1, m, n).copy()
    pivots = np.empty((len(out), steps), np.int32)
    for matrix, chosen in zip(out, pivots, strict=True):
        for k in range(steps):
            column = matrix[k:, k]
            at = k + int(np.argmax(abs(column.real) + abs(column.imag)))
            chosen[k] = at + 1
            matrix[[k, at]] = matrix[[at, k]]
            if matrix[k, k] != 0:
                matrix[k + 1 :, k] /= matrix[k, k]
            matrix[k + 1 :, k + 1 :] -= np.outer(matrix[k + 1 :, k], matrix[k, k + 1 :])
    return out.reshape(A.shape), pivots.reshape(*A.shape[:-2], steps)


KERNELS = {
    "cholesky_lower": _solver("linalg.cholesky", np.linalg.cholesky),
    "linalg_eig": _solver("linalg.eig", _eig),
    "linalg_eigh": _solver("linalg.eigh", lambda A, UPLO: tuple(np.linalg.eigh(A, UPLO))),
    "linalg_qr": _solver("linalg.qr", _qr),
    "linalg_solve_matrix": _solver("linalg.solve", _solve),
    "linalg_svd_primitive": _solver("linalg.svd", lambda A, full: tuple(np.linalg.svd(A, full))),
    "lu_primitive": _solver("linalg.lu_factor", _lu),
}
