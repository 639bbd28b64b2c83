"""Losses with a margin: what is right by more than it costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._dtypes import int64
from dispatch_core._families.base import FLOATING, NUMBERS, REAL, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import value_range
from dispatch_core.ops.nn.loss import reduced, reduction_of

F = "nn.functional"


def _hinge(x: Tensor) -> Any:
    return K.relu(x)


def _signs(make: Any, *shape: int) -> Any:
    """1 and -1, as the margin losses take them for targets."""
    return K.cast_like(K.sgn(make(*shape, boolean=True) * 2 - 1), make())


@composite(
    custom(
        REAL_NUMBERS,
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
    reduction = reduction_of(reduction, size_average, reduce)
    near = K.where(K.eq(target, -1), 0.0, input)
    far = K.where(K.eq(target, 1), 0.0, _hinge(margin - input))
    return reduced(near + far, reduction)


@composite(
    custom(
        REAL_NUMBERS,
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
    reduction = reduction_of(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {list(input1.shape)}, input2: {list(input2.shape)}, target: "
            f"{list(target.shape)} "
        )
    return reduced(_hinge(-target * (input1 - input2) + float(margin)), reduction)


@composite(
    custom(
        REAL,
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
    reduction = reduction_of(reduction, size_average, reduce)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.ndim == input2.ndim == target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found "
            f"inputs with sizes {list(input1.shape)} and {list(input2.shape)}."
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
    reduction = reduction_of(reduction, size_average, reduce)
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
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    if input.ndim == 1:
        input, target = K.unsqueeze(input, 0), K.reshape(target, (1,))
    if target.shape != input.shape[:1]:
        raise RuntimeError(
            f"multi_margin_loss(): expected one target for each of {input.shape[0]} samples, but got "
            f"target of shape {list(target.shape)}"
        )
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
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    low, high = value_range(target) or (0, 0)
    if low < -1 or high >= input.shape[-1] > 0:
        raise RuntimeError(
            f"multilabel_margin_loss(): target is out of range: expected classes from 0 to "
            f"{input.shape[-1] - 1}, or -1, but got {low if low < -1 else high}"
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
    reduction = reduction_of(reduction, size_average, reduce)
    loss = -(target * K.logsigmoid(input) + (1 - target) * K.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(K.sum(loss, -1) / input.shape[-1], reduction)


def _triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, distance: Callable[..., Any],
    margin: float, swap: bool, reduction: str,
) -> Tensor:  # fmt: skip
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got {anchor.ndim}, {positive.ndim} and {negative.ndim}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = K.minimum(far, distance(positive, negative))
    return reduced(_hinge(near - far + margin), reduction)


@composite(
    custom(
        NUMBERS,
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
    reduction = reduction_of(reduction, size_average, reduce)
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
        NUMBERS,
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
    reduction = reduction_of(reduction, None, None)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or K.pairwise_distance
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)
