"""The standard's extension for linear algebra."""

from __future__ import annotations

from typing import Any, NamedTuple

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.array_api._axes import reducing
from dispatch_core.array_api._names import FUNCTIONS, renamed, standard
from dispatch_core.array_api._promotion import admitted, converted, together
from dispatch_core.array_api._statistics import accumulated

renamed("numeric", {"outer(x1, x2, /)": "outer(x1, x2)"}, "linalg")
renamed("any", {"diagonal(x, /, *, offset=0)": "linalg_diagonal(x, offset=offset)"}, "linalg")
renamed(
    "floating-point",
    {
        "cholesky(x, /, *, upper=False)": "linalg_cholesky(x, upper=upper)",
        "det(x, /)": "det(x)",
        "eigvalsh(x, /)": "linalg_eigvalsh(x)",
        "inv(x, /)": "inverse(x)",
        "matrix_norm(x, /, *, keepdims=False, ord='fro')": (
            "linalg_matrix_norm(x, ord, (-2, -1), keepdims)"
        ),
        "matrix_power(x, n, /)": "matrix_power(x, n)",
        "svdvals(x, /)": "linalg_svdvals(x)",
    },
    "linalg",
)


class Eigen(NamedTuple):
    """What `eig` and `eigh` return."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QR(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class SignAndLog(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


# -- products, which the main namespace has too -----------------------------------------------------------


@standard("matmul", "linalg.matmul")
def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The product of matrices, of stacks of them, or of vectors."""
    return K.matmul(*_arrays("matmul", x1, x2))


def _arrays(name: str, x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    admitted(name, "numeric", x1)
    admitted(name, "numeric", x2)
    return together(name, "numeric", x1, x2)


@standard("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x: Tensor, /) -> Tensor:
    """The matrices with rows and columns exchanged."""
    return K.transpose(admitted("matrix_transpose", "any", x), -2, -1)


@standard("tensordot", "linalg.tensordot")
def tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes, or over that many last and first ones."""
    return K.tensordot(*_arrays("tensordot", x1, x2), axes)


@standard("vecdot", "linalg.vecdot")
def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The dot products of vectors along an axis, with the conjugates of the first."""
    x1, x2 = _arrays("vecdot", x1, x2)
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(
            f"vecdot(): the vectors have {x1.shape[axis]} and {x2.shape[axis]} elements; axis {axis} "
            "does not broadcast"
        )
    return K.sum(K.mul(K.conj(x1), x2), axis, False).to(x1.dtype)


@standard("linalg.cross")
def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The cross products of vectors of three elements along an axis."""
    x1, x2 = FUNCTIONS[""]["broadcast_arrays"](*_arrays("cross", x1, x2))
    return K.linalg_cross(x1, x2, dim=axis)


# -- factorisations ---------------------------------------------------------------------------------------


@standard("linalg.eigh")
def eigh(x: Tensor, /) -> Eigen:
    """Eigenvalues, in ascending order, and eigenvectors of symmetric or Hermitian matrices."""
    return Eigen(*K.linalg_eigh(admitted("eigh", "floating-point", x)))


@standard("linalg.eig")
def eig(x: Tensor, /) -> Eigen:
    """Eigenvalues and eigenvectors of square matrices, always complex."""
    return Eigen(*K.linalg_eig(admitted("eig", "floating-point", x)))


@standard("linalg.eigvals")
def eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of square matrices, always complex."""
    return K.linalg_eigvals(admitted("eigvals", "floating-point", x))


@standard("linalg.qr")
def qr(x: Tensor, /, *, mode: str = "reduced") -> QR:
    """Orthonormal columns and an upper triangle whose product is the matrix."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr(): mode is 'reduced' or 'complete', got {mode!r}")
    return QR(*K.linalg_qr(admitted("qr", "floating-point", x), mode))


@standard("linalg.slogdet")
def slogdet(x: Tensor, /) -> SignAndLog:
    """Sign and logarithm of the magnitude of determinants."""
    return SignAndLog(*K.slogdet(admitted("slogdet", "floating-point", x)))


@standard("linalg.svd")
def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVD:
    """Left singular vectors, singular values in descending order, and the right vectors as rows."""
    return SVD(*K.linalg_svd(admitted("svd", "floating-point", x), full_matrices))


@standard("linalg.solve")
def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """What the square matrices `x1` map to `x2`, which is a vector only if it has one dimension."""
    x1, x2 = together("solve", "floating-point", x1, x2)
    if x2.ndim == 1:
        return K.squeeze(K.linalg_solve(x1, K.unsqueeze(x2, -1)), -1)
    # PyTorch would take (..., n) for vectors where the batches of both agree.
    batch = FUNCTIONS[""]["broadcast_shapes"](x1.shape[:-2], x2.shape[:-2])
    x2 = K.broadcast_to(x2, (*batch, *x2.shape[-2:]))
    return K.linalg_solve(K.broadcast_to(x1, (*batch, *x1.shape[-2:])), x2)


def _tolerance(x: Tensor, rtol: Any) -> Any:
    if rtol is None:
        return max(x.shape[-2:]) * FUNCTIONS[""]["finfo"](x.dtype).eps
    return converted(rtol, x.dtype.to_real(), x)


@standard("linalg.matrix_rank")
def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The number of singular values above `rtol` times the largest one."""
    admitted("matrix_rank", "floating-point", x)
    if x.ndim < 2:
        raise ValueError(f"matrix_rank() takes matrices, got an array of {x.ndim} dimensions")
    return K.linalg_matrix_rank(x, rtol=_tolerance(x, rtol))


@standard("linalg.pinv")
def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse, which leaves out singular values up to `rtol` times the largest one."""
    admitted("pinv", "floating-point", x)
    return K.linalg_pinv(x, rtol=_tolerance(x, rtol))


@standard("linalg.trace")
def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums along a diagonal of matrices."""
    along = K.linalg_diagonal(admitted("trace", "numeric", x), offset=offset)
    return K.sum(along, -1, dtype=accumulated(x, dtype))


@standard("linalg.vector_norm")
def vector_norm(x: Tensor, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """The p-norm of the elements along some axes, or of all, as of one vector."""
    admitted("vector_norm", "floating-point", x)
    x, axis, keepdims = reducing(x, axis, keepdims)
    return K.linalg_vector_norm(x, ord, axis, keepdims)


globals().update(FUNCTIONS["linalg"])
