"""Losses: what a model's output costs, given the target; `reduction` is "none", "mean" or "sum"."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import int64
from dispatch_core._families.base import FLOATING, INEXACT
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number
from dispatch_core.ops.nn.windows import product

F = "nn.functional"


def _reduction(reduction: str, size_average: Any, reduce: Any) -> str:
    """The reduction, also by the two older arguments; ValueError for an unknown one."""
    if size_average is not None or reduce is not None:
        if reduce is False:
            reduction = "none"
        else:
            reduction = "sum" if size_average is False else "mean"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=4,
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


def _warn_broadcast(input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please "
            "ensure they have the same size.",
            stacklevel=5,
        )


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str, of_weights: bool) -> Tensor:
    """The loss times a weight, reduced; the mean is by the sum of the weights, if `of_weights`."""
    if weight is None:
        return reduced(loss, reduction)
    loss = loss * weight
    if reduction == "mean" and of_weights:
        return K.sum(loss) / K.sum(K.expand(weight, loss.shape))
    return reduced(loss, reduction)


@composite(custom(INEXACT, samples=_pair_samples), namespace=F)
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2."""
    reduction = _reduction(reduction, size_average, reduce)
    _warn_broadcast(input, target)
    return _weighted(K.square(input - target), weight, reduction, True)


@composite(custom(INEXACT, samples=_pair_samples), namespace=F)
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|."""
    reduction = _reduction(reduction, size_average, reduce)
    _warn_broadcast(input, target)
    return _weighted(K.abs(input - target), weight, reduction, True)


@composite(custom(FLOATING, samples=_pair_samples), namespace=F)
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """(input - target)^2 / (2 beta) below `beta`, |input - target| - beta / 2 above."""
    reduction = _reduction(reduction, size_average, reduce)
    _warn_broadcast(input, target)
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
    reduction = _reduction(reduction, None, None)
    _warn_broadcast(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    distance = K.abs(input - target)
    far = (distance - 0.5 * delta) * delta
    loss = K.where(K.lt(distance, delta), K.square(distance) * 0.5, far)
    return _weighted(loss, weight, reduction, True)


# -- classes ---------------------------------------------------------------------------------------


def _class_dim(input: Any) -> int:
    return 1 if len(input.shape) > 1 else 0


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Raise where input (N, C, *) or (C) and target (N, *) or () do not fit."""
    if not input.ndim:
        raise RuntimeError("Expected input with at least 1 dimension (classes), got 0")
    expected = (*input.shape[:1], *input.shape[2:]) if input.ndim > 1 else ()
    if tuple(target.shape) != expected:
        if input.ndim > 1 and target.ndim and input.shape[0] != target.shape[0]:
            raise ValueError(
                f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
                f"({target.shape[0]})."
            )
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(target.shape)} for input of size "
            f"{list(input.shape)}"
        )
    if target.dtype.is_floating_point or target.dtype.name == "bool":
        raise RuntimeError(f"expected scalar type Long but found {target.dtype} for the target")
    classes = input.shape[_class_dim(input)]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            "weight tensor should be defined either for all or no classes: expected "
            f"{classes} elements, but got shape {list(weight.shape)}"
        )


def _class_weights(like: Tensor, target: Tensor, weight: Any, ignore_index: int) -> Any:
    """Each target's class, 0 where it is ignored, and what it counts (None: 1, nothing ignored)."""
    kept = K.ne(target, ignore_index)
    classes = K.where(kept, target, 0)
    counts = K.cast(kept, like.dtype)
    if weight is not None:
        picked = K.index_select(weight, 0, K.reshape(classes, (-1,)))
        counts = counts * K.reshape(picked, classes.shape)
    return classes, counts


def _per_class(target: Tensor, dim: int) -> Tensor:
    return K.unsqueeze(K.cast(target, int64), dim)


def _class_samples(make: Any) -> list[Any]:
    def classes(*shape: int) -> Any:
        return make(*shape, low=0, high=3, integer=True)

    return [
        (make(4, 3), classes(4), None, -100, "mean"),
        (make(2, 3, 2), classes(2, 2), make(3, low=0.2, high=2), 1, "mean"),
        (make(4, 3), classes(4), make(3, low=0.2, high=2), 0, "none"),
        (make(3), classes(), None, -100, "sum"),
    ]


@composite(
    custom(FLOATING, apart=("target",), samples=_class_samples),
    grad={
        "input": lambda K, gs, target, weight, ignore_index, reduction, outs: _cross_entropy_input(
            K, gs, outs[1], target, weight, ignore_index, reduction
        ),
        "target": NOT_DIFFERENTIABLE,
        "weight": NOT_DIFFERENTIABLE,
    },
    outputs=2,
    namespace="_",
)
def cross_entropy_classes(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Any:
    """`nll_loss` of the log-softmax of (N, C, *) or (C), and that log-softmax."""
    log_probs = K.log_softmax(input, _class_dim(input))
    return K.nll(log_probs, target, weight, ignore_index, reduction), log_probs


def _cross_entropy_input(
    K: Any, gs: Any, log_probs: Any, target: Any, weight: Any, ignore_index: int, reduction: str
) -> Any:
    """The log-softmax counts as a variable of its own, which matters from the second order on."""
    dim = _class_dim(log_probs)
    found = None if gs[1] is None else K.log_softmax_backward(gs[1], log_probs, dim)
    if gs[0] is None:
        return found
    main = K.cross_entropy_backward(gs[0], log_probs, target, weight, ignore_index, reduction)
    return main if found is None else main + found


@composite(
    custom(
        FLOATING,
        apart=("target",),
        samples=lambda make: [
            (
                make(),
                K.log_softmax(make(4, 3), 1),
                make(4, low=0, high=3, integer=True),
                None,
                -100,
                "mean",
            ),
            (
                make(4),
                K.log_softmax(make(4, 3), 1),
                make(4, low=0, high=3, integer=True),
                None,
                1,
                "none",
            ),
        ],
    ),
    namespace="_",
)
def cross_entropy_backward(
    grad: Tensor,
    log_probs: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    """The gradient of `cross_entropy_classes` for its input: (softmax - one-hot) * share."""
    dim = _class_dim(log_probs)
    classes, counts = _class_weights(log_probs, target, weight, ignore_index)
    share = counts * grad
    if reduction == "mean":
        share = share / K.sum(counts)
    probs = K.exp(log_probs)
    ones = K.new_ones(probs, K.unsqueeze(classes, dim).shape)
    return K.scatter_add(probs, dim, _per_class(classes, dim), -ones) * K.unsqueeze(share, dim)


@composite(custom(FLOATING, apart=("target",), samples=_class_samples), namespace="_")
def nll(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """-weight[target] * input[target], reduced; checked arguments."""
    dim = _class_dim(input)
    classes, counts = _class_weights(input, target, weight, ignore_index)
    picked = K.squeeze(K.gather(input, dim, _per_class(classes, dim)), dim)
    loss = -K.where(K.eq(counts, 0), 0.0, picked * counts)
    if reduction == "mean":
        return K.sum(loss) / K.sum(counts)
    return K.sum(loss) if reduction == "sum" else loss


def _public_class_samples(make: Any) -> list[Any]:
    x, target = make(4, 3), make(4, low=0, high=3, integer=True)
    plane = make(2, 2, low=0, high=3, integer=True)
    weight = make(3, low=0.5, high=2)
    return [
        (x, target),
        (x, target, weight, {"reduction": "sum"}),
        (x, target, {"ignore_index": 1, "reduction": "none"}),
        (make(2, 3, 2), plane, weight),
        (make(3), make(low=0, high=3, integer=True)),
    ]


@composite(
    custom(FLOATING, apart=("target",), constant=("weight",), samples=_public_class_samples),
    namespace=F,
)
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """-weight[target] * input[target] of log-probabilities (N, C, *) and classes (N, *).

    "mean" divides by the sum of the targets' weights; targets equal to `ignore_index` do not count.
    """
    reduction = _reduction(reduction, size_average, reduce)
    _check_classes(input, target, weight)
    return K.nll(input, target, weight, ignore_index, reduction)


def _smoothed_samples(make: Any) -> list[Any]:
    x, target = make(4, 3), make(4, low=0, high=3, integer=True)
    probabilities = K.softmax(make(4, 3), 1)
    return [
        *_public_class_samples(make),
        (x, target, {"label_smoothing": 0.2}),
        (x, probabilities),
        (x, probabilities, make(3, low=0.5, high=2), {"label_smoothing": 0.1}),
    ]


@composite(
    custom(FLOATING, apart=("target",), constant=("weight",), samples=_smoothed_samples),
    namespace=F,
)
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """`nll_loss` of the log-softmax of scores (N, C, *) and classes (N, *), or probabilities.

    Probabilities have the input's shape. `label_smoothing` mixes the target with the uniform
    distribution.
    """
    reduction = _reduction(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target.dtype.is_floating_point and target.shape == input.shape:
        return _probability_entropy(input, target, weight, reduction, label_smoothing)
    _check_classes(input, target, weight)
    if label_smoothing == 0:
        return K.cross_entropy_classes(input, target, weight, ignore_index, reduction)[0]
    return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)


def _smoothed(
    input: Tensor, target: Tensor, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """The cross-entropy of classes mixed with that of the uniform distribution."""
    dim = _class_dim(input)
    log_probs = K.log_softmax(input, dim)
    sharp = K.nll(log_probs, target, weight, ignore_index, reduction)
    if weight is not None:
        log_probs = log_probs * _over_classes(weight, input)
    _, kept = _class_weights(input, target, None, ignore_index)
    flat = -K.sum(log_probs, dim) * kept
    if reduction != "none":
        flat = K.sum(flat)
    if reduction == "mean":
        flat = flat / K.sum(_class_weights(input, target, weight, ignore_index)[1])
    return sharp * (1 - smoothing) + flat * (smoothing / input.shape[dim])


def _over_classes(weight: Tensor, input: Tensor) -> Tensor:
    dim = _class_dim(input)
    return K.reshape(weight, (-1,) + (1,) * (input.ndim - 1 - dim))


def _probability_entropy(
    input: Tensor, target: Tensor, weight: Any, reduction: str, smoothing: float
) -> Tensor:
    dim = _class_dim(input)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[dim]
    log_probs = K.log_softmax(input, dim)
    if weight is not None:
        log_probs = log_probs * _over_classes(weight, input)
    loss = -K.sum(log_probs * target, dim)
    if reduction == "mean":
        return K.sum(loss) / max(product(input.shape) // input.shape[dim], 1)
    return K.sum(loss) if reduction == "sum" else loss


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
    reduction = _reduction(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    detached = input.detach()
    if detached.numel() and not (K.amin(detached) >= 0 and K.amax(detached) <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1")
    likely = K.maximum(K.log(input), -100.0)
    unlikely = K.maximum(K.log1p(-input), -100.0)
    loss = (target - 1) * unlikely - target * likely
    return _weighted(loss, weight, reduction, False)


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
    reduction = _reduction(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
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
        reduction = _reduction(reduction, size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=4,
        )
    if log_target:
        loss = K.exp(target) * (target - input)
    else:
        positive = K.gt(target, 0)
        logs = K.where(positive, K.log(K.where(positive, target, 1.0)), 0.0)
        loss = target * (logs - input)
    if reduction == "batchmean":
        return K.sum(loss) / input.shape[0] if input.ndim else K.sum(loss)
    return reduced(loss, reduction)


@composite(
    custom(
        FLOATING,
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
    reduction = _reduction(reduction, size_average, reduce)
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
    custom(FLOATING, samples=lambda make: [(make(3, 4), make(3, 4), make(3, 4, low=0.2, high=2))]),
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
    reduction = _reduction(reduction, None, None)
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
    if var.numel() and K.amin(var.detach()) < 0:
        raise ValueError("var has negative entry/entries")
    return var


# -- margins ---------------------------------------------------------------------------------------


def _hinge(x: Tensor) -> Any:
    return K.relu(x)


def _signs(make: Any, *shape: int) -> Any:
    """1 and -1, as the margin losses take them for targets."""
    return K.cast_like(K.sgn(make(*shape, boolean=True) * 2 - 1), make())


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(3, 4), _signs(make, 3, 4)),
            (make(4), _signs(make, 4), 0.5, {"reduction": "sum"}),
        ],
    ),
    namespace=F,
)
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """input where the target is 1, max(0, margin - input) where it is -1."""
    reduction = _reduction(reduction, size_average, reduce)
    near = K.where(K.eq(target, -1), 0.0, input)
    far = K.where(K.eq(target, 1), 0.0, _hinge(margin - input))
    return reduced(near + far, reduction)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(4), make(4), _signs(make, 4)),
            (make(3, 4), make(3, 4), _signs(make, 3, 4), 0.5, {"reduction": "none"}),
        ],
    ),
    namespace=F,
)
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target (input1 - input2) + margin), the target 1 or -1."""
    reduction = _reduction(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {list(input1.shape)}, input2: {list(input2.shape)}, target: "
            f"{list(target.shape)} "
        )
    return reduced(_hinge(-target * (input1 - input2) + margin), reduction)


@composite(
    custom(
        FLOATING,
        apart=("target",),
        samples=lambda make: [
            (make(4, 3), make(4, 3), _signs(make, 4)),
            (make(4, 3), make(4, 3), _signs(make, 4), 0.1, {"reduction": "sum"}),
        ],
    ),
    namespace=F,
)
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1: (N, D), (N, D), (N)."""
    reduction = _reduction(reduction, size_average, reduce)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found "
            "inputs "
            f"with sizes {list(input1.shape)} and {list(input2.shape)}."
        )
    dot = K.sum(input1 * input2, -1)
    scale = (K.sum(K.square(input1), -1) + 1e-12) * (K.sum(K.square(input2), -1) + 1e-12)
    cos = dot / K.sqrt(scale)
    near = K.where(K.eq(target, 1), 1 - cos, 0.0)
    far = K.where(K.eq(target, -1), _hinge(cos - margin), 0.0)
    return reduced(near + far, reduction)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(3, 4), _signs(make, 3, 4)),
            (make(4), _signs(make, 4), {"reduction": "none"}),
        ],
    ),
    namespace=F,
)
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * input)), the target 1 or -1."""
    reduction = _reduction(reduction, size_average, reduce)
    return reduced(-K.logsigmoid(target * input), reduction)


@composite(
    custom(
        FLOATING,
        apart=("target",),
        samples=lambda make: [
            (make(4, 3), make(4, low=0, high=3, integer=True)),
            (make(4, 3), make(4, low=0, high=3, integer=True), 2, 0.7, make(3, low=0.5, high=2)),
            (make(3), make(low=0, high=3, integer=True), {"reduction": "sum"}),
        ],
    ),
    namespace=F,
)
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over other classes of max(0, margin - input[target] + input)^p / C."""
    reduction = _reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    if input.ndim == 1:
        input, target = K.unsqueeze(input, 0), K.reshape(target, (1,))
    at = K.unsqueeze(target, 1)
    slack = _hinge(margin - K.gather(input, 1, at) + input)
    if p == 2:
        slack = K.square(slack)
    if weight is not None:
        slack = slack * K.unsqueeze(K.index_select(weight, 0, target), 1)
    others = K.ne(K.storage_index(target, input.shape[1]), at)
    loss = K.sum(K.where(others, slack, 0.0), 1) / input.shape[1]
    return reduced(loss, reduction)


@composite(
    custom(
        FLOATING,
        apart=("target",),
        samples=lambda make: [
            (make(2, 4), make(2, 4, low=-1, high=4, integer=True)),
            (make(4), make(4, low=-1, high=4, integer=True), {"reduction": "sum"}),
        ],
    ),
    namespace=F,
)
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, 1 - input[true] + input[other]) / C over all pairs; the target lists the true classes.

    The list (N, C) or (C) ends with the first -1.
    """
    reduction = _reduction(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    listed = K.eq(K.cumsum(K.cast(K.lt(target, 0), int64), -1), 0)
    classes = K.where(listed, target, 0)
    count = input.shape[-1]
    numbers = K.storage_index(target, count)
    hits = K.bitwise_and(K.eq(K.unsqueeze(classes, -1), numbers), K.unsqueeze(listed, -1))
    is_true = K.any(hits, -2)
    margins = 1 - K.unsqueeze(K.gather(input, -1, classes), -1) + K.unsqueeze(input, -2)
    counted = K.bitwise_and(K.unsqueeze(listed, -1), K.unsqueeze(K.bitwise_not(is_true), -2))
    loss = K.sum(K.where(counted, _hinge(margins), 0.0), (-2, -1)) / count
    return reduced(loss, reduction)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(3, 4), make(3, 4, low=0, high=1)),
            (
                make(3, 4),
                make(3, 4, low=0, high=1),
                make(4, low=0.5, high=2),
                {"reduction": "none"},
            ),
        ],
    ),
    namespace=F,
)
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes of the binary cross-entropy of scores; input and target (N, C)."""
    reduction = _reduction(reduction, size_average, reduce)
    loss = -(target * K.logsigmoid(input) + (1 - target) * K.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(K.sum(loss, -1) / input.shape[-1], reduction)


def _triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, distance: Callable[..., Any],
    margin: float, swap: bool, reduction: str,
) -> Tensor:  # fmt: skip
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = K.minimum(far, distance(positive, negative))
    return reduced(_hinge(near - far + margin), reduction)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(3, 4), make(3, 4), make(3, 4)),
            (make(3, 4), make(3, 4), make(3, 4), 2.0, 1, {"swap": True, "reduction": "sum"}),
        ],
    ),
    namespace=F,
)
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, |anchor - positive|_p - |anchor - negative|_p + margin): all (N, D) or (D)."""
    reduction = _reduction(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _triplet(
        anchor,
        positive,
        negative,
        lambda x, y: K.pairwise_distance(x, y, p, eps),
        margin,
        swap,
        reduction,
    )


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(3, 4), make(3, 4), make(3, 4)),
            (
                make(3, 4),
                make(3, 4),
                make(3, 4),
                {"swap": True, "margin": 2.0, "reduction": "none"},
            ),
        ],
    ),
    namespace=F,
)
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with any distance function, `pairwise_distance` unless given."""
    reduction = _reduction(reduction, None, None)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or K.pairwise_distance
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


# -- connectionist temporal classification ---------------------------------------------------------


def _ctc_samples(make: Any) -> list[Any]:
    scores = K.log_softmax(make(6, 2, 4), 2)
    targets = make(2, 3, low=1, high=4, integer=True)
    return [
        (scores, targets, [6, 5], [3, 2]),
        (scores, targets, [6, 6], [2, 1], 0, "sum"),
        (scores, targets, [6, 5], [2, 2], {"reduction": "none", "zero_infinity": True}),
    ]


@composite(
    custom(FLOATING, apart=("targets", "input_lengths", "target_lengths"), samples=_ctc_samples),
    aliases=("nn.functional.ctc_loss",),
    method=False,
)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Minus the log-probability that (T, N, C) spells the targets (Graves et al. 2006).

    Targets (N, S) or their concatenation, lengths (N) or sequences of ints. "mean" divides each
    loss by its target's length. `zero_infinity` gives 0 for targets longer than their input can
    spell.
    """
    reduction = _reduction(reduction, None, None)
    batched = log_probs.ndim == 3
    if not batched:
        log_probs, targets = K.unsqueeze(log_probs, 1), K.reshape(targets, (1, -1))
    spans = [_as_ints(lengths) for lengths in (input_lengths, target_lengths)]
    _check_lengths(log_probs, targets, spans, blank)
    labels = _padded_labels(targets, spans[1], blank)
    loss = _spelling_loss(log_probs, labels, spans, blank)
    if zero_infinity:
        loss = K.where(K.isinf(loss), 0.0, loss)
    if reduction == "mean":
        lengths = [float(max(n, 1)) for n in spans[1]]
        loss = K.mean(loss / _numbers(log_probs, lengths))
    elif reduction == "sum":
        loss = K.sum(loss)
    elif not batched:
        loss = K.squeeze(loss, 0)
    return loss


def _as_ints(lengths: Any) -> list[int]:
    if isinstance(lengths, Tensor):
        lengths = lengths.tolist()
    return [int(n) for n in lengths] if isinstance(lengths, (tuple, list)) else [int(lengths)]


def _numbers(like: Tensor, values: list[float]) -> Any:
    """Python numbers as a vector of the dtype and on the device of a tensor."""
    return K.stack([K.new_full(like, (), value) for value in values])


def _check_lengths(log_probs: Tensor, targets: Tensor, spans: Any, blank: int) -> None:
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, found in zip(("input_lengths", "target_lengths"), spans, strict=True):
        if len(found) != batch:
            raise RuntimeError(
                f"{name} must be of size batch_size: got {len(found)}, expected {batch}"
            )
    if max(spans[0], default=0) > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {max(spans[0])}"
        )
    if targets.ndim == 2 and max(spans[1], default=0) > targets.shape[1]:
        raise RuntimeError(
            f"Expected tensor to have size at least {max(spans[1])} at dimension 1, but got size "
            f"{list(targets.shape)}"
        )


def _padded_labels(targets: Tensor, lengths: list[int], blank: int) -> Any:
    """The targets with blanks between and around, (N, 2 S + 1)."""
    longest = max(lengths, default=0)
    rows, begin = [], 0
    for n, length in enumerate(lengths):
        row = K.select(targets, 0, n) if targets.ndim == 2 else targets
        row = K.narrow(row, 0, 0 if targets.ndim == 2 else begin, length)
        begin += length
        rows.append(K.pad(row, (0, longest - length), "constant", blank))
    table = K.cast(K.stack(rows), int64)
    between = K.stack([K.full_like(table, blank), table], -1)
    return K.pad(K.reshape(between, (len(lengths), 2 * longest)), (0, 1), "constant", blank)


def _spelling_loss(log_probs: Tensor, labels: Tensor, spans: Any, blank: int) -> Any:
    """The forward recursion in logarithms over all time steps, for the whole batch at once.

    alpha[s] is the log-probability of having spelt labels[: s + 1]; a step stays, goes on by one
    label, or skips a blank between two different labels.
    """
    steps, batch, _ = log_probs.shape
    width = labels.shape[1]
    scores = K.gather(log_probs, 2, K.expand(K.unsqueeze(labels, 0), (steps, batch, width)))
    numbers = K.storage_index(labels, width)
    before_last = K.pad(labels, (2, 0), "constant", blank)
    before_last = K.narrow(before_last, 1, 0, width)
    skips = K.bitwise_and(K.ne(labels, blank), K.ne(labels, before_last))
    skips = K.bitwise_and(skips, K.ge(numbers, 2))
    alpha = K.where(K.lt(numbers, 2), K.select(scores, 0, 0), -math.inf)
    states = [alpha]
    for t in range(1, steps):
        by_one = K.narrow(K.pad(alpha, (1, 0), "constant", -math.inf), 1, 0, width)
        by_two = K.narrow(K.pad(alpha, (2, 0), "constant", -math.inf), 1, 0, width)
        ways = K.stack([alpha, by_one, K.where(skips, by_two, -math.inf)])
        alpha = K.logsumexp(ways, 0) + K.select(scores, 0, t)
        states.append(alpha)
    losses = []
    for n, (length, spelt) in enumerate(zip(*spans, strict=True)):
        if length == 0:
            losses.append(K.new_full(log_probs, (), 0.0 if spelt == 0 else math.inf))
            continue
        last = K.select(states[length - 1], 0, n)
        losses.append(-K.logsumexp(K.narrow(last, 0, max(2 * spelt - 1, 0), 2 if spelt else 1), 0))
    return K.stack(losses)
