"""Running extremes, running log-sums and differences along one dimension."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import INEXACT, REAL
from dispatch_core._families.others import movement
from dispatch_core._families.reduction import scan
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dim
from dispatch_core._tensor import Tensor


def _doubling(parts: tuple[Any, ...], dim: int, join: Any, K: Any = K) -> tuple[Any, ...]:
    """A scan in log2(n) steps, each doubling what an element stands for (Hillis 1986)."""
    n = parts[0].shape[dim]
    reach = 1
    while reach < n:
        earlier = tuple(K.narrow(part, dim, 0, n - reach) for part in parts)
        later = tuple(K.narrow(part, dim, reach, n - reach) for part in parts)
        joined = join(earlier, later)
        parts = tuple(
            K.cat([K.narrow(part, dim, 0, reach), new], dim)
            for part, new in zip(parts, joined, strict=True)
        )
        reach *= 2
    return parts


def _running(input: Tensor, dim: int, prefer: Any) -> Any:
    at = check_dim(dim, input.ndim)
    if not input.ndim:
        return K.clone(input), K.reshape(K.storage_index(input, 1), ())
    n = input.shape[at]
    shape = [1] * input.ndim
    shape[at] = n
    index = K.expand(K.reshape(K.storage_index(input, n), tuple(shape)), tuple(input.shape))

    def join(earlier: Any, later: Any) -> Any:
        # Once NaN, always NaN; of equal elements the later one counts.
        keep = prefer(earlier[0], later[0])
        if input.is_floating_point():
            keep = K.bitwise_and(keep, K.bitwise_not(K.isnan(later[0])))
            keep = K.bitwise_or(
                keep, K.bitwise_and(K.isnan(earlier[0]), K.bitwise_not(K.isnan(later[0])))
            )
        return tuple(K.where(keep, a, b) for a, b in zip(earlier, later, strict=True))

    return tuple(K.clone(part) for part in _doubling((input, index), at, join))


def _scattered(K: Any, g: Any, index: Any, dim: int) -> Any:
    return K.scatter_add(K.zeros_like(g), dim, index, g) if len(g.shape) else g


@composite(
    scan(REAL),
    grad={"input": lambda K, gs, out1, dim: _scattered(K, gs[0], out1, dim)},
    outputs=2,
    fields=("values", "indices"),
    out=True,
)
def cummax(input: Tensor, dim: int) -> Any:
    """The largest element so far along a dimension, and where it last was."""
    return K.cummax.op.result_type(*_running(input, dim, lambda a, b: K.gt(a, b)))


@composite(
    scan(REAL),
    grad={"input": lambda K, gs, out1, dim: _scattered(K, gs[0], out1, dim)},
    outputs=2,
    fields=("values", "indices"),
    out=True,
)
def cummin(input: Tensor, dim: int) -> Any:
    """The smallest element so far along a dimension, and where it last was."""
    return K.cummin.op.result_type(*_running(input, dim, lambda a, b: K.lt(a, b)))


@composite(
    scan(INEXACT),
    grad={"input": lambda K, g, input, out, dim: _logcumsumexp_input(K, g, input, out, dim)},
    out=True,
)
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log(cumsum(exp(x))) along a dimension, without overflow."""
    at = check_dim(dim, input.ndim)
    if not input.ndim:
        return K.clone(input)

    def join(earlier: Any, later: Any) -> Any:
        return (K.logaddexp(earlier[0], later[0]),)

    return K.clone(_doubling((input,), at, join)[0])


def _logcumsumexp_input(K: Any, g: Any, input: Any, out: Any, dim: int) -> Any:
    """The sum over j >= i of g_j exp(x_i - out_j): a scan from the end, with factors of at most 1."""
    if not len(g.shape) or not g.shape[dim]:
        return g
    n = g.shape[dim]
    back, total = K.flip(out, (dim,)), K.flip(g, (dim,))
    factor = K.conj(K.exp(K.narrow(back, dim, 1, n - 1) - K.narrow(back, dim, 0, n - 1)))
    factor = K.cat([K.exp(K.narrow(back, dim, 0, 1) * 0), factor], dim)

    def join(earlier: Any, later: Any) -> Any:
        return earlier[0] * later[0], later[1] + later[0] * earlier[1]

    total = _doubling((factor, total), dim, join, K)[1]
    return K.flip(total, (dim,)) * K.conj(K.exp(input - out))


@composite(
    movement(
        samples=lambda make: [
            (make(3, 4),),
            (make(5), 2),
            (make(3, 4), 1, 0),
            (make(3, 4), 1, -1, make(3, 1), make(3, 2)),
            (make(3, 2), 3),
        ]
    ),
    out=True,
)
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Tensor:
    """The n-th differences of neighbours along a dimension, `prepend` and `append` joined first."""
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    at = check_dim(dim, input.ndim)
    parts = [part for part in (prepend, input, append) if part is not None]
    if n == 0:
        return K.clone(input)
    x = K.cat(parts, at) if len(parts) > 1 else input
    for _ in range(min(n, x.shape[at])):
        size = x.shape[at]
        later, earlier = (K.narrow(x, at, start, max(size - 1, 0)) for start in (min(1, size), 0))
        x = K.ne(later, earlier) if x.dtype.name == "bool" else K.sub(later, earlier)
    return x
