"""Factorisations and solvers, by the array module's own linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from dispatch_core._errors import LinAlgError
from dispatch_core._shapes import check_not_empty
from dispatch_core.backend.array_kernels.reduce import axes, is_half, scalar_dim

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return {
        "svd_factors": _full("linalg.svd", _svd(xp)),
        "linalg_eigh": _full("linalg.eigh", lambda A, UPLO: tuple(xp.linalg.eigh(A, UPLO))),
        "linalg_eig": _full("linalg.eig", _eig(xp)),
        "linalg_qr": _full("linalg.qr", _qr(xp)),
        "cholesky_lower": _full("linalg.cholesky", _cholesky(xp)),
        "linalg_solve_matrix": _full("linalg.solve", _solve(xp)),
        "lu_factors": _full("linalg.lu_factor", _lu(xp)),
        "inverse": _full("linalg.inv", xp.linalg.inv),
        "det": _full("linalg.det", xp.linalg.det),
        "slogdet": _full("linalg.slogdet", lambda input: tuple(xp.linalg.slogdet(input))),
        "linalg_vector_norm": _vector_norm(xp),
    }


_WORDS = {
    "Singular matrix": "the solver failed because the input matrix is singular.",
    "Matrix is not positive definite": "the factorization could not be completed because the input "
    "is not positive-definite.",
}


def _full(name: str, function: Kernel) -> Kernel:
    """A kernel that refuses half precision and tells failures in PyTorch's words."""

    def kernel(A: Any, *rest: Any) -> Any:
        if is_half(A):
            raise NotImplementedError(
                f"\"{name}\" not implemented for '{A.dtype.name}'; convert the matrix with .float()"
            )
        try:
            return function(A, *rest)
        except Exception as error:
            if type(error).__name__ != "LinAlgError" or A.ndim < 2 or "square" in str(error):
                raise
            why = _WORDS.get(str(error), str(error))
            raise LinAlgError(f"{name}: {why}") from None

    return kernel


def _cholesky(xp: Any) -> Kernel:
    def cholesky(A: Any) -> Any:
        L = xp.linalg.cholesky(A)
        if xp.isnan(L.diagonal(0, -2, -1)).any():  # for which some LAPACKs see no failure
            raise LinAlgError("Matrix is not positive definite")
        return L

    return cholesky


def _svd(xp: Any) -> Kernel:
    def svd(A: Any, full_matrices: bool) -> Any:
        return tuple(xp.linalg.svd(A, full_matrices=full_matrices))

    return svd


def _eig(xp: Any) -> Kernel:
    def eig(A: Any) -> Any:
        values, vectors = xp.linalg.eig(A)
        wanted = xp.result_type(A.dtype, xp.complex64)
        # Where all of them are real, numpy returns real arrays.
        return values.astype(wanted, copy=False), vectors.astype(wanted, copy=False)

    return eig


def _qr(xp: Any) -> Kernel:
    def qr(A: Any, mode: str) -> Any:
        if mode == "r":
            return xp.zeros((0,), A.dtype), xp.linalg.qr(A, mode="r")
        return tuple(xp.linalg.qr(A, mode=mode))

    return qr


def _solve(xp: Any) -> Kernel:
    def solve(A: Any, B: Any) -> Any:
        if B.ndim < 2:
            raise ValueError(f"expected matrices on the right hand side, got shape {B.shape}")
        return xp.linalg.solve(A, B)

    return solve


def _lu(xp: Any) -> Kernel:
    def lu(A: Any) -> Any:
        """Gauss's elimination with partial pivoting, all matrices of the batch at once."""
        m, n = A.shape[-2:]
        out = A.reshape(prod(A.shape[:-2]), m, n).copy()
        batch = xp.arange(out.shape[0])
        pivots = xp.empty((out.shape[0], min(m, n)), "int32")
        for k in range(min(m, n)):
            column = out[:, k:, k]
            # LAPACK measures complex numbers by |re| + |im|.
            at = xp.argmax(abs(column.real) + abs(column.imag), axis=1) + k
            pivots[:, k] = at + 1
            rows = out[batch, at]
            out[batch, at] = out[:, k]
            out[:, k] = rows
            pivot = out[:, k, k]
            safe = xp.where(pivot == 0, xp.ones_like(pivot), pivot)
            out[:, k + 1 :, k] /= safe[:, None]
            out[:, k + 1 :, k + 1 :] -= out[:, k + 1 :, k, None] * out[:, k, None, k + 1 :]
        return out.reshape(A.shape), pivots.reshape(*A.shape[:-2], min(m, n))

    return lu


def _vector_norm(xp: Any) -> Kernel:
    add, absolute, sqrt = xp.add.reduce, xp.absolute, xp.sqrt

    def vector_norm(x: Any, ord: float, dim: Any, keepdim: bool) -> Any:
        dtype = x.dtype
        axis = axes(dim) if x.ndim else scalar_dim(dim)
        wide = x.astype("float32") if is_half(x) else x
        if ord == 2 and wide.dtype.kind != "c":
            return sqrt(add(wide * wide, axis, None, None, keepdim)).astype(dtype, copy=False)
        size = absolute(wide)
        real = size.dtype if wide is x else dtype
        if ord == 2:
            found = sqrt(add(size * size, axis, None, None, keepdim))
        elif ord == 1:
            found = add(size, axis, None, None, keepdim)
        elif ord == 0:
            found = add(size != 0, axis, size.dtype, None, keepdim)
        elif ord in (float("inf"), -float("inf")):
            found = (xp.maximum if ord > 0 else xp.minimum).reduce(size, axis, None, None, keepdim)
        else:
            if ord < 0:
                check_not_empty(x.shape, ord, dim)
            found = add(size ** size.dtype.type(ord), axis, None, None, keepdim) ** (1.0 / ord)
        return found.astype(real, copy=False)

    return vector_norm
