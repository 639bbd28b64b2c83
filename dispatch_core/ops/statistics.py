"""Sums and means that leave NaN out, moments together, covariances, and areas under curves."""

from __future__ import annotations

from typing import Any

from dispatch_core._caller import warn
from dispatch_core._dtypes import get_default_dtype, promote_types
from dispatch_core._families.base import FLOATING, INEXACT, NUMBERS, REAL
from dispatch_core._families.others import creation, custom
from dispatch_core._families.reduction import reduction
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dim, whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import any_true
from dispatch_core.ops.create import _finish


def _without_nan(input: Tensor) -> tuple[Tensor, Tensor]:
    nan = K.ne(input, input)
    return K.where(nan, K.zeros_like(input), input), nan


@composite(
    reduction(
        REAL,
        widen=True,
        samples=lambda make: [(make(3, 4),), (make(3, 4), 0), (make(3, 4), 1, True)],
    ),
    out=True,
)
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of the elements that are not NaN."""
    return K.sum(_without_nan(input)[0], dim, keepdim, dtype=dtype)


@composite(
    reduction(
        FLOATING, samples=lambda make: [(make(3, 4),), (make(3, 4), 0), (make(3, 4), 1, True)]
    ),
    out=True,
)
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of the elements that are not NaN."""
    kept, nan = _without_nan(input)
    return K.div(K.sum(kept, dim, keepdim, dtype=dtype), K.sum(K.bitwise_not(nan), dim, keepdim))


def _moments(make: Any) -> list[Any]:
    return [
        (make(3, 4),),
        (make(3, 4), 0),
        (make(3, 4), 1, False, True),
        (make(3, 4), 0, {"correction": 0}),
    ]


@composite(reduction(INEXACT, samples=_moments), outputs=2, fields=())
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Any:
    """The variance and the mean; see `var`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return K.var(input, dim, unbiased, keepdim, correction=correction), K.mean(input, dim, keepdim)


@composite(reduction(INEXACT, samples=_moments), outputs=2, fields=())
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Any:
    """The standard deviation and the mean; see `var`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return K.std(input, dim, unbiased, keepdim, correction=correction), K.mean(input, dim, keepdim)


def _weighted_samples(make: Any) -> list[Any]:
    """Observations that count more and less; weights are floating."""
    if not make.dtype.is_floating_point:
        return []
    return [(make(2, 4), {"aweights": make(4, low=0.5, high=2)})]


@composite(
    reduction(
        NUMBERS,
        floats=True,
        samples=lambda make: [
            (make(3, 5),),
            (make(5),),
            (make(3, 5), {"correction": 0}),
            (make(2, 4), {"fweights": make(4, low=1, high=4, integer=True)}),
            *_weighted_samples(make),
        ],
    )
)
def cov(
    input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None
) -> Tensor:
    """The covariances of variables (rows) over observations (columns), which may be weighted."""
    correction = whole("correction", correction)
    if input.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} "
            "dimensions"
        )
    x = K.reshape(input, (1, -1)) if input.ndim < 2 else input
    if not (x.is_floating_point() or x.is_complex()):
        x = K.cast(x, get_default_dtype())
    n = x.shape[1]
    _check_weights("fweights", fweights, n, floating=False)
    _check_weights("aweights", aweights, n, floating=True)
    weights = fweights
    if aweights is not None:
        weights = aweights if fweights is None else K.mul(fweights, aweights)
        x = K.cast(x, promote_types(x.dtype, weights.dtype))
    total = K.sum(weights) if weights is not None else n
    mean = K.div(K.sum(x, 1), n) if weights is None else K.div(K.sum(K.mul(x, weights), 1), total)
    if weights is not None and aweights is not None and correction:
        rest = K.sub(total, K.div(K.mul(K.sum(K.mul(weights, aweights)), correction), total))
    else:
        rest = total - correction
    if not isinstance(rest, Tensor) and rest <= 0:
        warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of "
            f"observations, {n}; got {correction}"
        )
    rest = K.maximum(rest, 0) if isinstance(rest, Tensor) else max(rest, 0)
    centred = K.sub(x, K.unsqueeze(mean, 1))
    other = centred if weights is None else K.mul(centred, weights)
    product = K.matmul(centred, K.conj(K.transpose(K.cast(other, x.dtype), 0, 1)))
    return K.squeeze(K.div(product, rest))


def _check_weights(name: str, weights: Any, observations: int, *, floating: bool) -> None:
    if weights is None:
        return
    if weights.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weights.ndim} dimensions"
        )
    if weights.is_floating_point() is not floating:
        raise RuntimeError(
            f"cov(): expected {name} to have {'floating point' if floating else 'integral'} dtype "
            f"but got {name} with {weights.dtype}"
        )
    if weights.numel() != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input "
            f"but got {weights.numel()} != {observations}"
        )
    if any_true(K.lt(weights.detach(), 0)):
        raise RuntimeError(f"cov(): {name} cannot be negative")


@composite(reduction(NUMBERS, floats=True, samples=lambda make: [(make(3, 5),), (make(5),)]))
def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of variables (rows) over observations (columns)."""
    if input.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    c = K.cov(input)
    if not c.ndim:
        return K.div(c, c)
    deviation = K.sqrt(K.real(K.diagonal(c)))
    return K.div(K.div(c, K.unsqueeze(deviation, 1)), deviation)


# -- areas ---------------------------------------------------------------------------------------


def _strips(name: str, y: Tensor, x: Any, dx: Any, dim: int) -> Tensor:
    """The areas between neighbouring values under straight lines."""
    at = check_dim(dim, y.ndim)
    n = y.shape[at]
    if x is not None and (not x.ndim or x.shape[at if x.ndim == y.ndim else -1] != n):
        raise RuntimeError(
            f"{name}: There must be one `x` value for each sample point, but got x of "
            f"{list(x.shape)} for {n} points"
        )
    pairs = K.add(K.narrow(y, at, 1, max(n - 1, 0)), K.narrow(y, at, 0, max(n - 1, 0))) if n else y
    if x is None:
        return K.mul(pairs, (1.0 if dx is None else dx) / 2)
    width = K.diff(x, 1, at if x.ndim == y.ndim else -1)
    if x.ndim != y.ndim:
        shape = [1] * y.ndim
        shape[at] = width.shape[-1]
        width = K.reshape(width, tuple(shape))
    return K.mul(K.mul(pairs, width), 0.5)


def _curves(make: Any) -> list[Any]:
    return [(make(3, 5),), (make(5), make(5)), (make(3, 5), {"dx": 2.0, "dim": 0})]


@composite(custom(NUMBERS, samples=_curves), method=False, aliases=("trapz",))
def trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The area under straight lines through the values y at the places x, or dx apart."""
    return K.sum(_strips("trapezoid", y, x, dx, dim), dim)


@composite(custom(NUMBERS, samples=_curves), method=False)
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The areas up to each value; see `trapezoid`."""
    return K.cumsum(_strips("cumulative_trapezoid", y, x, dx, dim), dim)


@composite(creation(), out=True)
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` values from base ** start to base ** end, evenly spaced on a logarithmic scale."""
    wanted = dtype or get_default_dtype()
    exact = wanted if wanted.is_floating_point or wanted.is_complex else get_default_dtype()
    values = K.pow(float(base), K.linspace(start, end, steps, dtype=exact, device=device))
    return _finish(K.cast(values, wanted), requires_grad)
