"""T5 (Raffel et al. 2020): an encoder and a decoder with relative positions as biases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_text.generation.cache import KeyValueCache
from dispatch_text.generation.steps import Seq2SeqSteps
from dispatch_text.models.blocks import (
    RMSNorm,
    activation,
    attend,
    causal_mask,
    embed,
    extend_cached,
    padding_mask,
    shift_right,
    split_heads,
    token_loss,
)
from dispatch_text.models.config import Config
from dispatch_text.models.outputs import EncoderOutput, Seq2SeqOutput
from dispatch_text.models.pretrained import PretrainedModel


@dataclass(kw_only=True)
class T5Config(Config):
    """Fields of T5's config.json; the defaults are those of t5-small."""

    model_type: ClassVar[str] = "t5"
    positive: ClassVar[tuple[str, ...]] = (
        "vocab_size",
        "d_model",
        "d_kv",
        "d_ff",
        "num_heads",
        "relative_attention_num_buckets",
        "relative_attention_max_distance",
    )

    vocab_size: int = 32128
    d_model: int = 512
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 6
    num_decoder_layers: int | None = None
    num_heads: int = 8
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    initializer_factor: float = 1.0
    feed_forward_proj: str = "relu"
    tie_word_embeddings: bool = True
    scale_decoder_outputs: bool | None = None
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    decoder_start_token_id: int | None = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        if self.scale_decoder_outputs is None:  # younger files say it, whatever is tied
            self.scale_decoder_outputs = self.tie_word_embeddings
        activation(self.act)

    @property
    def gated(self) -> bool:
        """Whether the projection is gated, as in T5 1.1."""
        return self.feed_forward_proj.startswith("gated-")

    @property
    def act(self) -> str:
        """The activation's name; "gated-gelu" means the approximation by tanh."""
        name = self.feed_forward_proj.removeprefix("gated-")
        return "gelu_new" if self.gated and name == "gelu" else name


def relative_bucket(distance: Tensor, buckets: int, longest: int, both_ways: bool) -> Tensor:
    """The bucket of each distance (key's place - query's): each near one its own, far ones shared.

    The farther, the wider, up to `longest`. int64 of the same shape; without `both_ways`, places
    behind the query share bucket 0.
    """
    offset = dc.zeros_like(distance)
    if both_ways:
        buckets //= 2
        offset = (distance > 0).to(dc.int64) * buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    near = buckets // 2
    ratio = (distance.clamp(min=1).to(dc.float32) / near).log() / math.log(longest / near)
    far = (near + (ratio * (buckets - near)).to(dc.int64)).clamp(max=buckets - 1)
    return offset + dc.where(distance < near, distance, far)


class Attention(nn.Module):
    """Attention over heads without scaling; the first layer's has the table of positions' biases."""

    def __init__(self, config: T5Config, layer: int, biased: bool, both_ways: bool) -> None:
        super().__init__()
        inner = config.num_heads * config.d_kv
        self.q = nn.Linear(config.d_model, inner, bias=False)
        self.k = nn.Linear(config.d_model, inner, bias=False)
        self.v = nn.Linear(config.d_model, inner, bias=False)
        self.o = nn.Linear(inner, config.d_model, bias=False)
        self.heads, self.layer, self.dropout = config.num_heads, layer, config.dropout_rate
        self.both_ways, self.longest = both_ways, config.relative_attention_max_distance
        self.buckets = config.relative_attention_num_buckets
        if biased:
            self.relative_attention_bias = nn.Embedding(self.buckets, self.heads)

    def position_bias(self, length: int, past: int) -> Tensor:
        """(1, H, L, past + L), added to what queries and keys give."""
        device = self.relative_attention_bias.weight.device
        queries = dc.arange(past, past + length, device=device)
        distance = dc.arange(past + length, device=device) - queries[:, None]
        bucket = relative_bucket(distance, self.buckets, self.longest, self.both_ways)
        return self.relative_attention_bias(bucket).permute(2, 0, 1)[None]

    def forward(self, x: Tensor, bias: Tensor | None, cache: KeyValueCache | None) -> Tensor:
        query, key, value = (
            split_heads(layer(x), self.heads) for layer in (self.q, self.k, self.v)
        )
        key, value = extend_cached(cache, self.layer, key, value)
        return self._out(query, key, value, bias)

    def across(
        self, x: Tensor, encoded: Tensor, bias: Tensor | None, cache: KeyValueCache | None
    ) -> Tensor:
        """Attention to an encoder's output, whose keys and values are computed once."""
        known = None if cache is None else cache.cross.get(self.layer)
        if known is None:
            known = (
                split_heads(self.k(encoded), self.heads),
                split_heads(self.v(encoded), self.heads),
            )
            if cache is not None:
                cache.cross[self.layer] = known
        return self._out(split_heads(self.q(x), self.heads), *known, bias)

    def _out(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        return self.o(attend(query, key, value, bias, dropout=dropout, scale=1.0))


class Normed(nn.Module):
    """What each layer of a block has: the norm before, the dropout behind."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)


class SelfAttentionLayer(Normed):
    """Attention within a text."""

    def __init__(self, config: T5Config, layer: int, biased: bool, both_ways: bool) -> None:
        super().__init__(config)
        self.SelfAttention = Attention(config, layer, biased, both_ways)

    def forward(self, x: Tensor, bias: Tensor, cache: KeyValueCache | None) -> Tensor:
        return x + self.dropout(self.SelfAttention(self.layer_norm(x), bias, cache))


class CrossAttentionLayer(Normed):
    """Attention to the encoder's output."""

    def __init__(self, config: T5Config, layer: int) -> None:
        super().__init__(config)
        self.EncDecAttention = Attention(config, layer, biased=False, both_ways=True)

    def forward(
        self, x: Tensor, encoded: Tensor, bias: Tensor | None, cache: KeyValueCache | None
    ) -> Tensor:
        return x + self.dropout(
            self.EncDecAttention.across(self.layer_norm(x), encoded, bias, cache)
        )


class Dense(nn.Module):
    """Two projections around the activation, or three where it is gated."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        names = ("wi_0", "wi_1") if config.gated else ("wi",)
        for name in names:
            setattr(self, name, nn.Linear(config.d_model, config.d_ff, bias=False))
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.gated, self.act = config.gated, activation(config.act)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.act(self.wi_0(x)) * self.wi_1(x) if self.gated else self.act(self.wi(x))
        return self.wo(self.dropout(inner))


class DenseLayer(Normed):
    """The projections of a block."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.DenseReluDense = Dense(config)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(self.DenseReluDense(self.layer_norm(x)))


class Block(nn.Module):
    """Attention, in a decoder attention to the encoder, projections."""

    def __init__(self, config: T5Config, layer: int, decoder: bool) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            [SelfAttentionLayer(config, layer, biased=layer == 0, both_ways=not decoder)]
        )
        if decoder:
            self.layer.append(CrossAttentionLayer(config, layer))
        self.layer.append(DenseLayer(config))

    def forward(
        self,
        x: Tensor,
        bias: Tensor,
        encoded: Tensor | None,
        encoded_mask: Tensor | None,
        cache: KeyValueCache | None,
    ) -> Tensor:
        x = self.layer[0](x, bias, cache)
        if encoded is not None:
            x = self.layer[1](x, encoded, encoded_mask, cache)
        return self.layer[-1](x)


class Stack(nn.Module):
    """The blocks of the encoder or the decoder, over the table of words that both share."""

    def __init__(self, config: T5Config, embed_tokens: nn.Embedding, decoder: bool) -> None:
        super().__init__()
        self.embed_tokens = embed_tokens
        layers = (config.num_decoder_layers or 0) if decoder else config.num_layers
        self.block = nn.ModuleList(Block(config, at, decoder) for at in range(layers))
        self.final_layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.decoder = decoder

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        encoded: Tensor | None = None,
        encoded_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        past = 0 if cache is None else cache.length
        length = input_ids.shape[-1]
        x = self.dropout(embed(self.embed_tokens, input_ids))
        if self.decoder:
            allowed = causal_mask(length, past, attention_mask, input_ids.device)
        else:
            allowed = padding_mask(attention_mask)
        if len(self.block):
            bias = self.block[0].layer[0].SelfAttention.position_bias(length, past)
            if allowed is not None:
                bias = bias.masked_fill(~allowed, -float("inf"))
        for block in self.block:
            x = block(x, bias, encoded, padding_mask(encoded_mask), cache)
        return self.dropout(self.final_layer_norm(x))


class _T5(PretrainedModel[T5Config]):
    config_class = T5Config
    ignored_keys = (
        *PretrainedModel.ignored_keys,
        r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$",
    )

    def make_stacks(self, decoder: bool = True) -> None:
        """Make the shared table and what stands on it."""
        self.shared = nn.Embedding(self.config.vocab_size, self.config.d_model)
        self.encoder = Stack(self.config, self.shared, decoder=False)
        if decoder:
            self.decoder = Stack(self.config, self.shared, decoder=True)

    def ties(self) -> dict[str, str]:
        names = ("encoder", "decoder")
        return {f"{n}.embed_tokens.weight": "shared.weight" for n in names if hasattr(self, n)}

    def init_weights(self, module: nn.Module) -> None:
        config, factor = self.config, self.config.initializer_factor
        wide, inner = config.d_model**-0.5, config.d_ff**-0.5
        if isinstance(module, nn.Embedding) and module is getattr(self, "shared", None):
            nn.init.normal_(module.weight, 0.0, factor)
        elif isinstance(module, Dense):
            for name, layer in module.named_children():
                if isinstance(layer, nn.Linear):
                    nn.init.normal_(layer.weight, 0.0, factor * (inner if name == "wo" else wide))
        elif isinstance(module, Attention):
            each = config.d_kv
            nn.init.normal_(module.q.weight, 0.0, factor * (config.d_model * each) ** -0.5)
            nn.init.normal_(module.k.weight, 0.0, factor * wide)
            nn.init.normal_(module.v.weight, 0.0, factor * wide)
            nn.init.normal_(module.o.weight, 0.0, factor * (config.num_heads * each) ** -0.5)
            if hasattr(module, "relative_attention_bias"):
                nn.init.normal_(module.relative_attention_bias.weight, 0.0, factor * wide)

    def encode(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """The encoder's output (N, L, D)."""
        return self.encoder(input_ids, attention_mask)

    def shifted(self, labels: Tensor) -> Tensor:
        """What the decoder is given to say `labels`."""
        pad, start = self.config.pad_token_id or 0, self.config.decoder_start_token_id
        return shift_right(labels, pad if start is None else start, pad)


class T5EncoderModel(_T5):
    """The encoder alone: input_ids (N, L), attention_mask (N, L) -> EncoderOutput."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.make_stacks(decoder=False)
        self.finish()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> EncoderOutput:
        return EncoderOutput(self.encode(input_ids, attention_mask))


class T5Model(_T5):
    """Encoder and decoder without a head; `logits` of the result is the decoder's last layer."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.make_stacks()
        self.finish()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        encoder_output: Tensor | None = None,
    ) -> Seq2SeqOutput:
        if decoder_input_ids is None:
            raise ValueError("T5Model needs decoder_input_ids")
        if encoder_output is None:
            if input_ids is None:
                raise ValueError("give input_ids, or encoder_output of an earlier call")
            encoder_output = self.encode(input_ids, attention_mask)
        x = self.decoder(
            decoder_input_ids,
            decoder_attention_mask,
            encoder_output,
            attention_mask,
            past_key_values,
        )
        return Seq2SeqOutput(None, x, past_key_values, encoder_output)


class T5ForConditionalGeneration(T5Model):
    """Text to text: logits (N, L, V) of what the decoder says next; labels (N, L) are what it should."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.finish()

    def ties(self) -> dict[str, str]:
        head = {"lm_head.weight": "shared.weight"} if self.config.tie_word_embeddings else {}
        return {**super().ties(), **(head if hasattr(self, "lm_head") else {})}

    def init_weights(self, module: nn.Module) -> None:
        super().init_weights(module)
        if module is getattr(self, "lm_head", None):
            nn.init.normal_(self.lm_head.weight, 0.0, self.config.initializer_factor)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        encoder_output: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> Seq2SeqOutput:
        if decoder_input_ids is None and labels is not None:
            decoder_input_ids = self.shifted(labels)
        _, x, cache, encoded = super().forward(
            input_ids,
            attention_mask,
            decoder_input_ids,
            decoder_attention_mask,
            past_key_values,
            encoder_output,
        )
        if self.config.scale_decoder_outputs:
            x = x * self.config.d_model**-0.5
        logits = self.lm_head(x)
        return Seq2SeqOutput(token_loss(logits, labels), logits, cache, encoded)

    def steps(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = True
    ) -> Seq2SeqSteps:
        """What `generate` asks for the next token."""
        return Seq2SeqSteps(self, input_ids, attention_mask, use_cache)
