"""What multiplies by a matrix or looks rows of one up: linear, bilinear, attention, embedding."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._families.base import FLOATING, NUMBERS
from dispatch_core._families.others import contraction, custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor

F = "nn.functional"


# -- linear maps -----------------------------------------------------------------------------------


def _rows(K: Any, x: Any) -> Any:
    """All dimensions but the last as one."""
    return x if len(x.shape) == 2 else K.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _check_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if weight.ndim not in (1, 2) or input.ndim < 1 or input.shape[-1] != weight.shape[-1]:
        rows = math.prod(input.shape[:-1])
        raise RuntimeError(
            f"linear(): mat1 and mat2 shapes cannot be multiplied ({rows}x"
            f"{input.shape[-1] if input.ndim else 0} and "
            f"{weight.shape[-1] if weight.ndim else 0}x{weight.shape[0] if weight.ndim else 0}): "
            f"the last dimension of input {list(input.shape)} must equal that of weight "
            f"{list(weight.shape)}"
        )
    if bias is not None and tuple(bias.shape) != tuple(weight.shape[:-1]):
        raise RuntimeError(
            f"linear(): expected bias of shape {list(weight.shape[:-1])} for weight "
            f"{list(weight.shape)}, but got {list(bias.shape)}"
        )


@composite(
    contraction(
        NUMBERS,
        rule=_check_linear,
        samples=lambda make: [
            (make(3, 4), make(2, 4), make(2)),
            (make(2, 3, 4), make(5, 4), None),
            (make(4), make(2, 4), make(2)),
            (make(0, 4), make(2, 4), make(2)),
            (make(3, 4), make(4), make()),
        ],
    ),
    grad={
        "input": lambda K, g, weight: _linear_input(K, g, weight),
        "weight": lambda K, g, input, weight_shape: _linear_weight(K, g, input, weight_shape),
        "bias": lambda K, g, bias_shape: (
            K.sum(_rows(K, g), 0, False) if bias_shape else K.sum(g, None, False)
        ),
    },
    namespace=F,
    out=True,
)
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias: (*, in), (out, in), (out) -> (*, out)."""
    out = K.matmul(input, weight if weight.ndim < 2 else K.permute(weight, (1, 0)))
    return out if bias is None else out + bias


def _linear_input(K: Any, g: Any, weight: Any) -> Any:
    weight = K.conj(weight)
    if len(weight.shape) == 1:
        return K.basic_index(g, (Ellipsis, None)) * weight
    return K.matmul(g, weight)


def _linear_weight(K: Any, g: Any, input: Any, weight_shape: Any) -> Any:
    input = K.conj(input)
    if len(weight_shape) == 1:
        return K.matmul(K.reshape(g, (math.prod(g.shape),)), _rows(K, input))
    return K.matmul(K.permute(_rows(K, g), (1, 0)), _rows(K, input))


@composite(
    contraction(NUMBERS, samples=lambda make: [(make(5, 3), make(5, 4), make(2, 3, 4), make(2))]),
    aliases=("nn.functional.bilinear",),
    method=False,
)
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input1 @ weight[k] @ input2 + bias[k]: (*, a), (*, b), (out, a, b), (out) -> (*, out)."""
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            "bilinear(): input batch dimensions do not match: got "
            f"{list(input1.shape[:-1])} and {list(input2.shape[:-1])}"
        )
    if weight.ndim != 3:
        raise RuntimeError(f"bilinear(): expected a weight of 3 dimensions, but got {weight.ndim}")
    outputs, a, b = weight.shape
    if input1.shape[-1] != a or input2.shape[-1] != b:
        raise RuntimeError(
            f"bilinear(): input1 and input2 sizes do not match weight size: got {input1.shape[-1]} "
            f"and {input2.shape[-1]}, expected {a} and {b}"
        )
    if bias is not None and bias.shape != (outputs,):
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {list(bias.shape)}, expected "
            f"{[outputs]}"
        )
    columns = K.reshape(K.permute(weight, (1, 0, 2)), (a, outputs * b))
    half = K.reshape(K.matmul(input1, columns), (*input1.shape[:-1], outputs, b))
    out = K.squeeze(K.matmul(half, K.unsqueeze(input2, -1)), -1)
    return out if bias is None else out + bias


# -- attention -------------------------------------------------------------------------------------


@composite(
    custom(
        FLOATING,
        apart=("attn_mask",),
        samples=lambda make: [
            (make(2, 3, 4), make(2, 5, 4), make(2, 5, 6)),
            (make(2, 2, 3, 4), make(2, 2, 3, 4), make(2, 2, 3, 4), None, 0.0, True),
            (make(3, 4), make(5, 4), make(5, 2), make(3, 5)),
        ],
    ),
    namespace=F,
)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ key.T * scale + mask) @ value (Vaswani et al. 2017).

    query (*, L, E), key (*, S, E), value (*, S, V) -> (*, L, V). A bool mask says what may be
    looked at, a floating one is added; a query that may look at nothing gives 0. `scale` is 1 /
    sqrt(E) unless given. With `enable_gqa` the heads (dimension -3) of key and value are repeated.
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            "scaled_dot_product_attention: explicit attn_mask should not be set when is_causal=True"
        )
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "scaled_dot_product_attention: expected query, key and value of at least 2 dimensions, "
            f"but got {query.ndim}, {key.ndim} and {value.ndim}"
        )
    if enable_gqa:
        key, value = (_repeated_heads(x, query.shape[-3]) for x in (key, value))
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = K.matmul(query * scale, K.transpose(key, -2, -1))
    if is_causal:
        rows = K.unsqueeze(K.storage_index(query, query.shape[-2]), 1)
        attn_mask = K.le(K.storage_index(query, key.shape[-2]), rows)
    if attn_mask is None:
        shares = K.softmax(scores, -1)
    else:
        shares = _masked_softmax(scores, attn_mask)
    if dropout_p:
        shares = K.dropout(shares, dropout_p)
    return K.matmul(shares, value)


def _repeated_heads(x: Tensor, heads: int) -> Tensor:
    present = x.shape[-3]
    if heads % present:
        raise RuntimeError(
            "Number of heads in key and value must divide the number of heads in query, but got "
            f"{present} and {heads}"
        )
    if heads == present:
        return x
    wide = K.unsqueeze(x, -3)
    shape = (*x.shape[:-2], heads // present, *x.shape[-2:])
    return K.reshape(K.expand(wide, shape), (*x.shape[:-3], heads, *x.shape[-2:]))


def _masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    if mask.dtype.name == "bool":
        scores = K.where(mask, scores, -math.inf)
    else:
        scores = scores + mask
    empty = K.eq(K.amax(scores, -1, True), -math.inf)
    return K.where(empty, 0.0, K.softmax(K.where(empty, 0.0, scores), -1))
