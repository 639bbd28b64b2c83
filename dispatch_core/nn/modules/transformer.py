"""The transformer: encoder and decoder of attention and feed-forward layers (Vaswani et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from dispatch_core.nn import init
from dispatch_core.nn._core import F, Tensor, full
from dispatch_core.nn.modules._sizes import factory
from dispatch_core.nn.modules.attention import MultiheadAttention
from dispatch_core.nn.modules.container import ModuleList
from dispatch_core.nn.modules.dropout import Dropout
from dispatch_core.nn.modules.linear import Linear
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.modules.normalization import LayerNorm

Activation = str | Callable[[Tensor], Tensor]


class _Layer(Module):
    """What encoder and decoder layers share: self-attention, the feed-forward part and its norms."""

    _residuals: int
    """How many parts are added to the input, each with a norm and a dropout of its own."""
    norm1: LayerNorm
    dropout1: Dropout
    activation: Callable[[Tensor], Tensor]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kwargs = factory(device, dtype)
        # The parts in the order in which PyTorch lists them.
        attention = ("self_attn", "multihead_attn")[: self._residuals - 1]
        for name in attention:
            made = MultiheadAttention(
                d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, **kwargs
            )
            setattr(self, name, made)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **kwargs)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **kwargs)
        self.norm_first = norm_first
        parts = range(1, self._residuals + 1)
        for i in parts:
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kwargs)
            setattr(self, f"norm{i}", norm)
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _activation(activation) if isinstance(activation, str) else activation

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu

    def _residual(self, x: Tensor, part: Callable[[Tensor], Tensor], i: int) -> Tensor:
        """`x` and what the i-th part makes of it, normalized before or afterwards."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        if self.norm_first:
            return x + dropout(part(norm(x)))
        normalized: Tensor = norm(x + dropout(part(x)))
        return normalized

    def _feed_forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return result


class TransformerEncoderLayer(_Layer):
    """Self-attention and two linear layers, each added to its input and normalized.

    Input and output (S, N, d_model), or (N, S, d_model) with `batch_first`. `norm_first`
    normalizes before each part instead of after the sum. RuntimeError for an `activation` other
    than "relu", "gelu" or a function.
    """

    _residuals = 2
    self_attn: MultiheadAttention

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The layer's result; masks and `is_causal` as in `MultiheadAttention`."""

        def attend(x: Tensor) -> Tensor:
            return _attended(self.self_attn, x, x, src_mask, src_key_padding_mask, is_causal)

        return self._residual(self._residual(src, attend, 1), self._feed_forward, 2)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's result and two linear layers.

    Target (T, N, d_model), memory (S, N, d_model), result as the target; the batch first with
    `batch_first`. Arguments as for `TransformerEncoderLayer`.
    """

    _residuals = 3
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The layer's result; masks as in `MultiheadAttention`, for the target and the memory."""

        def attend(x: Tensor) -> Tensor:
            return _attended(self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)

        def look(x: Tensor) -> Tensor:
            masks = memory_mask, memory_key_padding_mask
            return _attended(self.multihead_attn, x, memory, *masks, memory_is_causal)

        x = self._residual(self._residual(tgt, attend, 1), look, 2)
        return self._residual(x, self._feed_forward, 3)


class TransformerEncoder(Module):
    """`num_layers` copies of a layer, one after another, and an optional `norm` at the end.

    `enable_nested_tensor` and `mask_check` are accepted; there is nothing that they would change.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The last layer's result; with `is_causal=None` it is looked whether `mask` is causal."""
        causal = _is_causal(mask, is_causal, _length(src, self.layers))
        for layer in self.layers:
            src = layer(
                src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask
            )
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer, one after another, and an optional `norm`."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The last layer's result; with `tgt_is_causal=None` it is looked at `tgt_mask`."""
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, self.layers))
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder over the source and a decoder that looks at its result.

    Source (S, N, d_model), target (T, N, d_model), result as the target; the batch first with
    `batch_first`. `custom_encoder` and `custom_decoder` take the place of those made here.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kwargs = factory(device, dtype)
        layer = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kwargs)

        self.encoder = custom_encoder
        if custom_encoder is None:
            first: Module = TransformerEncoderLayer(*layer, **kwargs)
            self.encoder = TransformerEncoder(first, num_encoder_layers, norm())
        self.decoder = custom_decoder
        if custom_decoder is None:
            first = TransformerDecoderLayer(*layer, **kwargs)
            self.decoder = TransformerDecoder(first, num_decoder_layers, norm())
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoder's result; RuntimeError where batch or feature sizes do not fit.

        Masks as in `MultiheadAttention`: of the source (S, S), the target (T, T) and the memory
        (T, S), and of their padding (N, S), (N, T) and (N, S).
        """
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError(
                "the batch number of src and tgt must be equal, got "
                f"{src.size(batch)} and {tgt.size(batch)} at dim {batch}"
            )
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError(
                "the feature number of src and tgt must be equal to d_model, got "
                f"{src.size(-1)} and {tgt.size(-1)} for d_model={self.d_model}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        result: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return result

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask (sz, sz): minus infinity above the diagonal, 0 elsewhere."""
        return full((sz, sz), float("-inf"), device=device, dtype=dtype).triu(1)

    def _reset_parameters(self) -> None:
        """Draw every matrix anew (Glorot and Bengio, 2010)."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)


def _attended(
    attention: MultiheadAttention,
    x: Tensor,
    source: Tensor,
    mask: Tensor | None,
    padding: Tensor | None,
    is_causal: bool,
) -> Tensor:
    return attention(
        x,
        source,
        source,
        attn_mask=mask,
        key_padding_mask=padding,
        is_causal=is_causal,
        need_weights=False,
    )[0]


def _activation(name: str) -> Callable[[Tensor], Tensor]:
    if name not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {name}")
    found: Callable[[Tensor], Tensor] = getattr(F, name)
    return found


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([deepcopy(layer) for _ in range(count)])


def _length(src: Tensor, layers: ModuleList) -> int | None:
    """How many positions there are; None where the layers do not say which dimension counts them."""
    attention = getattr(layers[0], "self_attn", None) if len(layers) else None
    batch_first = getattr(attention, "batch_first", False)
    return src.size(1 if batch_first and src.dim() == 3 else 0)


def _is_causal(mask: Tensor | None, given: bool | None, size: int | None) -> bool:
    """Whether a mask hides exactly what comes later, where the caller does not say so."""
    if given is not None or mask is None:
        return bool(given)
    if not isinstance(mask, Tensor):
        raise TypeError(f"mask must be Tensor, not {type(mask).__name__}")
    n = mask.size(-2) if size is None else size
    causal = Transformer.generate_square_subsequent_mask(n, device=mask.device, dtype=mask.dtype)
    return causal.shape == mask.shape and bool((mask == causal).all())
