"""Eigenvalues and singular values by Jacobi's rotations, in our own operators.

A rotation of two columns makes one element off the diagonal zero, of A itself or of A^H A. In one round all
columns are paired and their rotations act at once; a sweep of n - 1 rounds brings every two together
(Brent and Luk, The solution of singular-value and symmetric eigenvalue problems on multiprocessor
arrays, 1985). The columns lie in two halves with partners at equal places, and between rounds they
move as the players of a tournament do. Convergence is quadratic in the end: most matrices take less
than ten sweeps.

Algorithms by number are those of Golub and Van Loan, Matrix Computations, 4th edition (2013).
"""

from __future__ import annotations

from typing import Any

from dispatch_core._errors import LinAlgError
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops._householder import qr
from dispatch_core.ops._matrices import precision, squares, turned
from dispatch_core.ops._values import all_true

MOST_SWEEPS = 40
"""Far more than any matrix was seen to need."""


def eigh(A: Tensor, lower: bool) -> tuple[Tensor, Tensor]:
    """Eigenvalues (ascending) and vectors of Hermitian matrices, of which one triangle is read.

    Two-sided rotations (section 8.5). LinAlgError for numbers that are not finite.
    """
    if not A.numel():
        return K.new_zeros(K.real(A), A.shape[:-1]), K.clone(A)
    strict = K.tril(A, -1) if lower else K.triu(A, 1)
    whole = strict + turned(K, strict) + K.diag_embed(K.real(K.diagonal(A, 0, -2, -1)))
    scaled, scale = _scaled("linalg.eigh", whole)
    values, vectors = _diagonalised(scaled)
    order = K.argsort(values, -1)
    return K.gather(values, -1, order) * K.squeeze(scale, -1), _columns(vectors, order)


def svd(A: Tensor, full_matrices: bool) -> tuple[Tensor, Tensor, Tensor]:
    """U, the singular values (descending) and V^H.

    One-sided rotations make the columns of a matrix orthogonal (Hestenes, Inversion of matrices by
    biorthogonalization, 1958; section 8.6), whose lengths then are the singular values. They are
    applied to a triangle that two QR decompositions leave of A: that takes a third of the sweeps
    where A is ill-conditioned (Drmac and Veselic, New fast and accurate Jacobi SVD algorithm, 2008).
    LinAlgError for numbers that are not finite.
    """
    *batch, m, n = A.shape
    if m < n:
        U, S, Vh = svd(turned(K, A), full_matrices)
        return turned(K, Vh), S, turned(K, U)
    if not A.numel():
        U = K.clone(_identity(A, m, m if full_matrices else n))
        return U, K.new_zeros(K.real(A), (*batch, n)), K.clone(_identity(A, n, n))
    scaled, scale = _scaled("linalg.svd", A)
    # A = left R and R^H = right T^H, so A = left T right^H.
    left, R = qr(scaled, "complete" if full_matrices else "reduced")
    right, T = qr(turned(K, K.narrow(R, -2, 0, n)), "reduced")
    W, V = _orthogonalised(turned(K, T))
    S = K.sqrt(K.sum(squares(W), -2))
    order = K.argsort(S, -1, True)
    U = K.matmul(K.narrow(left, -1, 0, n), _directions(_columns(W, order)))
    if full_matrices:
        U = K.cat([U, K.narrow(left, -1, n, m - n)], -1)
    S = K.gather(S, -1, order) * K.squeeze(scale, -1)
    return U, S, turned(K, K.matmul(right, _columns(V, order)))


def _directions(W: Tensor) -> Tensor:
    """Orthogonal columns divided by their lengths, and orthonormal also where they vanish."""
    Q, R = qr(W, "reduced")
    # R is diagonal; what its elements have besides their size belongs to the directions.
    diagonal = K.unsqueeze(K.diagonal(R, 0, -2, -1), -2)
    return Q * K.where(K.eq(diagonal, 0), 1, K.sgn(diagonal))


def _diagonalised(A: Tensor) -> tuple[Tensor, Tensor]:
    """The eigenvalues of Hermitian matrices, and V with V^H A V diagonal."""
    size = A.shape[-1]
    V = _even(_identity(A, size, size), -1)
    A = _even(_even(A, -1), -2)
    n = A.shape[-1]
    places = K.storage_index(A, n)
    gap = K.abs(places - K.unsqueeze(places, 1))
    diagonal = K.eq(gap, 0)
    partners = _moved(*_halves(_moved(*_halves(K.eq(gap, n // 2), -1), -1), -2), -2)
    limit = precision(A) * K.sqrt(K.sum(squares(A), (-2, -1)))
    for _ in range(MOST_SWEEPS):
        off = K.sqrt(K.sum(squares(K.where(diagonal, 0, A)), (-2, -1)))
        if bool(K.all(K.le(off, limit))):
            values = K.real(K.diagonal(A, 0, -2, -1))
            return K.narrow(values, -1, 0, size), K.narrow(V, -1, 0, size)
        for _ in range(n - 1):
            A, V = _eigen_round(A, V, K.unsqueeze(limit / n, -1), diagonal, partners)
    raise _failure("linalg.eigh")


def _eigen_round(
    A: Tensor, V: Tensor, least: Tensor, diagonal: Tensor, partners: Tensor
) -> tuple[Tensor, Tensor]:
    """Every column and row turned with its partner, and all moved on.

    Elements that rotations are made for are known without them, and better: zero off the diagonal,
    the eigenvalues of the 2 by 2 matrices on it. Those below `least` are zero already.
    """
    h = A.shape[-1] // 2
    alpha, beta = _halves(K.real(K.diagonal(A, 0, -2, -1)), -1)
    gamma = K.diagonal(K.narrow(A, -1, h, h), 0, -2, -1)
    less, sine, step = _rotation(alpha, beta, _unless_small(gamma, least))
    turn = K.unsqueeze(less, -2), K.unsqueeze(sine, -2)
    A, V = (_moved(*_turned_pair(*_halves(x, -1), *turn), -1) for x in (A, V))
    turn = K.unsqueeze(less, -1), K.conj(K.unsqueeze(sine, -1))
    A = _moved(*_turned_pair(*_halves(A, -2), *turn), -2)
    values = K.unsqueeze(_moved(alpha - step, beta + step, -1), -2)
    return K.where(diagonal, values, K.where(partners, 0, A)), V


def _unless_small(x: Tensor, least: Tensor) -> Tensor:
    """0 for what is no larger than `least`: noise must not turn equal eigenvalues over and over."""
    return K.where(K.le(K.abs(x), least), 0, x)


def _orthogonalised(A: Tensor) -> tuple[Tensor, Tensor]:
    """W = A V with orthogonal columns, and V."""
    m, n = A.shape[-2:]
    # W and V take the same rotations, so they stand over each other.
    both = _even(K.cat([A, _identity(A, n, n)], -2), -1)
    width = both.shape[-1]
    places = K.storage_index(A, width)
    diagonal = K.eq(places, K.unsqueeze(places, 1))
    # A cosine of this size is what rounding makes of 0; LAPACK's gesvj stops there too.
    limit = precision(A) * m**0.5
    for _ in range(MOST_SWEEPS):
        W = K.narrow(both, -2, 0, m)
        if bool(K.all(K.bitwise_or(diagonal, _are_orthogonal(W, limit)))):
            both = K.narrow(both, -1, 0, n)
            return K.narrow(both, -2, 0, m), K.narrow(both, -2, m, n)
        for _ in range(width - 1):
            P, Q = _halves(both, -1)
            p, q = K.narrow(P, -2, 0, m), K.narrow(Q, -2, 0, m)
            alpha, beta = K.sum(squares(p), -2, True), K.sum(squares(q), -2, True)
            gamma = K.sum(K.conj(p) * q, -2, True)
            # Half the limit: what is not turned here must be found orthogonal above.
            least = K.sqrt(alpha) * K.sqrt(beta) * (limit * 0.5)
            less, sine, _ = _rotation(alpha, beta, _unless_small(gamma, least))
            both = _moved(*_turned_pair(P, Q, less, sine), -1)
    raise _failure("linalg.svd")


def _are_orthogonal(W: Tensor, limit: float) -> Tensor:
    """Whether the cosine of each two columns is at most `limit`, or one counts as zero.

    That is one of eps^2 times the longest: of parallel columns, each sweep would take but eps away.
    """
    gram = K.abs(K.matmul(turned(K, W), W))
    size = K.sqrt(K.diagonal(gram, 0, -2, -1))
    zero = K.le(size, K.amax(size, -1, True) * precision(W) ** 2)
    small = K.le(gram, K.unsqueeze(size, -1) * K.unsqueeze(size * limit, -2))
    return K.bitwise_or(small, K.bitwise_or(K.unsqueeze(zero, -1), K.unsqueeze(zero, -2)))


def _rotation(alpha: Tensor, beta: Tensor, gamma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rotations J that make the Hermitian [[alpha, gamma], [conj(gamma), beta]] diagonal.

    Algorithm 8.5.1; of the two the one by at most 45 degrees. J = [[c, s], [-conj(s), c]] with a real
    c and the phase of gamma in s. Returns 1 - c, s, and the step by which beta grows and alpha shrinks.
    """
    size = K.abs(gamma)
    done = K.eq(size, 0)
    divisor = K.where(done, 1, size)
    theta = (beta - alpha) / (2 * divisor)
    tangent = 1 / (K.abs(theta) + K.sqrt(theta * theta + 1))
    tangent = K.where(done, 0, K.where(K.lt(theta, 0), K.neg(tangent), tangent))
    cosine = 1 / K.sqrt(tangent * tangent + 1)
    sine = tangent * cosine
    return sine * sine / (1 + cosine), gamma / divisor * sine, tangent * size


def _turned_pair(P: Tensor, Q: Tensor, less: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
    """Columns times J; rows, with the conjugate of the sine, times the adjoint of J from the left.

    Written as what is added to each, which is little when the sine is: columns then keep their
    length over hundreds of rotations (Rutishauser, The Jacobi method for real symmetric matrices,
    1966).
    """
    return P - (Q * K.conj(sine) + P * less), Q + (P * sine - Q * less)


def _halves(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    h = x.shape[dim] // 2
    return K.narrow(x, dim, 0, h), K.narrow(x, dim, h, h)


def _moved(P: Tensor, Q: Tensor, dim: int) -> Tensor:
    """Both halves together, arranged for the next round: all but the first go round in a circle."""
    h = P.shape[dim]
    if h == 1:
        return K.cat([P, Q], dim)
    cut = K.narrow
    parts = [
        cut(P, dim, 0, 1),
        cut(Q, dim, 0, 1),
        cut(P, dim, 1, h - 2),
        cut(Q, dim, 1, h - 1),
        cut(P, dim, h - 1, 1),
    ]
    return K.cat(parts, dim)


def _even(A: Tensor, dim: int) -> Tensor:
    """With a column (or row) of zeros as the last where their number is odd.

    No rotation touches it, and after every sweep it is the last again.
    """
    if A.shape[dim] % 2 == 0:
        return A
    return K.cat([A, K.zeros_like(K.narrow(A, dim, 0, 1))], dim)


def _identity(A: Tensor, m: int, n: int) -> Tensor:
    return K.expand(K.eye(m, n, dtype=A.dtype, device=A.device), (*A.shape[:-2], m, n))


def _columns(A: Tensor, order: Tensor) -> Tensor:
    """The columns of each matrix in another order."""
    return K.gather(A, -1, K.expand(K.unsqueeze(order, -2), A.shape))


def _scaled(name: str, A: Tensor) -> tuple[Tensor, Any]:
    """Matrices whose squares neither overflow nor vanish, and what they were divided by.

    Ordinary ones are divided by 1, and so stay exactly what they were.
    """
    largest = K.amax(K.abs(A), (-2, -1), True)
    if not all_true(K.isfinite(largest)):
        raise LinAlgError(
            f"{name}: the algorithm failed to converge because the input matrix contained "
            "non-finite values."
        )
    power, least = (16, -126) if precision(A) > 1e-10 else (256, -1022)
    ordinary = K.bitwise_and(K.le(largest, 2.0**power), K.ge(largest, 2.0**-power))
    # Nothing is divided by less than the smallest normal number, whose inverse is finite still.
    scale = K.where(ordinary, 1, K.maximum(largest, 2.0**least))
    return A / scale, scale


def _failure(name: str) -> LinAlgError:
    return LinAlgError(f"{name}: the algorithm failed to converge in {MOST_SWEEPS} sweeps.")
