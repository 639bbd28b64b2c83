"""GPT-2 (Radford et al. 2019): a decoder with learned positions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_text.generation.cache import KeyValueCache
from dispatch_text.generation.steps import CausalSteps
from dispatch_text.models.blocks import (
    activation,
    attend,
    causal_mask,
    check_length,
    embed,
    extend_cached,
    next_token_loss,
    positions_of,
    split_heads,
)
from dispatch_text.models.config import Config
from dispatch_text.models.outputs import CausalOutput, DecoderOutput
from dispatch_text.models.pretrained import PretrainedModel


@dataclass(kw_only=True)
class GPT2Config(Config):
    """Fields of GPT-2's config.json; the defaults are those of the smallest model."""

    model_type: ClassVar[str] = "gpt2"
    positive: ClassVar[tuple[str, ...]] = ("vocab_size", "n_positions", "n_embd", "n_head")

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256

    def __post_init__(self) -> None:
        super().__post_init__()
        self.divides("n_embd", "n_head")
        activation(self.activation_function)


class Conv1D(nn.Module):
    """A projection whose weight is (inputs, outputs), the transpose of nn.Linear's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(dc.empty(inputs, outputs))
        self.bias = nn.Parameter(dc.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Attention(nn.Module):
    """Attention to what came before, over heads."""

    def __init__(self, config: GPT2Config, layer: int) -> None:
        super().__init__()
        size = config.n_embd
        self.c_attn = Conv1D(size, 3 * size)
        self.c_proj = Conv1D(size, size)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)
        self.heads, self.layer, self.dropout = config.n_head, layer, config.attn_pdrop
        self.scale = (size // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            self.scale /= layer + 1

    def forward(self, x: Tensor, mask: Tensor | None, cache: KeyValueCache | None) -> Tensor:
        query, key, value = (split_heads(part, self.heads) for part in self.c_attn(x).chunk(3, -1))
        key, value = extend_cached(cache, self.layer, key, value)
        dropout = self.dropout if self.training else 0.0
        out = attend(query, key, value, mask, dropout=dropout, scale=self.scale)
        return self.resid_dropout(self.c_proj(out))


class MLP(nn.Module):
    """Two projections around the activation."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        inner = config.n_inner or 4 * config.n_embd
        self.c_fc = Conv1D(config.n_embd, inner)
        self.c_proj = Conv1D(inner, config.n_embd)
        self.act = activation(config.activation_function)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.c_proj(self.act(self.c_fc(x))))


class Block(nn.Module):
    """Attention and projections, each of what is normalised, added."""

    def __init__(self, config: GPT2Config, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = Attention(config, layer)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, mask: Tensor | None, cache: KeyValueCache | None) -> Tensor:
        x = x + self.attn(self.ln_1(x), mask, cache)
        return x + self.mlp(self.ln_2(x))


class _GPT2(PretrainedModel[GPT2Config]):
    config_class = GPT2Config
    base_prefix = "transformer"
    ignored_keys = (*PretrainedModel.ignored_keys, r"attn\.(bias|masked_bias)$")

    def init_weights(self, module: nn.Module) -> None:
        super().init_weights(module)
        if isinstance(module, Conv1D):
            nn.init.normal_(module.weight, 0.0, self.config.initializer_range)
            nn.init.zeros_(module.bias)
        elif isinstance(module, (Attention, MLP)):
            # Smaller, so that the sum over all blocks has the variance of one.
            std = self.config.initializer_range / math.sqrt(2 * max(1, self.config.n_layer))
            nn.init.normal_(module.c_proj.weight, 0.0, std)


class GPT2Model(_GPT2):
    """The bare decoder: input_ids (N, L), attention_mask (N, cached + L) -> DecoderOutput."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(Block(config, at) for at in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
    ) -> DecoderOutput:
        cache = past_key_values
        past = 0 if cache is None else cache.length
        words = embed(self.wte, input_ids)
        check_length(past + input_ids.shape[1], self.config.n_positions)
        mask = causal_mask(input_ids.shape[1], past, attention_mask, input_ids.device)
        x = self.drop(words + self.wpe(positions_of(input_ids, past, attention_mask)))
        for block in self.h:
            x = block(x, mask, cache)
        return DecoderOutput(self.ln_f(x), cache)


class GPT2LMHeadModel(_GPT2):
    """The language model: logits (N, L, V) of the next token; labels are the ids themselves."""

    tied = {"lm_head.weight": "transformer.wte.weight"}  # noqa: RUF012  a table of the class

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: Tensor | None = None,
    ) -> CausalOutput:
        hidden, cache = self.transformer(input_ids, attention_mask, past_key_values)
        logits = self.lm_head(hidden)
        return CausalOutput(next_token_loss(logits, labels), logits, cache)

    def steps(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = True
    ) -> CausalSteps:
        """What `generate` asks for the next token."""
        return CausalSteps(self, input_ids, attention_mask, use_cache)
