"""Attention of several heads with the projections around it, as `nn.MultiheadAttention` computes it."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._namespaces import public
from dispatch_core._op import K
from dispatch_core._tensor import Tensor

F = "nn.functional"


def _require(condition: bool, message: str) -> None:
    """AssertionError, as PyTorch raises here, with its words."""
    if not condition:
        raise AssertionError(message)


def _added(mask: Any, name: str, like: Tensor) -> Any:
    """A mask as numbers to add: minus infinity where a bool mask is set."""
    if mask is None:
        return None
    if mask.dtype.name == "bool":
        return K.masked_fill(K.zeros_like(mask, dtype=like.dtype), mask, float("-inf"))
    if not mask.dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return mask


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Any, attn_mask: Any, heads: int
) -> None:
    for name, mask in (("key_padding_mask", padding), ("attn_mask", attn_mask)):
        if mask is not None and not isinstance(mask, Tensor):
            raise TypeError(f"{name} must be Tensor, not {type(mask).__name__}")
    n = query.ndim
    _require(
        n in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {n}-D query tensor",
    )
    _require(
        key.ndim == n and value.ndim == n,
        f"For {'batched (3-D)' if n == 3 else 'unbatched (2-D)'} `query`, expected `key` and "
        f"`value` to be {n}-D but found {key.ndim}-D and {value.ndim}-D tensors respectively",
    )
    _require(
        padding is None or padding.ndim == n - 1,
        f"expected `key_padding_mask` to be `None` or {n - 1}-D",
    )
    _require(
        attn_mask is None or attn_mask.ndim in (2, 3),
        "expected `attn_mask` to be `None`, 2-D or 3-D",
    )
    if n == 2 and attn_mask is not None and attn_mask.ndim == 3:
        expected = (heads, query.shape[0], key.shape[0])
        _require(
            tuple(attn_mask.shape) == expected,
            f"Expected `attn_mask` shape to be {expected} but got {tuple(attn_mask.shape)}",
        )


def _check_mask(attn_mask: Tensor, batch: int, heads: int, target: int, source: int) -> Tensor:
    expected = (target, source) if attn_mask.ndim == 2 else (batch * heads, target, source)
    if tuple(attn_mask.shape) != expected:
        raise RuntimeError(
            f"The shape of the {attn_mask.ndim}D attn_mask is {attn_mask.shape}, but should be "
            f"{expected}."
        )
    return K.unsqueeze(attn_mask, 0) if attn_mask.ndim == 2 else attn_mask


def _projected(parts: Any, weights: Any, bias: Any) -> list[Tensor]:
    """Query, key and value by their weights: one for all, or three."""
    if weights[0] is not None:
        weights = K.chunk(weights[0], 3)
    else:
        weights = weights[1:]
        for name, weight in zip("qkv", weights, strict=True):
            _require(
                weight is not None,
                f"use_separate_proj_weight is True but {name}_proj_weight is None",
            )
        for name, x, weight in zip(("query", "key", "value"), parts, weights, strict=True):
            expected = (weight.shape[0], x.shape[-1])
            _require(
                tuple(weight.shape) == expected,
                f"expecting {name} weights shape of {expected}, but got {tuple(weight.shape)}",
            )
    biases = (None,) * 3 if bias is None else K.chunk(bias, 3)
    return [K.linear(x, w, b) for x, w, b in zip(parts, weights, biases, strict=True)]


def _heads(x: Tensor, count: int, size: int) -> Tensor:
    """(length, batch, heads * size) -> (batch * heads, length, size)."""
    return K.transpose(K.reshape(x, (x.shape[0], count, size)), 0, 1)


def _static(given: Tensor, name: str, count: int, size: int) -> Tensor:
    _require(
        given.shape[0] == count and given.shape[2] == size,
        f"expecting {name} of shape ({count}, *, {size}), but got {tuple(given.shape)}",
    )
    return given


def _one_more(mask: Any) -> Any:
    return (
        None if mask is None else K.pad_constant(mask, ((0, 0),) * (mask.ndim - 1) + ((0, 1),), 0)
    )


def _extended(
    k: Tensor, v: Tensor, bias_k: Any, bias_v: Any, masks: Any, statics: Any
) -> tuple[Tensor, Tensor, Any]:
    """Learned further keys and values, one for each batch element."""
    _require((bias_k is None) == (bias_v is None), "bias_k and bias_v must both be set, or neither")
    if bias_k is None:
        return k, v, masks
    _require(statics == (None, None), "bias cannot be added to static key or value.")
    batch = k.shape[1]
    k = K.cat([k, K.expand(bias_k, (1, batch, bias_k.shape[-1]))])
    v = K.cat([v, K.expand(bias_v, (1, batch, bias_v.shape[-1]))])
    return k, v, [_one_more(m) for m in masks]


def _merged(attn_mask: Any, padding: Any, batch: int, heads: int, source: int) -> Any:
    if padding is None:
        return attn_mask
    _require(
        tuple(padding.shape) == (batch, source),
        f"expected key_padding_mask to have shape {(batch, source)}, but got "
        f"{tuple(padding.shape)}",
    )
    wide = K.expand(K.reshape(padding, (batch, 1, 1, source)), (batch, heads, 1, source))
    wide = K.reshape(wide, (batch * heads, 1, source))
    return wide if attn_mask is None else K.add(attn_mask, wide)


def _attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Any, dropout_p: float, need_weights: bool,
    is_causal: bool, heads: int,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Each head's result (batch * heads, length, size), and its weights where they are wanted."""
    if need_weights:
        scores = K.matmul(q * math.sqrt(1.0 / q.shape[-1]), K.transpose(k, -2, -1))
        weights = K.softmax(scores if mask is None else K.add(mask, scores), -1)
        if dropout_p:
            weights = K.dropout(weights, dropout_p)
        return K.matmul(weights, v), weights
    batch = q.shape[0] // heads
    q, k, v = (K.reshape(x, (batch, heads, *x.shape[1:])) for x in (q, k, v))
    if mask is not None:
        shape = (1,) if mask.shape[0] == 1 else (batch, heads)
        mask = K.reshape(mask, (*shape, *mask.shape[1 if len(shape) == 2 else 0 :]))
    out = K.scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal and mask is None)
    return K.reshape(out, (batch * heads, *out.shape[2:])), None


@public(f"{F}.multi_head_attention_forward")
def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Any, in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool,
    dropout_p: float, out_proj_weight: Tensor, out_proj_bias: Any, training: bool = True,
    key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Attention of several heads: (L, N, E), (S, N, E), (S, N, E) -> (L, N, E), and its weights.

    The batch dimension N may be missing everywhere. The weights are (N, L, S), the mean over the
    heads, or (N, heads, L, S); None unless `need_weights`. Bool masks say what must not be looked
    at; `is_causal` says that the mask is the causal one (Vaswani et al. 2017).
    """
    _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    single = query.ndim == 2
    if single:
        query, key, value = (K.unsqueeze(x, 1) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = K.unsqueeze(key_padding_mask, 0)
    target, batch, size = query.shape
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    padding = _added(key_padding_mask, "key_padding_mask", query)
    if is_causal and padding is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _added(attn_mask, "attn_mask", query)
        is_causal = is_causal and padding is None
    _require(
        size == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}",
    )
    head = size // num_heads
    _require(head * num_heads == size, f"embed_dim {size} not divisible by num_heads {num_heads}")
    _require(
        key.shape[:2] == value.shape[:2] if use_separate_proj_weight else key.shape == value.shape,
        f"key shape {key.shape} does not match value shape {value.shape}",
    )
    _require(
        use_separate_proj_weight or in_proj_weight is not None,
        "use_separate_proj_weight is False but in_proj_weight is None",
    )
    packed = None if use_separate_proj_weight else in_proj_weight
    weights = (packed, q_proj_weight, k_proj_weight, v_proj_weight)
    q, k, v = _projected((query, key, value), weights, in_proj_bias)
    if attn_mask is not None:
        attn_mask = _check_mask(attn_mask, batch, num_heads, target, key.shape[0])
    masks = [attn_mask, padding]
    k, v, masks = _extended(k, v, bias_k, bias_v, masks, (static_k, static_v))
    count = batch * num_heads
    q = _heads(q, count, head)
    k = _heads(k, count, head) if static_k is None else _static(static_k, "static_k", count, head)
    v = _heads(v, count, head) if static_v is None else _static(static_v, "static_v", count, head)
    if add_zero_attn:
        k, v = (K.cat([x, K.new_zeros(x, (count, 1, head))], 1) for x in (k, v))
        masks = [_one_more(m) for m in masks]
    mask = _merged(masks[0], masks[1], batch, num_heads, k.shape[1])
    dropped = dropout_p if training else 0.0
    out, found = _attend(q, k, v, mask, dropped, need_weights, is_causal, num_heads)
    out = K.reshape(K.transpose(out, 0, 1), (target * batch, size))
    out = K.linear(out, out_proj_weight, out_proj_bias)
    out = K.reshape(out, (target, batch, out.shape[-1]))
    if found is not None:
        found = K.reshape(found, (batch, num_heads, target, k.shape[1]))
        found = K.mean(found, 1) if average_attn_weights else found
        found = K.squeeze(found, 0) if single else found
    return (K.squeeze(out, 1) if single else out), found
