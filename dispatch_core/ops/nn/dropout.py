"""Random functions of training: dropout of elements and channels, randomised activations."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import FLOATING, INEXACT, Sample
from dispatch_core._families.others import custom, random
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn._sizes import declared

F = "nn.functional"


def _samples(*shapes: tuple[int, ...], accepts: Any = INEXACT, options: Any = (0.4,)) -> Any:
    """Calls that draw and, with `training=False`, calls that do not.

    Of dtypes that can be drawn for alone: other tensors are taken too, but only when not training.
    """

    def samples(make: Any) -> list[Sample]:
        if make.dtype.category not in accepts:
            return []
        return [
            (make(*shape), *options, training) for shape in shapes for training in (True, False)
        ]

    return samples


def _check_p(p: float) -> None:
    if not 0 <= p <= 1:
        kind = ValueError if p == p else RuntimeError  # as PyTorch has it for NaN
        raise kind(f"dropout probability has to be between 0 and 1, but got {p}")


def _kept(input: Tensor, p: float, spatial: bool) -> Tensor:
    """1 with probability 1 - p, else 0: for each element, or each channel of (N, C, *)."""
    shape = tuple(input.shape)
    if spatial:
        shape = (*shape[:2], *(1,) * (input.ndim - 2))
    drawn = K.rand(shape, dtype=_drawn_dtype(input), device=input.device)
    return K.cast(K.ge(drawn, p), input.dtype)


def _drawn_dtype(input: Tensor) -> Any:
    return input.dtype if input.dtype.is_floating_point else input.dtype.to_real()


def _drop(input: Tensor, p: float, spatial: bool) -> Tensor:
    """Zeros with probability p, the rest scaled by 1 / (1 - p)."""
    if p == 1:
        return K.mul(input, K.zeros_like(input))
    return input * (_kept(input, p, spatial) * (1 / (1 - p)))


@composite(
    random(inplace=True, samples=_samples((3, 4), (5,))),
    random=True,
    aliases=("nn.functional.dropout",),
    method=False,
)
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element zero with probability `p`, the others scaled by 1 / (1 - p), when training."""
    _check_p(p)
    return _drop(input, p, False) if training and p else input


def _drop_channels(n: int, input: Tensor, p: float, training: bool) -> Tensor:
    """Drop whole channels; what lacks N for `n` spatial dimensions is lent one (not for images)."""
    _check_p(p)
    if n == 1 and input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input"
        )
    if not training or not p:
        return input
    if n != 2 and input.ndim == n + 1:
        return K.squeeze(_drop(K.unsqueeze(input, 0), p, True), 0)
    return _drop(input, p, True)


def _declare(n: int) -> None:
    def dropout(
        input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        return _drop_channels(n, input, p, training)

    doc = "Whole channels of (N, C, *), ?-dimensional, zero with probability `p` when training."
    function = declared("dropout?d", n, dropout, doc)
    family = random(inplace=True, samples=_samples((2, 3, *(2,) * n)))
    composite(family, random=True, namespace=F)(function)


for _n in (1, 2, 3):
    _declare(_n)


@composite(random(inplace=True, samples=_samples((2, 3, 2, 2))), random=True, method=False)
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Whole channels of (N, C, *), of any number of dimensions, zero with probability `p` when training."""
    _check_p(p)
    return _drop(input, p, True) if train and p else input


# -- dropout that keeps the statistics of `selu` ---------------------------------------------------

_NEGATIVE_LIMIT = -1.7580993408473766  # of selu


def _alpha_drop(input: Tensor, p: float, spatial: bool) -> Tensor:
    """The dropped get selu's negative limit; then mean and variance are restored (2017)."""
    if p == 1:
        return input * 0.0
    scale = ((1 - p) * (1 + p * _NEGATIVE_LIMIT**2)) ** -0.5
    offset = -scale * p * _NEGATIVE_LIMIT
    kept = _kept(input, p, spatial)
    return input * (kept * scale) + ((1 - kept) * (_NEGATIVE_LIMIT * scale) + offset)


@composite(
    random(inplace=True, samples=_samples((3, 4), (5,))),
    random=True,
    aliases=("nn.functional.alpha_dropout",),
    method=False,
)
def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Elements moved to selu's negative limit with probability `p`, keeping mean and variance."""
    _check_p(p)
    return _alpha_drop(input, p, False) if training and p else input


@composite(
    random(inplace=True, samples=_samples((2, 3, 2, 2))),
    random=True,
    aliases=("nn.functional.feature_alpha_dropout",),
    method=False,
)
def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, *)."""
    _check_p(p)
    return _alpha_drop(input, p, True) if training and p else input


# -- random activations ----------------------------------------------------------------------------


@composite(
    random(
        inplace=True,
        samples=_samples((3, 4), accepts=FLOATING, options=(0.1, 0.4)),
    ),
    random=True,
    aliases=("nn.functional.rrelu",),
    method=False,
)
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where x >= 0, else a * x, a random in [lower, upper] or their mean (Xu et al. 2015)."""
    if lower > upper:
        raise RuntimeError(
            f"Lower bound should be less than or equal to the upper bound, got {lower} > {upper}"
        )
    if not training:
        return K.leaky_relu(input, (lower + upper) / 2)
    drawn = K.rand(tuple(input.shape), dtype=_drawn_dtype(input), device=input.device)
    return input * K.where(K.ge(input, 0), 1.0, drawn * (upper - lower) + lower)


@composite(
    custom(FLOATING, samples=lambda make: [(make(3, 4),), (make(3, 4), 0.5, False)]),
    random=True,
    namespace=F,
)
def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of the Gumbel-softmax distribution (Jang et al. 2017); `hard` gives one-hot vectors.

    The gradient of a hard sample is that of the soft one.
    """
    drawn = K.rand(tuple(logits.shape), dtype=logits.dtype, device=logits.device)
    noise = K.neg(K.log(K.neg(K.log1p(K.neg(drawn)))))
    soft = K.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = K.max_dim(soft.detach(), dim, True)[1]
    one_hot = K.scatter(K.zeros_like(soft.detach()), dim, index, 1.0)
    return one_hot - soft.detach() + soft
