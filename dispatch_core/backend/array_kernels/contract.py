"""Matrix products; halves are multiplied in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core.backend.array_kernels.reduce import is_half

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    matmul = _matmul(xp)
    return {
        "matmul": matmul,
        "mm": _of_matrices(matmul, 2),
        "bmm": _of_matrices(matmul, 3),
        "addmm": _addmm(matmul),
    }


def _matmul(xp: Any) -> Kernel:
    product = xp.matmul

    def matmul(input: Any, other: Any) -> Any:
        if is_half(input):
            return matmul(input.astype("float32"), other.astype("float32")).astype(input.dtype)
        n, m = input.ndim, other.ndim
        if n == 2 and 0 < m <= 2:
            return input.dot(other)
        if n > 2 and 0 < m <= 2:
            # One product of all rows is faster than one product a matrix of the batch.
            shape = input.shape
            rows = input.reshape(-1, shape[-1]) if input.size else None
            if rows is not None:
                return rows.dot(other).reshape(shape[:-1] + other.shape[1:])
        return product(input, other)

    return matmul


def _of_matrices(matmul: Kernel, ndim: int) -> Kernel:
    def product(input: Any, mat2: Any) -> Any:
        if input.ndim != ndim or mat2.ndim != ndim or input.shape[:-2] != mat2.shape[:-2]:
            raise ValueError(f"got shapes {input.shape} and {mat2.shape}")
        return matmul(input, mat2)

    return product


def _addmm(matmul: Kernel) -> Kernel:
    def addmm(input: Any, mat1: Any, mat2: Any, beta: Any, alpha: Any) -> Any:
        if mat1.ndim != 2 or mat2.ndim != 2:
            raise ValueError(f"got shapes {mat1.shape} and {mat2.shape}")
        dtype = input.dtype
        if is_half(input):
            input, mat1, mat2 = (a.astype("float32") for a in (input, mat1, mat2))
        out = matmul(mat1, mat2)
        scalar = out.dtype.type
        if alpha != 1:
            out *= scalar(alpha)
        if beta != 0:
            out += input if beta == 1 else input * scalar(beta)
        return out.astype(dtype, copy=False)

    return addmm
