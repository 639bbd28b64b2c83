"""What operators of linear algebra share: checks, parts of gradient formulas, sample matrices."""

from __future__ import annotations

from typing import Any

from dispatch_core._errors import LinAlgError
from dispatch_core._op import K
from dispatch_core._tensor import Tensor


def check_matrix(name: str, A: Tensor) -> None:
    """Raise where a tensor has no matrices."""
    if A.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions, but it has {A.ndim}."
        )


def check_square(name: str, A: Tensor) -> None:
    """Raise where a tensor has no square matrices."""
    check_matrix(name, A)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {A.shape[-2]} by "
            f"{A.shape[-1]} matrices"
        )


def singular(name: str) -> LinAlgError:
    """The error for a matrix that has no inverse."""
    return LinAlgError(f"{name}: the solver failed because the input matrix is singular.")


def turned(K: Any, value: Any) -> Any:
    """The conjugate transpose of the last two dimensions."""
    return K.conj(K.transpose(value, -2, -1))


def squares(value: Any) -> Any:
    """The squares of the absolute values, real."""
    return K.real(value * K.conj(value)) if value.is_complex() else value * value


def block(A: Any, top: int, bottom: int, left: int, right: int) -> Any:
    """Rows top .. bottom - 1 and columns left .. right - 1 of matrices; a view."""
    return K.basic_index(A, (..., slice(top, bottom), slice(left, right)))


def precision(A: Any) -> float:
    """The distance from 1 to the next number of the matrix's dtype."""
    return 2.0**-23 if A.dtype.to_real().name == "float32" else 2.0**-52


def skew(K: Any, value: Any) -> Any:
    """A matrix less its conjugate transpose."""
    return value - turned(K, value)


def diagonal_matrix(K: Any, values: Any) -> Any:
    """Matrices with the given diagonals."""
    return K.diag_embed(values)


def of_hermitian(operator: Any, A: Tensor, *rest: Any, **more: Any) -> Any:
    """For the checks: the operator of the hermitian part, so that steps stay hermitian."""
    return operator((A + turned(K, A)) * 0.5, *rest, **more)


def up_to_phase(operator: Any, *args: Any, **more: Any) -> Any:
    """For the checks: only sizes of singular vectors and eigenvectors, whose phase is arbitrary."""
    found = operator(*args, **more)
    return tuple(K.abs(t) for t in found) if isinstance(found, tuple) else found


def hermitian_up_to_phase(operator: Any, *args: Any, **more: Any) -> Any:
    """For the checks: both."""
    return of_hermitian(lambda *a, **k: up_to_phase(operator, *a, **k), *args, **more)


def square_samples(make: Any) -> list[Any]:
    """A square matrix, and a stack of them."""
    return [(make(3, 3),), (make(2, 4, 4),)]


def hermitian_samples(make: Any) -> list[Any]:
    """Matrices equal to their conjugate transpose."""
    found = (make(3, 3), make(2, 4, 4))
    return [(x + x.mH,) for x in found]


def positive_samples(make: Any) -> list[Any]:
    """Positive definite matrices."""
    return [
        (x @ x.mH + 2 * x.new_ones((n,)).diag_embed(),)
        for x, n in ((make(3, 3), 3), (make(2, 4, 4), 4))
    ]
