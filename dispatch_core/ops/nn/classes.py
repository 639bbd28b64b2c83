"""Losses of classes: cross-entropy and negative log-likelihood, one operator each way."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import Category, int64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import value_range
from dispatch_core.ops.nn.loss import reduction_of
from dispatch_core.ops.nn.windows import product

F = "nn.functional"


def _class_dim(input: Any) -> int:
    return 1 if len(input.shape) > 1 else 0


def _fitting(input: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The target; raises where input (N, C, *) or (C) and target (N, *), () or (1) do not fit."""
    if not input.ndim:
        raise RuntimeError("Expected input with at least 1 dimension (classes), got 0")
    expected = (*input.shape[:1], *input.shape[2:]) if input.ndim > 1 else ()
    if tuple(target.shape) != expected:
        if input.ndim == target.ndim == 1:
            if target.shape[0] != 1:
                raise ValueError(
                    "For 1D input, 1D target must have size 1, but got target size: "
                    f"{target.shape[0]}"
                )
            return _fitting(input, K.reshape(target, ()), weight)
        if input.ndim > 1 and input.shape[:1] != target.shape[:1]:
            raise ValueError(
                f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
                f"({target.shape[0] if target.ndim else 0})."
            )
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(target.shape)} for input of size "
            f"{list(input.shape)}"
        )
    if target.dtype.category is not Category.INTEGRAL:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype} for the target")
    classes = input.shape[_class_dim(input)]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            "weight tensor should be defined either for all or no classes: expected "
            f"{classes} elements, but got shape {list(weight.shape)}"
        )
    return target


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
    custom(FLOATING, apart=("target",), alike=True, samples=_class_samples),
    grad={
        "input": lambda K, gs, target, weight, ignore_index, reduction, out1: _cross_entropy_input(
            K, gs, out1, target, weight, ignore_index, reduction
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


@composite(custom(FLOATING, apart=("target",), alike=True, samples=_class_samples), namespace="_")
def nll(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """-weight[target] * input[target], reduced; checked arguments."""
    dim = _class_dim(input)
    classes, counts = _class_weights(input, target, weight, ignore_index)
    try:
        picked = K.squeeze(K.gather(input, dim, _per_class(classes, dim)), dim)
    except RuntimeError:
        for found in value_range(classes) or ():
            if not 0 <= found < input.shape[dim]:
                raise IndexError(f"Target {found} is out of bounds.") from None
        raise
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
    reduction = reduction_of(reduction, size_average, reduce)
    target = _fitting(input, target, weight)
    ignore_index = whole("ignore_index", ignore_index)
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
    reduction = reduction_of(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target.dtype.is_floating_point and target.shape == input.shape:
        return _probability_entropy(input, target, weight, reduction, label_smoothing)
    target = _fitting(input, target, weight)
    ignore_index = whole("ignore_index", ignore_index)
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
