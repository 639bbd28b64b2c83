"""The QR decomposition by Householder's reflections, in our own operators.

Golub and Van Loan, Matrix Computations, 4th edition (2013), algorithms 5.1.1 and 5.2.1, with signs and
complex phases as LAPACK chooses them, so that all devices give the same Q and R.
"""

from __future__ import annotations

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops._matrices import squares, turned


def qr(A: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    """Q and R; Q has as many columns as the shorter side, or is square if mode is complete."""
    *batch, m, n = A.shape
    steps = min(m, n)
    rest, rows, reflections = A, [], []
    for k in range(steps):
        v, tau, beta = _reflection(K.narrow(rest, -1, 0, 1))
        reflections.append((v, tau))
        columns = K.narrow(rest, -1, 1, n - k - 1)
        columns = _reflected(columns, v, K.conj(tau))
        left = K.new_zeros(A, (*batch, 1, k))
        rows.append(K.cat([left, beta, K.narrow(columns, -2, 0, 1)], -1))
        rest = K.narrow(columns, -2, 1, m - k - 1)
    height = m if mode == "complete" else steps
    if height > steps or not rows:
        rows.append(K.new_zeros(A, (*batch, height - steps, n)))
    R = K.cat(rows, -2)
    return (K.new_zeros(A, (0,)) if mode == "r" else _product(A, reflections, height)), R


def _reflection(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """v, tau and beta with (1 - tau v v^H)^H x = beta in the first place and 0 elsewhere.

    Where x has that form already, tau is 0. The length is found from numbers that were scaled to at
    most 1, so it neither overflows nor vanishes.
    """
    n = x.shape[-2]
    first = K.narrow(x, -2, 0, 1)
    largest = K.amax(K.abs(x), -2, True)
    y = x / K.where(K.eq(largest, 0), 1, largest)
    total = K.sum(squares(y), -2, True)
    others = K.sum(squares(K.narrow(y, -2, 1, n - 1)), -2, True)
    if x.is_complex():
        others = others + squares(K.imag(K.narrow(y, -2, 0, 1)))
    length = largest * K.sqrt(total)
    # Of both signs the one that adds to the first element, so that no digits cancel.
    beta = K.cast(K.where(K.lt(K.real(first), 0), length, K.neg(length)), x.dtype)
    done = K.eq(others, 0)
    beta = K.where(done, first, beta)
    tau = K.where(done, 0, (beta - first) / K.where(K.eq(beta, 0), 1, beta))
    rest = K.narrow(x, -2, 1, n - 1) / K.where(done, 1, first - beta)
    return K.cat([K.ones_like(first), K.where(done, 0, rest)], -2), tau, beta


def _reflected(columns: Tensor, v: Tensor, tau: Tensor) -> Tensor:
    """(1 - tau v v^H) times the columns, without forming the matrix."""
    return columns - tau * v * K.matmul(turned(K, v), columns)


def _product(A: Tensor, reflections: list[tuple[Tensor, Tensor]], width: int) -> Tensor:
    """The first columns of the product of all reflections, from the last to the first."""
    *batch, m, _ = A.shape
    eye = K.eye(m, width, dtype=A.dtype, device=A.device)
    Q = K.clone(K.expand(eye, (*batch, m, width)))
    for k in range(len(reflections) - 1, -1, -1):
        v, tau = reflections[k]
        Q = _reflected(Q, K.cat([K.new_zeros(A, (*batch, k, 1)), v], -2), tau)
    return Q
