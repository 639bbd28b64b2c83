"""Householder reflections: QR as LAPACK stores it, and products with its Q.

A matrix's strictly lower triangle holds the vectors v_1, v_2, ... without their leading one, and
Q = H_1 H_2 ... with H_i = I - tau_i v_i v_i^H; see Golub and Van Loan, Matrix Computations, 5.2.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._families.base import INEXACT
from dispatch_core._families.others import contraction, custom
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import check_matrix, turned


def _reflections(make: Any) -> Any:
    a = make(4, 3)
    return a, make(3)


def _vector(vectors: Tensor, i: int) -> Tensor:
    """The i-th vector as a column: zeros, a one, and what stands below the diagonal."""
    m = vectors.shape[-2]
    below = K.narrow(K.narrow(vectors, -1, i, 1), -2, i + 1, m - i - 1)
    lead = K.new_zeros(vectors, (*vectors.shape[:-2], i, 1))
    one = K.new_ones(vectors, (*vectors.shape[:-2], 1, 1))
    return K.cat([lead, one, below], -2)


def _reflected(x: Tensor, v: Tensor, scale: Tensor) -> Tensor:
    """(I - scale v v^H) x."""
    return K.sub(x, K.matmul(K.mul(v, scale), K.matmul(turned(K, v), x)))


def _scale(tau: Tensor, i: int) -> Tensor:
    return K.unsqueeze(K.narrow(tau, -1, i, 1), -1)


def _check(what: str, vectors: Tensor, tau: Tensor) -> None:
    check_matrix(what, vectors)
    if tau.ndim != vectors.ndim - 1 or tau.shape[:-1] != vectors.shape[:-2]:
        raise RuntimeError(
            f"{what}: Expected tau to have one dimension less than input, and the same batch "
            f"dimensions, but got {list(tau.shape)} and {list(vectors.shape)}"
        )
    if tau.shape[-1] > vectors.shape[-1]:
        raise RuntimeError(
            f"{what}: input.shape[-1] must be greater than or equal to tau.shape[-1], but got "
            f"{vectors.shape[-1]} and {tau.shape[-1]}"
        )


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            _reflections(make),
            (make(2, 4, 4), make(2, 3)),
            (make(3, 3), make(3)),
        ],
    ),
    namespace="_",
    aliases=("linalg.householder_product",),
    out=True,
)
def linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first columns of H_1 H_2 ..., from the vectors below the diagonal of A and their scales."""
    _check("linalg.householder_product", input, tau)
    m, n = input.shape[-2:]
    if m < n:
        raise RuntimeError(
            "linalg.householder_product: input.shape[-2] must be greater than or equal to "
            f"input.shape[-1], but got {m} and {n}"
        )
    found = K.expand(K.eye(m, n, dtype=input.dtype, device=input.device), tuple(input.shape))
    for i in reversed(range(tau.shape[-1])):
        found = _reflected(found, _vector(input, i), _scale(tau, i))
    return found if tau.shape[-1] else K.clone(found)


@composite(
    contraction(
        INEXACT,
        halves=False,
        samples=lambda make: [
            (*_reflections(make), make(4, 2)),
            (*_reflections(make), make(2, 4), False),
            (*_reflections(make), make(4, 2), True, True),
            (*_reflections(make), make(2, 4), False, True),
        ],
    ),
    keywords={"input2": "tau", "input3": "other"},
    out=True,
)
def ormqr(
    input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Q other (or other Q, if not `left`) with the whole Q of `geqrf`, or its conjugate transpose."""
    _check("torch.ormqr", input, tau)
    side = -2 if left else -1
    if other.ndim != input.ndim or other.shape[side] != input.shape[-2]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2], but got "
            f"{list(other.shape)} and {list(input.shape)}"
        )
    # x Q is the conjugate transpose of Q^H x^H.
    x = other if left else turned(K, other)
    adjoint = transpose == left
    scales = K.conj(tau) if adjoint else tau
    order = range(tau.shape[-1])
    for i in order if adjoint else reversed(order):
        x = _reflected(x, _vector(input, i), _scale(scales, i))
    return x if left else turned(K, x)


def _step(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """LAPACK's larfg: for a column, the vector below its leading one, the scale, and what is left.

    (I - conj(tau) v v^H) x = (beta, 0, ...) with a real beta.
    """
    alpha, rest = K.narrow(x, -2, 0, 1), K.narrow(x, -2, 1, x.shape[-2] - 1)
    size = K.linalg_vector_norm(x, 2, -2, True)
    real = K.real(alpha)
    beta = K.where(K.ge(real, 0), K.neg(size), size)
    flat = K.eq(K.linalg_vector_norm(rest, 2, -2, True), 0)
    if x.is_complex():
        flat = K.bitwise_and(flat, K.eq(K.imag(alpha), 0))
    beta = K.cast(K.where(flat, real, beta), x.dtype)
    safe = K.where(flat, K.ones_like(beta), beta)
    tau = K.where(flat, K.zeros_like(beta), K.div(K.sub(safe, alpha), safe))
    lead = K.where(flat, K.ones_like(beta), K.sub(alpha, safe))
    return K.div(K.where(flat, K.zeros_like(rest), rest), lead), tau, beta


@composite(
    custom(
        INEXACT,
        halves=False,
        samples=lambda make: [(make(4, 3),), (make(3, 4),), (make(2, 3, 3),)],
    ),
    grad=NOT_DIFFERENTIABLE,
    outputs=2,
    fields=("a", "tau"),
    out=True,
)
def geqrf(input: Tensor) -> Any:
    """The QR decomposition as LAPACK stores it: R and below it the vectors, and their scales.

    `linalg.householder_product` and `ormqr` take both; see `linalg.qr` for Q and R themselves.
    """
    check_matrix("torch.geqrf", input)
    m, n = input.shape[-2:]
    lead, rest, columns, scales = tuple(input.shape[:-2]), input, [], []
    tops: list[Tensor] = []  # the rows of R that are done
    for i in range(min(m, n)):
        below, tau, beta = _step(K.narrow(rest, -1, 0, 1))
        scales.append(K.squeeze(tau, -1))
        columns.append(
            K.cat([K.narrow(t, -1, j, 1) for j, t in _upwards(tops, i)] + [beta, below], -2)
        )
        v = K.cat([K.new_ones(input, (*lead, 1, 1)), below], -2)
        others = _reflected(K.narrow(rest, -1, 1, n - i - 1), v, K.conj(tau))
        tops.append(K.narrow(others, -2, 0, 1))
        rest = K.narrow(others, -2, 1, m - i - 1)
    columns += [
        K.cat([K.narrow(t, -1, j, 1) for j, t in _upwards(tops, i)], -2)
        for i in range(min(m, n), n)
    ]
    a = K.cat(columns, -1) if columns else K.clone(input)
    tau = K.cat(scales, -1) if scales else K.new_zeros(input, (*lead, 0))
    return K.geqrf.op.result_type(a, tau)


def _upwards(tops: list[Tensor], column: int) -> list[tuple[int, Tensor]]:
    """The rows that a column has above the diagonal, each with the column's place in it."""
    return [(column - 1 - i, top) for i, top in enumerate(tops)]


@public("", "Tensor")
def orgqr(input: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """`linalg.householder_product` under LAPACK's name."""
    found: Tensor = K.linalg_householder_product(input, tau, out=out)
    return found
