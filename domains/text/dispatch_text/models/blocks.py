"""What transformer models share: attention over heads with a cache, masks, activations, losses."""

from __future__ import annotations

from collections.abc import Callable

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_core.nn import functional as F
from dispatch_text.generation.cache import KeyValueCache

IGNORED = -100
"""The label of positions that do not count."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_fast": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * dc.sigmoid(1.702 * x),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": dc.tanh,
}
"""By the names that config.json has for them."""


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """The function of that name; ValueError with the known names."""
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation '{name}'; known are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(N, L, H * D) -> (N, H, L, D)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    dropout: float = 0.0,
    scale: float | None = None,
) -> Tensor:
    """Attention of heads (N, H, L, D) as one sequence (N, L, H * D).

    Fewer heads of key and value than of the query are shared (grouped-query attention). `mask` is
    bool or added, and broadcast to (N, H, L, S).
    """
    out = F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        dropout_p=dropout,
        scale=scale,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return out.transpose(1, 2).flatten(2)


def padding_mask(attention_mask: Tensor | None) -> Tensor | None:
    """(N, S) of 0 and 1 -> (N, 1, 1, S) of bool: what may be looked at."""
    if attention_mask is None:
        return None
    if attention_mask.ndim != 2:
        raise ValueError(
            f"attention_mask must have shape (batch, length), got {tuple(attention_mask.shape)}"
        )
    return (attention_mask != 0)[:, None, None, :]


def causal_mask(
    length: int, past: int, attention_mask: Tensor | None, device: object
) -> Tensor | None:
    """What each of the `length` last positions of `past + length` may look at: those before it.

    bool, (1 or N, 1, L, S); None where each may look at all.
    """
    padding = padding_mask(attention_mask)
    if padding is not None and padding.shape[-1] != past + length:
        raise ValueError(
            f"attention_mask covers {padding.shape[-1]} positions, and there are {past} cached and "
            f"{length} new ones"
        )
    if length == 1:
        return padding
    queries = dc.arange(past, past + length, device=device)
    causal = (dc.arange(past + length, device=device) <= queries[:, None])[None, None]
    return causal if padding is None else causal & padding


def positions_of(input_ids: Tensor, past: int, attention_mask: Tensor | None) -> Tensor:
    """The place of each token in its text, (N or 1, L): padding on the left does not count."""
    if attention_mask is None:
        length = input_ids.shape[1]
        return dc.arange(past, past + length, device=input_ids.device)[None]
    counted = attention_mask.to(dc.int64).cumsum(-1) - 1
    return counted.clamp(min=0)[:, past:]


def embed(table: nn.Embedding, input_ids: Tensor) -> Tensor:
    """Rows of the table of words for a batch of ids (N, L).

    Raises ValueError for what is no such batch, IndexError for an id that the table lacks.
    """
    if input_ids.ndim != 2 or input_ids.dtype not in (dc.int64, dc.int32):
        raise ValueError(
            f"input_ids must be int64 of shape (batch, length), got {input_ids.dtype} "
            f"{tuple(input_ids.shape)}"
        )
    if input_ids.shape[1] == 0:
        raise ValueError("input_ids has no tokens: the text is empty")
    try:
        return table(input_ids)
    except IndexError as error:
        raise IndexError(
            f"input_ids is outside of the vocabulary of {table.num_embeddings} ({error}): tokenizer "
            "and model do not belong together"
        ) from error


def check_length(length: int, limit: int) -> None:
    """ValueError where a model has fewer positions than a text has tokens."""
    if length > limit:
        raise ValueError(
            f"{length} tokens are more than the {limit} positions of the model; cut the text "
            "(max_length=) or generate less"
        )


def extend_cached(
    cache: KeyValueCache | None, layer: int, key: Tensor, value: Tensor
) -> tuple[Tensor, Tensor]:
    """Keys and values with those of earlier calls before them."""
    return (key, value) if cache is None else cache.update(layer, key, value)


def token_loss(logits: Tensor, labels: Tensor | None) -> Tensor | None:
    """Mean cross-entropy of the labels (..., ) under logits (..., C); -100 does not count."""
    if labels is None:
        return None
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORED)


def shift_right(labels: Tensor, start: int, pad: int) -> Tensor:
    """What a decoder is given to say `labels` (N, L): the start, then each before the next."""
    moved = dc.cat([dc.full_like(labels[:, :1], start), labels[:, :-1]], 1)
    return moved.masked_fill(moved == IGNORED, pad)


def next_token_loss(logits: Tensor, labels: Tensor | None) -> Tensor | None:
    """The same for what each position predicts: the label after it."""
    return None if labels is None else token_loss(logits[:, :-1], labels[:, 1:])


def class_loss(logits: Tensor, labels: Tensor | None) -> Tensor | None:
    """Cross-entropy of classes (N,), or the squared error of the one number of a regression."""
    if labels is None:
        return None
    if logits.shape[-1] == 1:
        return F.mse_loss(logits.squeeze(-1), labels.to(logits.dtype))
    return F.cross_entropy(logits, labels)


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight, in float32 (Zhang and Sennrich 2019)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(dc.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(dc.float32) if x.dtype in (dc.float16, dc.bfloat16) else x
        return F.rms_norm(wide, self.weight.shape, None, self.eps).to(x.dtype) * self.weight
