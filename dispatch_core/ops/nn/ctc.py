"""Connectionist temporal classification: the loss of a spelling whose timing is not known."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import Category, int64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._families.reduction import reduction
from dispatch_core._op import K, composite
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.loss import reduction_of


def _ctc_samples(make: Any) -> list[Any]:
    scores = K.log_softmax(make(4, 2, 3), 2)
    targets = make(2, 2, low=1, high=3, integer=True)
    return [
        (scores, targets, [4, 3], [2, 1]),
        (scores, targets, [4, 4], [1, 1], 0, "sum"),
        (scores, targets, [4, 3], [1, 1], {"reduction": "none", "zero_infinity": True}),
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
    reduction = reduction_of(reduction, None, None)
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(
            f"ctc_loss: expected log_probs of 2 or 3 dimensions, but got {log_probs.ndim}"
        )
    batched = log_probs.ndim == 3
    if not batched:
        log_probs, targets = K.unsqueeze(log_probs, 1), K.reshape(targets, (1, -1))
    spans = [
        _as_ints(name, lengths)
        for name, lengths in (("input", input_lengths), ("target", target_lengths))
    ]
    blank = whole("blank", blank)
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


def _as_ints(name: str, lengths: Any) -> list[int]:
    if isinstance(lengths, Tensor):
        if lengths.dtype.category is not Category.INTEGRAL:
            raise RuntimeError(f"{name}_lengths must be integral, but got {lengths.dtype.name}")
        if lengths.ndim > 1:
            raise RuntimeError(
                f"{name}_lengths must be of size batch_size, but got shape {list(lengths.shape)}"
            )
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
        if min(found, default=0) < 0:
            raise RuntimeError(
                f"Expected {name} to have value at least 0, but got value {min(found)}"
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


@composite(
    reduction(FLOATING, samples=lambda make: [(make(3, 4), 0), (make(3), 0)]),
    grad={
        "input": lambda K, g, input, out, dim: (
            K.unsqueeze(g, dim) * K.exp(input - K.unsqueeze(K.where(K.isinf(out), 0.0, out), dim))
        )
    },
    namespace="_",
)
def log_total(input: Tensor, dim: int) -> Tensor:
    """`logsumexp`, but what has no way of being reached, -inf, has the gradient 0 and not NaN."""
    return K.logsumexp(input, dim, False)


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
        alpha = K.log_total(ways, 0) + K.select(scores, 0, t)
        states.append(alpha)
    losses = []
    for n, (length, spelt) in enumerate(zip(*spans, strict=True)):
        if length == 0:
            losses.append(K.new_full(log_probs, (), 0.0 if spelt == 0 else math.inf))
            continue
        last = K.select(states[length - 1], 0, n)
        losses.append(-K.log_total(K.narrow(last, 0, max(2 * spelt - 1, 0), 2 if spelt else 1), 0))
    return K.stack(losses)
