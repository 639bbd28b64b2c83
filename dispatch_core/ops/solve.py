"""Linear equations, inverses, determinants and powers of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import float32, int32
from dispatch_core._errors import LinAlgError
from dispatch_core._families.base import INEXACT, NUMBERS
from dispatch_core._families.others import contraction, custom
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.ops import _elimination
from dispatch_core.ops._matrices import check_square, positive_samples, precision, turned
from dispatch_core.ops._values import all_true
from dispatch_core.ops.batching import solved

# -- linear equations ----------------------------------------------------------------------------


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


# -- inverses ------------------------------------------------------------------------------------


def _squares(make: Any) -> list[Any]:
    return [(make(3, 3),), (make(2, 4, 4),)]


@composite(
    custom(INEXACT, halves=False, rule=lambda A: check_square("linalg.inv", A), samples=_squares),
    grad={"input": lambda K, g, out: K.neg(K.matmul(turned(K, out), K.matmul(g, turned(K, out))))},
    aliases=("linalg.inv",),
    keywords={"A": "input"},
    out=True,
)
def inverse(input: Tensor) -> Tensor:
    """The inverse of square matrices; LinAlgError where there is none."""
    check_square("linalg.inv", input)
    eye = K.eye(input.shape[-1], dtype=input.dtype, device=input.device)
    return K.linalg_solve_matrix(input, K.expand(eye, input.shape))


def _pinv_input(K: Any, g: Any, A: Any, out: Any) -> Any:
    """Golub and Pereyra (1973), for matrices of constant rank."""
    gh, ph = turned(K, g), turned(K, out)
    left = K.matmul(gh, out)
    right = K.matmul(left, ph)
    total = K.neg(turned(K, K.matmul(out, left))) + right
    total = total - K.matmul(K.matmul(A, out), right)
    return total + K.matmul(K.matmul(ph, out), gh - K.matmul(left, A))


@composite(
    custom(
        INEXACT,
        halves=False,
        samples=lambda make: [(make(4, 3), None, 1e-9), (make(3, 4), None, 1e-9)],
    ),
    grad={"A": lambda K, g, A, out: _pinv_input(K, g, A, out)},
    namespace="_",
)
def pseudo_inverse(A: Tensor, atol: Any, rtol: Any) -> Tensor:
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as zero."""
    U, S, Vh = K.svd_factors(A, False)
    if not S.shape[-1]:
        return K.zeros_like(K.transpose(A, -2, -1))
    bound = K.mul(K.amax(S, -1, True), rtol)
    if atol is not None:
        bound = K.maximum(bound, K.unsqueeze(atol, -1) if getattr(atol, "ndim", 0) else atol)
    inverse = K.where(K.gt(S, bound), K.reciprocal(S), 0.0)
    return K.matmul(turned(K, Vh) * K.unsqueeze(inverse, -2), turned(K, U))


def _tolerance(A: Tensor, rtol: Any, atol: Any) -> Any:
    """The relative tolerance, one for each matrix where it is a tensor with dimensions.

    Without any, it is the dtype's precision times the longer side.
    """
    if rtol is not None:
        return K.unsqueeze(rtol, -1) if getattr(rtol, "ndim", 0) else rtol
    if atol is not None:
        return 0.0
    return precision(A) * max(A.shape[-2:])


@composite(
    custom(
        INEXACT, halves=False, samples=lambda make: [(make(4, 3),), (make(3, 4),), (make(2, 3, 3),)]
    ),
    namespace="_",
    aliases=("linalg.pinv",),
    out=True,
)
def linalg_pinv(
    input: Tensor, rcond: Any = None, *, rtol: Any = None, atol: Any = None, hermitian: bool = False
) -> Tensor:
    """The Moore-Penrose inverse; small singular values count as zero."""
    if hermitian:
        check_square("linalg.pinv", input)
    return K.pseudo_inverse(input, atol, _tolerance(input, rcond if rtol is None else rtol, atol))


@composite(custom(INEXACT, halves=False, samples=lambda make: [(make(4, 3),)]))
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse; prefer linalg.pinv."""
    return K.pseudo_inverse(input, None, rcond)


@composite(
    custom(INEXACT, halves=False, samples=lambda make: [(make(4, 3),), (make(2, 3, 3),)]),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
    aliases=("linalg.matrix_rank",),
    out=True,
)
def linalg_matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, rtol: Any = None, atol: Any = None
) -> Tensor:
    """How many singular values are larger than the tolerance (int64)."""
    S = K.abs(K.linalg_eigvalsh(input)) if hermitian else K.svd_factors(input, False)[1]
    if not S.shape[-1]:
        return K.sum(K.ne(S, 0), -1)
    if tol is not None:
        return K.sum(K.gt(S, tol), -1)
    bound = K.mul(K.amax(S, -1, True), _tolerance(input, rtol, atol))
    if atol is not None:
        bound = K.maximum(bound, K.unsqueeze(atol, -1) if getattr(atol, "ndim", 0) else atol)
    return K.sum(K.gt(S, bound), -1)


@composite(
    custom(
        INEXACT,
        halves=False,
        samples=lambda make: [(make(3, 3),), (make(3, 3), "fro"), (make(3, 3), 1)],
    ),
    namespace="_",
    aliases=("linalg.cond",),
    out=True,
)
def linalg_cond(input: Tensor, p: Any = None) -> Tensor:
    """The condition number in a matrix norm (default: the 2-norm)."""
    if p in (None, 2, -2):
        S = K.linalg_svdvals(input)
        largest, least = K.amax(S, -1), K.amin(S, -1)
        return least / largest if p == -2 else largest / least
    return K.mul(K.linalg_matrix_norm(input, p), K.linalg_matrix_norm(K.inverse(input), p))


# -- determinants --------------------------------------------------------------------------------


def _squares_and_determinants(make: Any) -> list[Any]:
    return [(make(*A.shape[:-2]), A, K.det(A)) for (A,) in _squares(make)]


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
    U, S, Vh = K.svd_factors(A, True)
    n = S.shape[-1]
    rows = K.expand(K.unsqueeze(S, -2), (*S.shape, n))
    others = K.prod(K.tril(rows, -1) + K.triu(rows, 1) + K.diag_embed(K.ones_like(S)), -1)
    phase = K.unsqueeze(K.unsqueeze(K.conj(K.det(U) * K.det(Vh)), -1), -1)
    # conj(det(U) det(Vh))^-1 = det(U) det(Vh), both being of modulus one.
    return wide * K.matmul(U * K.unsqueeze(others, -2), Vh) * phase


@composite(
    custom(INEXACT, halves=False, rule=lambda A: check_square("linalg.det", A), samples=_squares),
    grad={"input": lambda K, g, input, out: K.det_slope(g, input, out)},
    aliases=("linalg.det",),
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
        INEXACT, halves=False, rule=lambda A: check_square("linalg.slogdet", A), samples=_squares
    ),
    grad={"input": lambda K, gs, input, outs: _slogdet_input(K, gs, input, outs)},
    outputs=2,
    fields=("sign", "logabsdet"),
    aliases=("linalg.slogdet",),
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


# -- products and powers -------------------------------------------------------------------------


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            (make(3, 3), 3),
            (make(2, 3, 3), 2),
            (make(3, 3), 0),
            (make(3, 3), 1),
            (make(3, 3), 5),
        ],
    ),
    aliases=("linalg.matrix_power",),
    out=True,
)
def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices; negative powers are those of the inverse."""
    check_square("linalg.matrix_power", input)
    if n < 0:
        return K.matrix_power(K.inverse(input), -n)
    if n == 0:
        eye = K.eye(input.shape[-1], dtype=input.dtype, device=input.device)
        return K.clone(K.expand(eye, input.shape))
    result: Any = None
    square = input
    while True:
        if n & 1:
            result = square if result is None else K.matmul(result, square)
        n >>= 1
        if not n:
            return K.clone(result) if result is input else result
        square = K.matmul(square, square)


def _matrix_exp_input(K: Any, g: Any, A: Any) -> Any:
    """The derivative at A^H in the direction of g, read from the exponential of one block matrix.

    Mathias, "A chain rule for matrix functions and applications", SIAM J. Matrix Anal. 17 (1996).
    """
    AH, n = turned(K, A), A.shape[-1]
    upper, lower = K.cat([AH, g], -1), K.cat([K.zeros_like(AH), AH], -1)
    whole = K.matrix_exp(K.cat([upper, lower], -2))
    return K.narrow(K.narrow(whole, -2, 0, n), -1, n, n)


@composite(
    custom(INEXACT, rule=lambda A: check_square("linalg.matrix_exp", A), samples=_squares),
    grad={"input": lambda K, g, input: _matrix_exp_input(K, g, input)},
    aliases=("linalg.matrix_exp",),
    batch="leading",
)
def matrix_exp(input: Tensor) -> Tensor:
    """The matrix exponential: halved to a 1-norm of 1/2, Taylor's series, squared back."""
    check_square("linalg.matrix_exp", input)
    if input.dtype.itemsize == 2:
        return K.cast(K.matrix_exp(K.cast(input, float32)), input.dtype)
    size = K.amax(K.linalg_matrix_norm(input.detach(), 1)).item() if input.numel() else 0.0
    halvings = 0
    while size > 0.5:
        size, halvings = size / 2, halvings + 1
    x = input * 2.0**-halvings
    eye = K.expand(K.eye(input.shape[-1], dtype=input.dtype, device=input.device), input.shape)
    total = term = eye
    for k in range(1, 16):
        term = K.matmul(term, x) / k
        total = total + term
    for _ in range(halvings):
        total = K.matmul(total, total)
    return total


def _chain_cost(sizes: Sequence[int]) -> list[list[int]]:
    """Where to split each part of a chain (Cormen et al., Introduction to Algorithms, 15.2)."""
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )
    return split


@composite(
    contraction(
        NUMBERS,
        samples=lambda make: [
            ([make(2, 3), make(3, 5), make(5, 2), make(2, 4)],),
            ([make(3), make(3, 4), make(4)],),
        ],
    ),
    namespace="_",
    aliases=("linalg.multi_dot",),
    out=True,
)
def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices in the order that takes fewest multiplications.

    The first and last may be vectors.
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    parts = list(tensors)
    drop = []
    if parts[0].ndim == 1:
        parts[0] = K.unsqueeze(parts[0], 0)
        drop.append(0)
    if parts[-1].ndim == 1:
        parts[-1] = K.unsqueeze(parts[-1], 1)
        drop.append(1)
    for i, part in enumerate(parts):
        if part.ndim != 2:
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be 2D but got {part.ndim}D (the first and last "
                "may be 1D)"
            )
    split = _chain_cost([parts[0].shape[0], *(part.shape[1] for part in parts)])

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return parts[i]
        k = split[i][j]
        return K.matmul(product(i, k), product(k + 1, j))

    found = product(0, len(parts) - 1)
    for d in reversed(drop):
        found = K.squeeze(found, d)
    return found


@public("")
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices; prefer linalg.multi_dot."""
    if len(matrices) == 1:
        return matrices[0]
    return K.linalg_multi_dot(matrices)


@composite(
    pointwise(
        SAME,
        INEXACT,
        inplace=False,
        samples=lambda make: [
            (make(3, 4), make(3, 4)),
            (make(3, 4), make(4)),
            (make(3, 4), make(3, 4), {"dim": 0}),
        ],
    ),
    namespace="_",
    aliases=("linalg.vecdot",),
    out=True,
)
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums over `dim` of the products of two tensors, the first conjugated."""
    product = K.mul(K.conj(x), y)
    return K.sum(product, dim, dtype=product.dtype)


@composite(
    custom(samples=lambda make: [(make(3, 4),), (make(2, 3, 3), {"offset": 1})]),
    namespace="_",
    aliases=("linalg.diagonal",),
)
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of two dimensions, by default the last; a view."""
    return K.diagonal(A, offset, dim1, dim2)
