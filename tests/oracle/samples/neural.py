"""Samples of `nn.functional`: activations, dropout, linear layers, attention, norms."""

from __future__ import annotations

from typing import Any

from tests.oracle.calls import Call, Maker, call
from tests.oracle.samples.unary import Samples, unary


def _activation(*options: dict[str, Any]) -> Samples:
    """Any shape; then with each set of options."""
    return lambda m: [*unary(-4, 4)(m), *(call(m(3, 4, low=-4, high=4), **o) for o in options)]


ACTIVATIONS: dict[str, list[dict[str, Any]]] = {
    "celu": [{"alpha": 0.5}],
    "elu": [{"alpha": 1.5}],
    "gelu": [{"approximate": "tanh"}],
    "hardshrink": [{"lambd": 1.0}],
    "hardsigmoid": [],
    "hardswish": [],
    "hardtanh": [{"min_val": -0.5, "max_val": 2.0}],
    "leaky_relu": [{"negative_slope": 0.2}],
    "logsigmoid": [],
    "mish": [],
    "relu": [],
    "relu6": [],
    "rrelu": [{"lower": 0.25, "upper": 0.25, "training": True}],
    "selu": [],
    "silu": [],
    "softplus": [{"beta": 2.0}, {"beta": 3.0, "threshold": 2.0}],
    "softshrink": [{"lambd": 1.0}],
    "softsign": [],
    "tanhshrink": [],
}


def _dropout(*shape: int) -> Samples:
    """Nothing, everything and a part of it dropped; the part of many elements."""
    return lambda m: [
        call(m(*shape), training=False),
        call(m(*shape), 0.0),
        call(m(*shape), p=1.0),
        call(m(20, 30, *shape[2:]), 0.4, True),
    ]


def _bilinear(m: Maker) -> list[Call]:
    return [
        call(m(5, 2), m(5, 3), m(4, 2, 3)),
        call(m(2, 5, 2), m(2, 5, 3), m(4, 2, 3), m(4)),
        call(m(2), m(3), m(4, 2, 3), bias=m(4)),
    ]


def _linear(m: Maker) -> list[Call]:
    return [
        call(m(2, 3), m(4, 3)),
        call(m(2, 3), m(4, 3), m(4)),
        call(m(5, 2, 3), m(4, 3), bias=m(4)),
        call(m(3), m(4, 3)),
        call(m(3), m(3)),
        call(m(0, 3), m(4, 3), m(4)),
    ]


def _embedding(m: Maker) -> list[Call]:
    return [
        call(m.int(2, 3, high=5), m(5, 4)),
        call(m.int(3, high=5), m(5, 4), padding_idx=2),
        call(m.int(3, high=5), m(5, 4), padding_idx=-1),
        call(m.of([1, 1, 3], "int32"), m(5, 4), scale_grad_by_freq=True),
        call(m.int(high=5), m(5, 4)),
        call(m.of([0, 2], "int64"), m(5, 4), None, 1.0, 2.0),
    ]


def _embedding_bag(m: Maker) -> list[Call]:
    offsets = m.of([0, 2, 2], "int64")
    found = []
    for mode in ("sum", "mean", "max"):
        found += [
            call(m.int(2, 3, high=5), m(5, 4), mode=mode),
            call(m.int(5, high=5), m(5, 4), offsets, mode=mode),
            call(m.int(5, high=5), m(5, 4), offsets, mode=mode, padding_idx=1),
        ]
    ends = m.of([0, 2, 5], "int64")
    return [
        *found,
        call(m.int(2, 3, high=5), m(5, 4), mode="sum", per_sample_weights=m(2, 3)),
        call(m.int(5, high=5), m(5, 4), ends, mode="sum", include_last_offset=True),
    ]


def _one_hot(m: Maker) -> list[Call]:
    return [
        call(m.int(3, high=4)),
        call(m.int(2, 3, high=4), 6),
        call(m.int(high=3), num_classes=3),
        call(m.int(0), 3),
    ]


def _attention(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4), m(2, 5, 4), m(2, 5, 6)),
        call(m(2, 2, 3, 4), m(2, 2, 3, 4), m(2, 2, 3, 4), is_causal=True),
        call(m(2, 3, 4), m(2, 5, 4), m(2, 5, 4), attn_mask=m(3, 5)),
        call(m(2, 2, 3, 4), m(2, 2, 5, 4), m(2, 2, 5, 4), m.of([[True] * 4 + [False]] * 3, "bool")),
        call(m(2, 3, 4), m(2, 5, 4), m(2, 5, 4), scale=0.3),
        call(m(2, 4, 3, 4), m(2, 2, 5, 4), m(2, 2, 5, 4), enable_gqa=True),
    ]


def _multi_head(m: Maker) -> list[Call]:
    width = 4

    def arguments(**more: Any) -> Call:
        return call(
            m(3, 2, width),
            m(5, 2, width),
            m(5, 2, width),
            width,
            2,
            m(3 * width, width),
            m(3 * width),
            None,
            None,
            False,
            0.0,
            m(width, width),
            m(width),
            **more,
        )

    return [
        arguments(),
        arguments(need_weights=False),
        arguments(attn_mask=m(3, 5)),
        arguments(key_padding_mask=m.of([[False] * 4 + [True]] * 2, "bool")),
        arguments(average_attn_weights=False),
    ]


def _batch_norm(m: Maker) -> list[Call]:
    mean, var = m(3), m.positive(3)
    return [
        call(m(4, 3), mean, var),
        call(m(4, 3), mean, var, training=True),
        call(m(2, 3, 4), mean, var, m(3), m(3), True, 0.3, 1e-3),
        call(m(2, 3, 2, 2), None, None, training=True),
        call(m(2, 3, 4), mean, var, m(3), m(3)),
    ]


def _native_batch_norm(m: Maker) -> list[Call]:
    return [
        call(m(4, 3), m(3), m(3), m(3), m.positive(3), True, 0.1, 1e-5),
        call(m(2, 3, 4), m(3), m(3), m(3), m.positive(3), False, 0.1, 1e-5),
        call(m(2, 3, 4), None, None, None, None, True, 0.1, 1e-3),
    ]


def _instance_norm(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4)),
        call(m(2, 3, 4), weight=m(3), bias=m(3)),
        call(m(2, 3, 2, 2), m(3), m.positive(3), None, None, True, 0.2),
        call(m(2, 3, 4), m(3), m.positive(3), use_input_stats=False),
    ]


def _group_norm(m: Maker) -> list[Call]:
    return [
        call(m(2, 4, 3), 2),
        call(m(2, 4, 3, 2), 2, m(4), m(4)),
        call(m(2, 4), num_groups=1, weight=m(4)),
        call(m(2, 4, 3), 4, eps=0.1),
    ]


def _layer_norm(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4), (4,)),
        call(m(2, 3, 4), [3, 4], m(3, 4), m(3, 4)),
        call(m(3, 4), (4,), weight=m(4), eps=0.1),
        call(m(4), (4,), None, m(4)),
    ]


def _rms_norm(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4), (4,)),
        call(m(2, 3, 4), [3, 4], m(3, 4)),
        call(m(3, 4), (4,), weight=m(4), eps=0.1),
    ]


def _normalize(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(3, 4), 1.0),
        call(m(2, 3, 4), p=3.0, dim=-1),
        call(m(3, 4), 2.0, 0, 5.0),
    ]


SAMPLES: dict[str, Samples] = {
    **{f"nn.functional.{name}": _activation(*options) for name, options in ACTIVATIONS.items()},
    "nn.functional.threshold": lambda m: [
        call(m(3, 4), 0.5, -1.0),
        call(m(), threshold=0, value=2),
    ],
    "nn.functional.prelu": lambda m: [
        call(m(2, 3), m(1)),
        call(m(2, 3, 4), m(3)),
        call(m(3), m()),
        call(m(), m(1)),
    ],
    "nn.functional.glu": lambda m: [call(m(3, 4)), call(m(4, 3), 0), call(m(2, 4, 3), dim=-2)],
    "nn.functional.dropout": _dropout(3, 4, 2),
    "nn.functional.dropout2d": _dropout(2, 3, 2, 2),
    "nn.functional.dropout3d": _dropout(2, 3, 2, 2, 2),
    "nn.functional.alpha_dropout": lambda m: [
        call(m(3, 4)),
        call(m(3, 4), 0.0, True),
        call(m(30, 40), 0.4, training=True),
    ],
    "nn.functional.feature_alpha_dropout": lambda m: [
        call(m(2, 3, 4)),
        call(m(2, 3, 4), 0.0, True),
        call(m(60, 50, 2), 0.4, training=True),
    ],
    "nn.functional.bilinear": _bilinear,
    "nn.functional.linear": _linear,
    "nn.functional.embedding": _embedding,
    "nn.functional.embedding_bag": _embedding_bag,
    "nn.functional.one_hot": _one_hot,
    "nn.functional.scaled_dot_product_attention": _attention,
    "nn.functional.multi_head_attention_forward": _multi_head,
    "nn.functional.batch_norm": _batch_norm,
    "native_batch_norm": _native_batch_norm,
    "nn.functional.instance_norm": _instance_norm,
    "nn.functional.group_norm": _group_norm,
    "native_group_norm": lambda m: [
        call(m(2, 4, 3), m(4), m(4), 2, 4, 3, 2, 1e-5),
        call(m(2, 4, 3), None, None, 2, 4, 3, 1, 0.1),
    ],
    "nn.functional.layer_norm": _layer_norm,
    "native_layer_norm": lambda m: [
        call(m(2, 3, 4), (4,), m(4), m(4), 1e-5),
        call(m(2, 3, 4), [3, 4], None, None, 0.1),
    ],
    "nn.functional.rms_norm": _rms_norm,
    "nn.functional.local_response_norm": lambda m: [
        call(m(2, 5, 3), 3),
        call(m(2, 4, 3, 2), 2, alpha=0.1, beta=0.5, k=2.0),
        call(m(2, 4, 2, 2, 2), size=3),
    ],
    "nn.functional.normalize": _normalize,
}
