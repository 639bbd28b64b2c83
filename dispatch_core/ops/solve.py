"""Linear equations."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import int32
from dispatch_core._errors import LinAlgError
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import contraction, custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.ops import _elimination
from dispatch_core.ops._matrices import check_square, positive_samples, turned
from dispatch_core.ops.batching import solved


def _systems(make: Any) -> list[Any]:
    return [
        (make(3, 3), make(3, 2)),
        (make(2, 3, 3), make(2, 3, 2)),
        (make(2, 3, 3), make(3, 1)),
    ]


def _solve_rule(A: Tensor, B: Tensor) -> None:
    check_square("linalg.solve", A)
    if B.ndim < 2 or B.shape[-2] != A.shape[-1]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation AX = B "
            f"({list(A.shape)} and {list(B.shape)})"
        )


@composite(
    contraction(INEXACT, halves=False, rule=_solve_rule, samples=_systems),
    grad={
        "A": lambda K, g, A, out: K.neg(
            K.matmul(K.linalg_solve_matrix(turned(K, A), g), turned(K, out))
        ),
        "B": lambda K, g, A: K.linalg_solve_matrix(turned(K, A), g),
    },
    namespace="_",
    batch=solved,
)
def linalg_solve_matrix(A: Tensor, B: Tensor) -> Tensor:
    """X with A X = B for matrices; batches broadcast; LinAlgError where A is singular."""
    _solve_rule(A, B)
    batch = broadcast_shapes(A.shape[:-2], B.shape[:-2])
    A, B = (K.expand(x, (*batch, *x.shape[-2:])) for x in (A, B))
    return _elimination.solution(A, B)


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            *_systems(make),
            (make(3, 3), make(3)),
            (make(2, 3, 3), make(2, 3)),
            (make(3, 3), make(2, 3), {"left": False}),
        ],
    ),
    namespace="_",
    aliases=("linalg.solve",),
    out=True,
)
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (or X A = B if not `left`).

    B holds matrices, or vectors where its shape is that of A without the last dimension.
    LinAlgError where A is singular.
    """
    check_square("linalg.solve", A)
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])
    if (B.shape[-1] if vector else B.shape[-2 if left else -1]) != A.shape[-1]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({list(A.shape)} and {list(B.shape)})"
        )
    if vector:
        if not left:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for "
                "left=False"
            )
        return K.squeeze(K.linalg_solve_matrix(A, K.unsqueeze(B, -1)), -1)
    if left:
        return K.linalg_solve_matrix(A, B)
    x = K.linalg_solve_matrix(K.transpose(A, -2, -1), K.transpose(B, -2, -1))
    return K.transpose(x, -2, -1)


def _triangles(make: Any) -> list[Any]:
    a = make(3, 3) + make(3, 3) * 0 + 3 * make(3, 3).new_ones((3,)).diag_embed()
    return [
        (a, make(3, 2), {"upper": True}),
        (a, make(2, 3), {"upper": False, "left": False}),
        (a, make(3, 2), {"upper": True, "unitriangular": True}),
    ]


@composite(
    contraction(INEXACT, halves=False, samples=_triangles),
    namespace="_",
    aliases=("linalg.solve_triangular",),
    out=True,
)
def linalg_solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with A X = B (or X A = B) for a triangular A; the other triangle is not read."""
    check_square("linalg.solve_triangular", input)
    if B.ndim < 2:
        raise RuntimeError(
            "linalg.solve_triangular: The input tensor B must have at least 2 dimensions."
        )
    if unitriangular:
        input = (K.triu(input, 1) if upper else K.tril(input, -1)) + K.diag_embed(
            K.ones_like(K.diagonal(input, 0, -2, -1))
        )
    else:
        input = K.triu(input) if upper else K.tril(input)
    try:
        return K.linalg_solve(input, B, left=left)
    except LinAlgError:  # a zero on the diagonal: what is divided by it is infinite or NaN
        return _substituted(input, B, upper, left)


def _substituted(A: Tensor, B: Tensor, upper: bool, left: bool) -> Tensor:
    if not left:
        A, B = K.transpose(A, -2, -1), K.transpose(B, -2, -1)
        return K.transpose(_substituted(A, B, not upper, True), -2, -1)
    if upper:
        return _elimination.substituted(A, B)
    return K.flip(_elimination.substituted(K.flip(A, (-2, -1)), K.flip(B, (-2,))), (-2,))


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            (make(3, 2), make(3, 3) + 3 * make(3, 3).new_ones((3,)).diag_embed())
        ],
    ),
    outputs=2,
    fields=("solution", "cloned_coefficient"),
    out=True,
)
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> Any:
    """X with A X = input for a triangular A; prefer linalg.solve_triangular."""
    matrix = K.transpose(A, -2, -1) if transpose else A
    found = K.linalg_solve_triangular(
        matrix, input, upper=upper != transpose, unitriangular=unitriangular
    )
    return K.triangular_solve.op.result_type(found, K.clone(A))


def _factors(make: Any) -> list[Any]:
    return [(make(3, 2), K.linalg_cholesky(positive_samples(make)[0][0]))]


@composite(contraction(INEXACT, halves=False, samples=_factors), keywords={"input2": "L"}, out=True)
def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = input for A = L L^H (or L^H L if `upper`)."""
    lower = K.conj(K.transpose(L, -2, -1)) if upper else L
    half = K.linalg_solve_triangular(lower, input, upper=False)
    return K.linalg_solve_triangular(turned(K, lower), half, upper=True)


@composite(
    custom(
        INEXACT,
        halves=False,
        samples=lambda make: [(K.linalg_cholesky(positive_samples(make)[0][0]),)],
    ),
    out=True,
)
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A = L L^H (or L^H L if `upper`)."""
    eye = K.eye(input.shape[-1], dtype=input.dtype, device=input.device)
    return K.cholesky_solve(K.expand(eye, input.shape), input, upper)


@composite(
    contraction(
        INEXACT,
        halves=False,
        apart=("pivots",),
        samples=lambda make: [
            (*K.linalg_lu_factor(make(3, 3)), make(3, 2)),
            (*K.linalg_lu_factor(make(3, 3)), make(3, 2), {"adjoint": True}),
        ],
    ),
    namespace="_",
    aliases=("linalg.lu_solve",),
    out=True,
)
def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """X with A X = B, from the LU decomposition of A."""
    if pivots.dtype is not int32:
        raise RuntimeError(f"linalg.lu_solve: pivots should be of dtype int32, got {pivots.dtype}")
    P, L, U = K.lu_unpack(LU, pivots)
    A = K.matmul(K.matmul(P, L), U)
    return K.linalg_solve(turned(K, A) if adjoint else A, B, left=left)


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            (make(4, 3), make(4, 2)),
            (make(3, 4), make(3, 2)),
            (make(3, 3), make(3, 1)),
        ],
    ),
    outputs=4,
    fields=("solution", "residuals", "rank", "singular_values"),
    namespace="_",
    aliases=("linalg.lstsq",),
    out=True,
)
def linalg_lstsq(input: Tensor, b: Tensor, rcond: Any = None, *, driver: str | None = None) -> Any:
    """The least squares solution of input X = b of least norm, and the rank of the input.

    Results that the driver, one of LAPACK's, does not compute are empty; the default is "gelsy".
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), "
            f"got {driver}"
        )
    vector = input.ndim - 1 == b.ndim and b.shape == input.shape[:-1] and input.ndim > 1
    if input.ndim < 2 or (b.ndim < 2 and not vector) or b.shape[input.ndim - 2] != input.shape[-2]:
        raise RuntimeError(
            "torch.linalg.lstsq: input.size(-2) should match other.size(-2), got shapes "
            f"{list(input.shape)} and {list(b.shape)}"
        )
    right = K.unsqueeze(b, -1) if vector else b
    tolerance = None if rcond is None else float(rcond)
    solution = K.matmul(K.linalg_pinv(input, rtol=tolerance), right)
    rank = K.linalg_matrix_rank(input, rtol=tolerance)
    by_values = driver in ("gelsd", "gelss")
    m, n = input.shape[-2:]
    if m > n and (driver == "gels" or (by_values and bool(K.all(K.eq(rank, n))))):
        residuals = K.sum(K.square(K.abs(right - K.matmul(input, solution))), -2)
    else:
        residuals = K.reshape(K.abs(K.narrow(solution, -1, 0, 0)), (0,))
    values = K.linalg_svdvals(input.detach()) if by_values else K.abs(K.new_zeros(input, (0,)))
    return K.linalg_lstsq.op.result_type(
        K.squeeze(solution, -1) if vector else solution,
        residuals,
        K.new_zeros(rank, (0,)) if driver == "gels" else rank,
        values,
    )
