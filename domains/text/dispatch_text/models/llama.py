"""Llama (Touvron et al. 2023) and models of its build: rotary positions, RMSNorm, shared heads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_text.generation.cache import KeyValueCache
from dispatch_text.generation.steps import CausalSteps
from dispatch_text.models.blocks import (
    RMSNorm,
    activation,
    attend,
    causal_mask,
    embed,
    extend_cached,
    next_token_loss,
    positions_of,
    split_heads,
)
from dispatch_text.models.config import Config
from dispatch_text.models.outputs import CausalOutput, DecoderOutput
from dispatch_text.models.pretrained import PretrainedModel
from dispatch_text.ops import rotary


@dataclass(kw_only=True)
class LlamaConfig(Config):
    """Fields of Llama's config.json; the defaults are those of the first model of 7 billion."""

    model_type: ClassVar[str] = "llama"
    positive: ClassVar[tuple[str, ...]] = (
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_attention_heads",
    )

    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None
    attention_bias: bool = False
    attention_dropout: float = 0.0
    mlp_bias: bool = False
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.head_dim is None:
            self.divides("hidden_size", "num_attention_heads")
            self.head_dim = self.hidden_size // self.num_attention_heads
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.num_key_value_heads < 1 or self.head_dim < 1 or self.head_dim % 2:
            raise ValueError(
                f"num_key_value_heads={self.num_key_value_heads} must be at least 1 and "
                f"head_dim={self.head_dim} even"
            )
        self.divides("num_attention_heads", "num_key_value_heads")
        activation(self.hidden_act)
        frequencies(self)


def frequencies(config: LlamaConfig) -> list[float]:
    """The angle between two neighbouring positions, for each pair of features.

    Stretched as `rope_scaling` says: "linear" by a factor, "llama3" for slow pairs only.
    """
    scaling = {**(config.rope_scaling or {}), **(config.rope_parameters or {})}
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    size = config.head_dim or 0
    theta = float(scaling.get("rope_theta", config.rope_theta))
    plain = [theta ** (-2 * i / size) for i in range(size // 2)]
    if kind == "default":
        return plain
    if kind not in ("linear", "llama3"):
        raise NotImplementedError(
            f"rope_type '{kind}' is not supported; supported are default, linear and llama3"
        )
    try:
        factor = float(scaling["factor"])
        if kind == "linear":
            return [angle / factor for angle in plain]
        low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
        trained = float(scaling["original_max_position_embeddings"])
    except KeyError as error:
        raise ValueError(f"rope scaling of type '{kind}' needs {error}") from error
    return [_stretched(angle, factor, low, high, trained) for angle in plain]


def _stretched(angle: float, factor: float, low: float, high: float, trained: float) -> float:
    """Divided by `factor` where a turn takes long, as it is where it is short, between in between."""
    turns = trained * angle / (2 * math.pi)
    share = min(1.0, max(0.0, (turns - low) / (high - low)))
    return angle * (share + (1 - share) / factor)


class Attention(nn.Module):
    """Attention to what came before; several heads of the query share one of key and value."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        size, bias = config.head_dim or 0, config.attention_bias
        self.heads, self.shared = config.num_attention_heads, config.num_key_value_heads or 0
        self.q_proj = nn.Linear(config.hidden_size, self.heads * size, bias)
        self.k_proj = nn.Linear(config.hidden_size, self.shared * size, bias)
        self.v_proj = nn.Linear(config.hidden_size, self.shared * size, bias)
        self.o_proj = nn.Linear(self.heads * size, config.hidden_size, bias)
        self.layer, self.dropout = layer, config.attention_dropout

    def forward(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: KeyValueCache | None,
    ) -> Tensor:
        query = rotary(split_heads(self.q_proj(x), self.heads), *turn)
        key = rotary(split_heads(self.k_proj(x), self.shared), *turn)
        value = split_heads(self.v_proj(x), self.shared)
        key, value = extend_cached(cache, self.layer, key, value)
        dropout = self.dropout if self.training else 0.0
        return self.o_proj(attend(query, key, value, mask, dropout=dropout))


class MLP(nn.Module):
    """A gated projection (SwiGLU, Shazeer 2020)."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        size, inner, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.gate_proj = nn.Linear(size, inner, bias)
        self.up_proj = nn.Linear(size, inner, bias)
        self.down_proj = nn.Linear(inner, size, bias)
        self.act = activation(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.act(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention and projections, each of what is normalised, added."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, layer)
        self.mlp = MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: KeyValueCache | None,
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turn, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(PretrainedModel[LlamaConfig]):
    """The bare decoder: input_ids (N, L), attention_mask (N, cached + L) -> DecoderOutput."""

    config_class = LlamaConfig
    base_prefix = "model"

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.layers = nn.ModuleList(Layer(config, at) for at in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.angles = frequencies(config)
        self.finish()

    def _turn(self, positions: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Cos and sin of each position's angles, (N or 1, 1, L, D), computed in float32."""
        each = dc.tensor(self.angles, dtype=dc.float32, device=x.device)
        angles = positions.to(dc.float32)[:, None, :, None] * dc.cat([each, each])
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
    ) -> DecoderOutput:
        cache = past_key_values
        past = 0 if cache is None else cache.length
        x = embed(self.embed_tokens, input_ids)
        mask = causal_mask(input_ids.shape[1], past, attention_mask, input_ids.device)
        turn = self._turn(positions_of(input_ids, past, attention_mask), x)
        for layer in self.layers:
            x = layer(x, turn, mask, cache)
        return DecoderOutput(self.norm(x), cache)


class LlamaForCausalLM(PretrainedModel[LlamaConfig]):
    """The language model: logits (N, L, V) of the next token; labels are the ids themselves."""

    config_class = LlamaConfig
    base_prefix = "model"

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__(config)
        self.model = LlamaModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.finish()

    def ties(self) -> dict[str, str]:
        tied = {"lm_head.weight": "model.embed_tokens.weight"}
        return tied if self.config.tie_word_embeddings else {}

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: Tensor | None = None,
    ) -> CausalOutput:
        hidden, cache = self.model(input_ids, attention_mask, past_key_values)
        logits = self.lm_head(hidden)
        return CausalOutput(next_token_loss(logits, labels), logits, cache)

    def steps(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = True
    ) -> CausalSteps:
        """What `generate` asks for the next token."""
        return CausalSteps(self, input_ids, attention_mask, use_cache)
