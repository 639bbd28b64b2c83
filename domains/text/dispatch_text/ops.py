"""Operators of language models: rotary positions, masked means, truncated distributions."""

from __future__ import annotations

from typing import Any

import dispatch_core as dc
from dispatch_core.extend import (
    FLOATING,
    NOT_DIFFERENTIABLE,
    K,
    Tensor,
    composite,
    custom,
)

DISPATCH_CORE_API = 1


def _turned(K: Any, x: Any) -> Any:
    """The halves of the last dimension exchanged, the new first one negated."""
    half = x.shape[-1] // 2
    return K.cat([-x[..., half:], x[..., :half]], -1)


def _check_rotary(input: Tensor, cos: Tensor, sin: Tensor) -> None:
    if input.shape[-1] % 2 or cos.shape[-1] != input.shape[-1] or sin.shape != cos.shape:
        raise RuntimeError(
            f"rotary expects an even last dimension, the same in all three; got input "
            f"{tuple(input.shape)}, cos {tuple(cos.shape)}, sin {tuple(sin.shape)}"
        )


def _rotary_samples(make: Any) -> list[tuple[Any, ...]]:
    return [
        (make(2, 3, 4, 6), make(4, 6), make(4, 6)),
        (make(1, 2), make(1, 2), make(1, 2)),
        (make(2, 0, 4), make(0, 4), make(0, 4)),
    ]


@composite(
    custom(FLOATING, samples=_rotary_samples, constant=("cos", "sin")),
    grad={
        # The transpose of the turn is the turn backwards.
        "input": lambda K, g, cos, sin: g * cos - _turned(K, g * sin),
        "cos": NOT_DIFFERENTIABLE,
        "sin": NOT_DIFFERENTIABLE,
    },
    namespace="text",
)
def rotary(input: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs of features turned by angles that grow with the position (Su et al. 2021, RoFormer).

    input (*, L, D) -> (*, L, D); `cos` and `sin` of the angles, (L, D) or broadcast to `input`, are
    constants. Feature i is paired with i + D/2, as in Llama.
    """
    _check_rotary(input, cos, sin)
    return input * cos + _turned(K, input) * sin


def _mask_samples(make: Any) -> list[tuple[Any, ...]]:
    rows = ([[True, True, False], [False, False, False]], [True, False, True])
    masks = [dc.tensor(row, device=make.device) for row in rows]
    return [(make(2, 3, 4), masks[0]), (make(3, 2), masks[1])]


@composite(
    custom(
        FLOATING,
        samples=_mask_samples,
        apart=("mask",),
        truths=("mask",),
    ),
    namespace="text",
)
def masked_mean(input: Tensor, mask: Tensor) -> Tensor:
    """Mean over the second last dimension of what `mask` marks; 0 where it marks nothing.

    input (*, L, D), mask (*, L) of bool -> (*, D).
    """
    weights = mask.unsqueeze(-1).to(input.dtype)
    return (input * weights).sum(-2) / weights.sum(-2).clamp(min=1.0)


def _chances(kept: Any, *args: Any) -> Any:
    """What is left as probabilities: there are no differences of infinite values."""
    return kept(*args).softmax(-1)


@composite(
    custom(FLOATING, tested_as=_chances, samples=lambda make: [(make(2, 7), 3), (make(5), 9)]),
    namespace="text",
)
def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """The `k` largest of the last dimension (and what equals the smallest of them); else -inf."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    least = logits.topk(min(k, logits.shape[-1]), -1)[0][..., -1:]
    return logits.masked_fill(logits < least, -float("inf"))


@composite(
    custom(FLOATING, tested_as=_chances, samples=lambda make: [(make(2, 7), 0.5), (make(5), 1.0)]),
    namespace="text",
)
def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """The fewest most probable elements whose probabilities reach `p`; else -inf.

    Nucleus sampling (Holtzman et al. 2019), over the last dimension; the most probable one stays.
    """
    if not 0.0 < p <= 1.0:
        raise ValueError(f"p must be above 0 and at most 1, got {p}")
    ordered, places = logits.sort(-1, descending=True)
    chances = ordered.softmax(-1)
    before = chances.cumsum(-1) - chances
    dropped = dc.zeros_like(before, dtype=dc.bool).scatter(-1, places, before >= p)
    return logits.masked_fill(dropped, -float("inf"))
