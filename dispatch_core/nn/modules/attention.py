"""Attention of several heads with its projections (Vaswani et al., 2017)."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn import init
from dispatch_core.nn._core import F, Tensor, empty
from dispatch_core.nn.modules._sizes import factory
from dispatch_core.nn.modules.linear import NonDynamicallyQuantizableLinear
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter


class MultiheadAttention(Module):
    """Each position of the query takes a mean of the values, weighted by how well the keys fit.

    `embed_dim` E is split over `num_heads` heads, which attend each on their own. Query (L, N, E),
    key (S, N, kdim), value (S, N, vdim), result (L, N, E); with `batch_first` the batch N comes
    first; without a batch it is missing everywhere. `dropout` is that of the weights in training;
    `add_bias_kv` appends a learnt key and value, `add_zero_attn` ones of zeros. Where key and value
    are as wide as the query, the three projections are one matrix `in_proj_weight` (3 E, E).

    Raises ValueError for sizes that are not positive, and AssertionError where `num_heads` does
    not divide `embed_dim`.
    """

    in_proj_weight: Tensor | None
    q_proj_weight: Tensor | None
    k_proj_weight: Tensor | None
    v_proj_weight: Tensor | None
    in_proj_bias: Tensor | None
    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        super().__init__()
        kwargs = factory(device, dtype)
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        packed = self._qkv_same_embed_dim
        shapes = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if packed else None,
            "q_proj_weight": None if packed else (embed_dim, embed_dim),
            "k_proj_weight": None if packed else (embed_dim, self.kdim),
            "v_proj_weight": None if packed else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
        }
        for name, shape in shapes.items():
            made = None if shape is None else Parameter(empty(shape, **kwargs))
            self.register_parameter(name, made)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **kwargs)
        for name in ("bias_k", "bias_v"):
            made = Parameter(empty((1, 1, embed_dim), **kwargs)) if add_bias_kv else None
            self.register_parameter(name, made)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the projections anew (Glorot and Bengio, 2010); biases of the projections 0."""
        for weight in (
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
        ):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)  # as those saved by early versions were
        super().__setstate__(state)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The result, and its weights if `need_weights`.

        The weights are (N, L, S), the mean over the heads, or (N, heads, L, S).
        A bool mask says what must not be looked at, one of floats is added to the scores:
        `key_padding_mask` (N, S), `attn_mask` (L, S) or (N * heads, L, S). `is_causal` says that
        `attn_mask` is the causal one. Without `need_weights` one attention kernel computes it.
        """
        swapped = self.batch_first and query.dim() == 3
        if swapped:
            query, key, value = _transposed(query, key, value)
        out, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (out.transpose(0, 1) if swapped else out), weights

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Both masks in one that broadcasts to (N, heads, L, S), and which there were.

        0 for the attention's alone, 1 for the padding's alone, 2 for both, None for none; query as
        (N, L, E).
        """
        if key_padding_mask is not None and attn_mask is None:
            return key_padding_mask, 1
        if attn_mask is None:
            return None, None
        batch, length = query.shape[:2]
        wide = attn_mask
        if attn_mask.dim() == 3:
            wide = attn_mask.view(batch, -1, length, length)
        else:
            wide = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            padding = key_padding_mask.view(batch, 1, 1, length)
            wide = wide + padding.expand(-1, self.num_heads, -1, -1)
        return wide, 2


def _transposed(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each with its first two dimensions exchanged; those that are one tensor stay one."""
    turned_query = query.transpose(0, 1)
    turned_key = turned_query if key is query else key.transpose(0, 1)
    turned_value = turned_key if value is key else value.transpose(0, 1)
    return turned_query, turned_key, turned_value
