"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import FLOATING, INEXACT
from dispatch_core._families.reduction import Reduction, reduction
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dim, check_not_empty
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import kept_shape

INF = float("inf")


def _nuclear(make: Any, *shape: int) -> list[Any]:
    """Samples of norms that need singular values; not in half precision."""
    if make.dtype.itemsize == 2:
        return []
    return [(make(*shape), "nuc"), (make(*shape), 2, (-2, -1)), (make(*shape), -2, (-2, -1))]


@composite(
    reduction(
        INEXACT,
        real=True,
        samples=lambda make: [
            (make(3, 4),),
            (make(3, 4), 1, 0),
            (make(3, 4), 3, -1, True),
            (make(3, 4), INF, 1),
            (make(3, 4), -INF, (0, 1)),
            (make(3, 4), 0, 1),
            (make(2, 3, 4), 2, (0, 2)),
            (make(),),
            (make(3, 4), 0.5, 0),
            (make(0, 3), 2, 0),
        ],
    ),
    grad={
        "input": lambda K, g, input, out, ord, dim, keepdim: _norm_input(
            K, g, input, out, ord, dim, keepdim
        )
    },
    namespace="_",
    aliases=("linalg.vector_norm",),
    out=True,
    handled=("dtype",),
)
def linalg_vector_norm(
    input: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The `ord`-norm over all, one or several dimensions; 0 counts nonzeros, inf is the largest."""
    if dtype is not None:
        return K.linalg_vector_norm(K.cast(input, dtype), ord, dim, keepdim)
    if ord < 0:
        check_not_empty(input.shape, ord, dim)
    size = K.abs(input)
    if ord == 0:
        return K.sum(K.cast(K.ne(size, 0), size.dtype), dim, keepdim)
    if ord in (INF, -INF):
        return (K.amax if ord > 0 else K.amin)(size, dim, keepdim)
    if ord == 1:
        return K.sum(size, dim, keepdim)
    if ord == 2:
        return K.sqrt(K.sum(K.mul(size, size), dim, keepdim))
    return K.pow(K.sum(K.pow(size, float(ord)), dim, keepdim), 1.0 / ord)


def _norm_input(K: Any, g: Any, x: Any, out: Any, ord: float, dim: Any, keepdim: bool) -> Any:
    if not keepdim:
        shape = kept_shape(x.shape, dim)
        g, out = K.reshape(g, shape), K.reshape(out, shape)
    if ord == 0:
        return K.zeros_like(x)
    if ord == 1:
        return K.sgn(x) * g
    if ord == 2:
        return x * K.where(K.eq(out, 0), 0.0, g / out)
    size = K.abs(x)
    if ord in (INF, -INF):
        nan = (size != size) & (out != out)
        hit = K.cast_like((size == out) | nan, g)
        return K.sgn(x) * (hit * (g / K.sum(hit, dim, True)))
    scale = K.where(K.eq(out, 0), 0.0, g / K.pow(out, ord - 1.0))
    slope = K.where(K.eq(size, 0), 0.0, K.pow(size, ord - 1.0))
    return K.sgn(x) * slope * scale


def _two_dims(name: str, dim: Any, ndim: int) -> tuple[int, int]:
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {dim}")
    a, b = (check_dim(d, ndim) for d in dim)
    if a == b:
        raise RuntimeError(f"{name}: dims must be different. Got ({a}, {b})")
    return a, b


@composite(
    reduction(
        INEXACT,
        real=True,
        samples=lambda make: [
            (make(3, 4),),
            *_nuclear(make, 3, 4),
            (make(3, 4), INF),
            (make(3, 4), -1),
            (make(2, 3, 4), 1, (0, 2), True),
        ],
    ),
    namespace="_",
    aliases=("linalg.matrix_norm",),
    out=True,
)
def linalg_matrix_norm(
    input: Tensor,
    ord: float | str = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """A norm of the matrices in two dimensions: "fro", "nuc", or 1, 2, inf and their negatives."""
    if input.ndim < 2:
        raise RuntimeError(
            f"linalg.matrix_norm: The input tensor A must have at least 2 dimensions, got {input.ndim}"
        )
    a, b = _two_dims("linalg.matrix_norm", dim, input.ndim)
    x = input if dtype is None else K.cast(input, dtype)
    if ord == "fro":
        return K.linalg_vector_norm(x, 2, (a, b), keepdim)
    if ord in ("nuc", 2, -2):
        values = K.linalg_svdvals(K.movedim(x, (a, b), (-2, -1)))
        found = {"nuc": K.sum, 2: K.amax, -2: K.amin}[ord](values, -1)
        return _kept(found, x.ndim, (a, b)) if keepdim else found
    if ord not in (1, -1, INF, -INF):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    summed, taken = (a, b) if abs(ord) == 1 else (b, a)
    sums = K.sum(K.abs(x), summed, True)
    found = (K.amax if ord > 0 else K.amin)(sums, taken, True)
    return found if keepdim else K.reshape(found, _without(found.shape, (a, b)))


def _without(shape: Any, dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for i, n in enumerate(shape) if i not in dims)


def _kept(x: Tensor, ndim: int, dims: tuple[int, int]) -> Tensor:
    rest = iter(x.shape)
    return K.reshape(x, tuple(1 if i in dims else next(rest) for i in range(ndim)))


@composite(
    reduction(
        INEXACT,
        real=True,
        samples=lambda make: [
            (make(3, 4),),
            (make(3, 4), 2, 0),
            (make(3, 4), "fro"),
            (make(4), 3),
            (make(3, 4), None, (0, 1)),
            (make(3, 4), INF, 1, True),
            *_nuclear(make, 3, 3),
            (make(3, 4), 1),
        ],
    ),
    namespace="_",
    aliases=("linalg.norm",),
    out=True,
)
def linalg_norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A vector norm (one dimension, or no `ord`) or a matrix norm (two dimensions)."""
    pair = isinstance(dim, (tuple, list)) and len(dim) == 2
    if ord is None:
        return K.linalg_vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if isinstance(ord, str) or pair or (dim is None and input.ndim == 2):
        if dim is None:
            if input.ndim != 2:
                raise RuntimeError(
                    "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
                    f"Got {input.ndim}D."
                )
            dim = (-2, -1)
        return K.linalg_matrix_norm(input, ord, dim, keepdim, dtype=dtype)
    if dim is None and input.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
            f"Got {input.ndim}D."
        )
    return K.linalg_vector_norm(input, ord, dim, keepdim, dtype=dtype)


@composite(
    reduction(
        INEXACT,
        real=True,
        samples=lambda make: [
            (make(3, 4),),
            (make(3, 4), 1),
            (make(3, 4), 2, 0),
            (make(3, 4), "fro", (0, 1)),
            (make(3, 4), INF, 1, True),
            *_nuclear(make, 3, 3),
            (make(2, 3, 4), 3),
        ],
    ),
    out=True,
)
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The p-norm of all elements or over `dim`, as a vector; "nuc" the sum of singular values."""
    if p == "nuc":
        return K.linalg_matrix_norm(
            input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype
        )
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"only valid string values are 'fro' and 'nuc', found {p}")
    if dtype is not None and input.is_complex() and not dtype.is_complex:
        raise RuntimeError(
            f"norm(): dtype should be complex for complex input, but got {dtype}; take input.abs() first"
        )
    return K.linalg_vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


class _Promoting(Reduction):
    """A reduction of several tensors, which are brought to one dtype first."""

    promotes = True


@composite(
    _Promoting(
        INEXACT,
        real=True,
        samples=lambda make: [
            (make(3, 4), make(3, 4)),
            (make(3, 4), make(4), 1),
            (make(3), make(3), 3.0),
        ],
    ),
)
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of the difference."""
    return K.linalg_vector_norm(K.sub(input, other), p)


@composite(
    reduction(INEXACT, samples=lambda make: [(make(3, 4), 2, 0, 1.0), (make(2, 3, 4), 1, -1, 0.5)]),
    inplace=True,
    out=True,
)
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """The slices along `dim`, those with a larger p-norm than `maxnorm` scaled down to it."""
    if input.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"
        )
    if not p > 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got p={p}")
    if not maxnorm >= 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    at = check_dim(dim, input.ndim)
    norms = K.linalg_vector_norm(input, p, tuple(d for d in range(input.ndim) if d != at), True)
    factor = K.where(K.gt(norms, maxnorm), maxnorm / (norms + 1e-7), 1.0)
    return K.mul(input, factor)


_CDIST_MODES = (
    None,
    0,
    1,
    2,
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def _pairs(make: Any) -> list[Any]:
    return [
        (make(3, 4), make(2, 4)),
        (make(2, 3, 4), make(2, 5, 4), 1.0),
        (make(3, 4), make(2, 4), 3.0),
    ]


@composite(reduction(FLOATING, samples=_pairs), method=False)
def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: Any = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The p-norm distances between rows of x1 (..., n, d) and x2 (..., m, d), as (..., n, m)."""
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    if x1.dtype is not x2.dtype:
        raise RuntimeError(f"cdist: expected one dtype, but got {x1.dtype} and {x2.dtype}")
    if compute_mode not in _CDIST_MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    gap = K.sub(K.unsqueeze(x1, -2), K.unsqueeze(x2, -3))
    return K.linalg_vector_norm(gap, p, -1)
