"""Samples of losses and distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.oracle.calls import Call, Maker, Named, call
from tests.oracle.samples.unary import Samples

REDUCTIONS = ("none", "mean", "sum")


def _reduced(arguments: Callable[[Maker], tuple[Any, ...]], *options: dict[str, Any]) -> Samples:
    """Each reduction; then each set of options with each reduction."""
    return lambda m: [
        call(*arguments(m)),
        *(call(*arguments(m), reduction=r) for r in REDUCTIONS),
        *(call(*arguments(m), **o, reduction=r) for o in options for r in ("none", "mean")),
    ]


def _signs(m: Maker, *shape: int) -> Any:
    return m.of(2 * m.bool(*shape).values.astype(int) - 1)


def _pair(m: Maker) -> tuple[Any, ...]:
    return m(3, 4), m(3, 4)


def _probabilities(m: Maker) -> tuple[Any, ...]:
    return m(3, 4, low=0.05, high=0.95), m(3, 4, low=0.05, high=0.95)


def _classes(m: Maker) -> tuple[Any, ...]:
    return m(5, 4), m.of([0, 3, 1, 2, 1], "int64")


def _triplet(m: Maker) -> tuple[Any, ...]:
    return m(5, 4), m(5, 4), m(5, 4)


def _cross_entropy(m: Maker) -> list[Call]:
    target = m.of([0, 3, 1, 2, 1], "int64")
    images = m.of([[[0, 1], [2, 2]], [[1, 1], [0, 2]]], "int64")
    return [
        *_reduced(_classes, {"label_smoothing": 0.2}, {"ignore_index": 1})(m),
        call(m(5, 4), target, m.positive(4)),
        call(m(5, 4), target, weight=m.positive(4), label_smoothing=0.1, ignore_index=3),
        call(m(2, 3, 2, 2), images),
        call(m(4), m.of(2, "int64")),
        call(m(5, 4), m(5, 4, low=0, high=1)),
        call(m(5, 4), m(5, 4, low=0, high=1), weight=m.positive(4), label_smoothing=0.3),
        call(m(2, 3, 2), m(2, 3, 2, low=0, high=1), reduction="none"),
    ]


def _nll_loss(m: Maker) -> list[Call]:
    images = m.of([[[0, 1], [2, 2]], [[1, 1], [0, 2]]], "int64")
    return [
        *_reduced(_classes, {"ignore_index": 1})(m),
        call(*_classes(m), weight=m.positive(4)),
        call(m(2, 3, 2, 2), images, m.positive(3)),
        call(m(4), m.of(2, "int64")),
        call(m(2, 3, 2, 2), images, reduction="none", ignore_index=2),
    ]


def _ctc_loss(m: Maker) -> list[Call]:
    targets = m.of([[1, 2, 2], [3, 1, 1]], "int64")
    lengths = m.of([6, 5], "int64"), m.of([3, 2], "int64")
    logs = m(6, 2, 4)
    logs = m.of(logs.values - np_logsumexp(logs.values))
    return [
        *(call(logs, targets, *lengths, reduction=r) for r in REDUCTIONS),
        call(logs, targets, (6, 6), (2, 3), blank=0, zero_infinity=True),
        call(logs, m.of([1, 2, 2, 3, 1], "int64"), *lengths),
    ]


def np_logsumexp(values: Any) -> Any:
    """log sum exp over the last axis, kept."""
    import numpy as np

    return np.log(np.exp(values.real.astype("float64")).sum(-1, keepdims=True))


def _bce(m: Maker) -> list[Call]:
    return [
        *_reduced(_probabilities)(m),
        call(*_probabilities(m), weight=m.positive(4)),
        call(m(low=0.1, high=0.9), m(low=0.1, high=0.9)),
    ]


def _bce_logits(m: Maker) -> list[Call]:
    def arguments(m: Maker) -> tuple[Any, ...]:
        return m(3, 4), m(3, 4, low=0, high=1)

    return [
        *_reduced(arguments)(m),
        call(*arguments(m), weight=m.positive(4)),
        call(*arguments(m), pos_weight=m.positive(4), reduction="none"),
        call(*arguments(m), m.positive(3, 1), None, None, "sum", m.positive(4)),
    ]


def _gaussian(m: Maker) -> list[Call]:
    def arguments(m: Maker) -> tuple[Any, ...]:
        return m(3, 4), m(3, 4), m.positive(3, 4)

    return [
        *_reduced(arguments, {"full": True}, {"eps": 0.5})(m),
        call(m(3, 4), m(3, 4), m.positive(3, 1)),
        call(m(3, 4), m(3, 4), m.positive(3)),
        call(m(3, 4), m(3, 4), 2.0),
    ]


def _kl_div(m: Maker) -> list[Call]:
    return [
        *_reduced(_probabilities, {"log_target": True})(m),
        call(*_probabilities(m), reduction="batchmean"),
    ]


def _linear_cross_entropy(m: Maker) -> list[Call]:
    target = m.of([0, 3, 1], "int64")
    return [
        call(m(3, 5), m(4, 5), target),
        call(m(3, 5), m(4, 5), target, reduction="sum"),
        call(m(3, 5), m(4, 5), target, linear_bias=m(4)),
        call(m(3, 5), m(4, 5), target, label_smoothing=0.1, ignore_index=3),
    ]


def _multi_margin(m: Maker) -> list[Call]:
    return [
        *_reduced(_classes, {"p": 2}, {"margin": 0.5})(m),
        call(*_classes(m), weight=m.positive(4)),
        call(m(4), m.of(2, "int64")),
    ]


def _multilabel(m: Maker) -> tuple[Any, ...]:
    return m(2, 4), m.of([[3, 0, -1, 1], [1, -1, 0, 2]], "int64")


def _soft_margin(m: Maker) -> list[Call]:
    return _reduced(lambda m: (m(3, 4), _signs(m, 3, 4)))(m)


def _huber(name: str) -> Samples:
    return lambda m: [
        *_reduced(_pair, {name: 0.5})(m),
        *([call(*_pair(m), beta=0.0)] if name == "beta" else []),
    ]


SAMPLES: dict[str, Samples] = {
    "binary_cross_entropy": _bce,
    "binary_cross_entropy_with_logits": _bce_logits,
    "cosine_embedding_loss": lambda m: [
        *_reduced(lambda m: (m(5, 4), m(5, 4), _signs(m, 5)), {"margin": 0.3})(m),
        call(m(4), m(4), m.of(1)),
    ],
    "cross_entropy": _cross_entropy,
    "ctc_loss": _ctc_loss,
    "gaussian_nll_loss": _gaussian,
    "hinge_embedding_loss": _reduced(lambda m: (m(3, 4), _signs(m, 3, 4)), {"margin": 0.5}),
    "huber_loss": _huber("delta"),
    "kl_div": _kl_div,
    "l1_loss": _reduced(_pair),
    "linear_cross_entropy": _linear_cross_entropy,
    "margin_ranking_loss": _reduced(lambda m: (m(5), m(5), _signs(m, 5)), {"margin": 0.5}),
    "mse_loss": lambda m: [*_reduced(_pair)(m), call(m(3, 4), m(3, 4), weight=m.positive(3, 4))],
    "multi_margin_loss": _multi_margin,
    "multilabel_margin_loss": lambda m: [
        *_reduced(_multilabel)(m),
        call(m(4), m.of([3, 0, -1, 1], "int64")),
    ],
    "multilabel_soft_margin_loss": lambda m: [
        *_reduced(lambda m: (m(3, 4), m(3, 4, low=0, high=1)))(m),
        call(m(3, 4), m(3, 4, low=0, high=1), weight=m.positive(4)),
    ],
    "nll_loss": _nll_loss,
    "poisson_nll_loss": lambda m: _reduced(
        lambda m: (m.positive(3, 4), m.positive(3, 4)),
        {"log_input": False},
        {"full": True},
        {"log_input": False, "eps": 0.1},
    )(m),
    "smooth_l1_loss": _huber("beta"),
    "soft_margin_loss": _soft_margin,
    "triplet_margin_loss": _reduced(
        _triplet, {"margin": 2.0}, {"swap": True}, {"p": 1}, {"eps": 0.1}
    ),
    "triplet_margin_with_distance_loss": lambda m: [
        *_reduced(_triplet, {"margin": 2.0}, {"swap": True})(m),
        call(*_triplet(m), distance_function=Named("nn.functional.cosine_similarity")),
    ],
    "cosine_similarity": lambda m: [
        call(m(3, 4), m(3, 4)),
        call(m(3, 4), m(3, 4), 0),
        call(m(2, 3, 4), m(3, 4), dim=-1, eps=0.5),
        call(m(4), m(1), dim=0),
    ],
    "pairwise_distance": lambda m: [
        call(m(3, 4), m(3, 4)),
        call(m(3, 4), m(1, 4), 1.0),
        call(m(4), m(4), p=3.0, eps=1e-3),
        call(m(3, 4), m(3, 4), 2.0, 1e-6, True),
        call(m(3, 4), m(3, 4), p=float("inf")),
    ],
    "pdist": lambda m: [
        call(m(4, 3)),
        call(m(4, 3), 1.0),
        call(m(4, 3), p=3.0),
        call(m(4, 3), float("inf")),
        call(m(4, 3), 0.0),
        call(m(1, 3)),
    ],
}
SAMPLES = {f"nn.functional.{name}": samples for name, samples in SAMPLES.items()}
