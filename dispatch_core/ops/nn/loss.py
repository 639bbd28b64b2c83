"""Losses: what a model's output costs, given the target; `reduction` is "none", "mean" or "sum"."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._caller import warn
from dispatch_core._families.base import FLOATING, INEXACT, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops._values import all_true, any_true

F = "nn.functional"


def reduction_of(reduction: str, size_average: Any, reduce: Any) -> str:
    """The reduction, also by the two older arguments; ValueError for an unknown one."""
    if size_average is not None or reduce is not None:
        if reduce is False:
            reduction = "none"
        else:
            reduction = "sum" if size_average is False else "mean"
        warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The elements, their mean or their sum."""
    if reduction == "mean":
        return K.mean(loss)
    return K.sum(loss) if reduction == "sum" else loss


def _pair_samples(make: Any) -> list[Any]:
    return [(make(3, 4), make(3, 4)), (make(3, 4), make(3, 4), None, None, "sum")]


# -- element-wise differences ----------------------------------------------------------------------


def _check_sizes(input: Tensor, target: Tensor, weight: Tensor | None = None) -> None:
    """Warn where the target has another size than the input; ValueError where the weights have."""
    if weight is not None and weight.shape != input.shape:
        broadcast_shapes(input.shape, target.shape)
        raise ValueError(
            f"Weights and input must have the same size: got {list(weight.shape)} and "
            f"{list(input.shape)}; expand the weights first"
        )
    if input.shape != target.shape:
        warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
        )


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str, of_weights: bool) -> Tensor:
    """The loss times a weight, reduced; the mean is by the sum of the weights, if `of_weights`."""
    if weight is None:
        return reduced(loss, reduction)
    loss = loss * weight
    if reduction == "mean" and of_weights:
        return K.sum(loss) / K.sum(K.expand(weight, loss.shape))
    return reduced(loss, reduction)


@composite(custom(INEXACT, promotes=True, samples=_pair_samples), namespace=F)
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2."""
    reduction = reduction_of(reduction, size_average, reduce)
    _check_sizes(input, target, weight)
    return _weighted(K.square(input - target), weight, reduction, True)


@composite(custom(INEXACT, promotes=True, samples=_pair_samples), namespace=F)
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|."""
    reduction = reduction_of(reduction, size_average, reduce)
    _check_sizes(input, target, weight)
    return _weighted(K.abs(input - target), weight, reduction, True)


@composite(custom(INEXACT, promotes=True, samples=_pair_samples), namespace=F)
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """(input - target)^2 / (2 beta) below `beta`, |input - target| - beta / 2 above."""
    reduction = reduction_of(reduction, size_average, reduce)
    _check_sizes(input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    distance = K.abs(input - target)
    if beta == 0:
        return reduced(distance, reduction)
    near = K.square(distance) * (0.5 / beta)
    return reduced(K.where(K.lt(distance, beta), near, distance - 0.5 * beta), reduction)


@composite(
    custom(FLOATING, samples=lambda make: [(make(3, 4), make(3, 4), "sum", 0.7)]), namespace=F
)
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2 / 2 below `delta`, delta (|input - target| - delta / 2) above (1964)."""
    reduction = reduction_of(reduction, None, None)
    _check_sizes(input, target, weight)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    distance = K.abs(input - target)
    far = (distance - 0.5 * delta) * delta
    loss = K.where(K.lt(distance, delta), K.square(distance) * 0.5, far)
    return _weighted(loss, weight, reduction, True)


# -- probabilities ---------------------------------------------------------------------------------


def _binary_samples(make: Any) -> list[Any]:
    unit = {"low": 0.1, "high": 0.9}
    return [
        (make(3, 4, **unit), make(3, 4, **unit)),
        (make(4, **unit), make(4, **unit), make(4, **unit)),
    ]


def _divergence_samples(make: Any) -> list[Any]:
    unit = {"low": 0.1, "high": 0.9}
    return [
        (make(3, 4), make(3, 4, **unit), None, None, "batchmean"),
        (make(3, 4), make(3, 4), None, None, "sum", True),
    ]


@composite(
    pointwise(SAME, FLOATING, domain=(0.1, 0.9), inplace=False),
    grad={
        # The denominator is cut off as the logarithms are, so that certain predictions have one.
        "input": lambda K, g, input, target: (
            g * (input - target) / K.maximum((1 - input) * input, 1e-12)
        ),
        "target": lambda K, g, input: g * (K.log1p(-input) - K.log(input)),
    },
    namespace="_",
)
def binary_cross_entropies(input: Tensor, target: Tensor) -> Tensor:
    """The cross entropy of each pair of probabilities."""
    likely = K.maximum(K.log(input), -100.0)
    unlikely = K.maximum(K.log1p(K.neg(input)), -100.0)
    return (target - 1) * unlikely - target * likely


def _all_in_unit(x: Tensor) -> bool:
    return all_true(K.bitwise_and(K.ge(x, 0), K.le(x, 1)))


@composite(custom(FLOATING, samples=_binary_samples), namespace=F)
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target log input + (1 - target) log(1 - input)), logarithms cut off at -100."""
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if input.dtype is not target.dtype:
        raise RuntimeError(
            f"binary_cross_entropy(): expected target to have the dtype of the input, "
            f"{input.dtype.name}, but got {target.dtype.name}; convert it with target.to(input.dtype)"
        )
    for name, given in (("input", input), ("target", target)):
        if not _all_in_unit(given.detach()):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    return _weighted(K.binary_cross_entropies(input, target), weight, reduction, False)


@composite(custom(FLOATING, samples=_binary_samples), namespace=F)
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input) without overflow; `pos_weight` for positives."""
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    if not target.is_floating_point():
        raise RuntimeError(
            "binary_cross_entropy_with_logits(): expected a floating target, but got "
            f"{target.dtype.name}; convert it with target.to(input.dtype)"
        )
    loss = (1 - target) * input
    log_sigmoid = K.logsigmoid(input)
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    return _weighted(loss - log_sigmoid, weight, reduction, False)


@composite(custom(FLOATING, samples=_divergence_samples), namespace=F)
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log target - input), the input (and with `log_target` the target) in logarithms.

    "batchmean" is the sum divided by the first size.
    """
    if reduction != "batchmean":
        reduction = reduction_of(reduction, size_average, reduce)
    if not target.is_floating_point():
        raise RuntimeError(f"kl_div: expected a floating target, but got {target.dtype}")
    if reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
        )
    if log_target:
        loss = K.exp(target) * (target - input)
    else:
        loss = K.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return K.sum(loss) / input.shape[0] if input.ndim else K.sum(loss)
    return reduced(loss, reduction)


@composite(
    custom(
        REAL_NUMBERS,
        samples=lambda make: [
            (make(3, 4), make(3, 4, low=1.1, high=3), True, True),
            (make(4, low=0.2, high=2), make(4), False),
        ],
    ),
    namespace=F,
)
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target * input, or input - target * log(input + eps).

    `full` adds Stirling's approximation of log(target!) where the target exceeds 1.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if log_input:
        loss = K.exp(input) - target * input
    else:
        loss = input - target * K.log(input + eps)
    if full:
        above = K.gt(target, 1)
        t = K.where(above, target, 1.0)
        stirling = t * K.log(t) - t + K.log(t * (2 * math.pi)) * 0.5
        loss = loss + K.where(above, stirling, 0.0)
    return reduced(loss, reduction)


@composite(
    custom(
        REAL_NUMBERS, samples=lambda make: [(make(3, 4), make(3, 4), make(3, 4, low=0.2, high=2))]
    ),
    namespace=F,
)
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | Number,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log var + (input - target)^2 / var) / 2 with variances of at least `eps`."""
    reduction = reduction_of(reduction, None, None)
    spread = _variances(input, var)
    # The bound is no part of the gradient: below it, var still gets one, as in PyTorch.
    bounded = spread + (K.maximum(spread.detach(), eps) - spread.detach())
    loss = (K.log(bounded) + K.square(input - target) / bounded) * 0.5
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


def _variances(input: Tensor, var: Any) -> Any:
    """The variances as a tensor that broadcasts to the input; ValueError for what cannot be them."""
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        return K.full_like(input, var)
    if var.shape == input.shape[:-1] and var.shape != input.shape:
        var = K.unsqueeze(var, -1)
    elif var.shape not in (input.shape, (*input.shape[:-1], 1)):
        raise ValueError("var is of incorrect size")
    if any_true(K.lt(var.detach(), 0)):
        raise ValueError("var has negative entry/entries")
    return var
