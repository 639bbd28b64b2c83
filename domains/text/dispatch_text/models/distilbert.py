"""DistilBERT (Sanh et al. 2019): half of BERT's layers, no kinds of text, no pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_core.nn import functional as F
from dispatch_text.models.blocks import (
    activation,
    attend,
    check_length,
    class_loss,
    embed,
    padding_mask,
    split_heads,
    token_loss,
)
from dispatch_text.models.config import Config
from dispatch_text.models.outputs import EncoderOutput, LogitsOutput, SpanOutput
from dispatch_text.models.pretrained import PretrainedModel


@dataclass(kw_only=True)
class DistilBertConfig(Config):
    """Fields of DistilBERT's config.json; the defaults are those of distilbert-base-uncased."""

    model_type: ClassVar[str] = "distilbert"
    positive: ClassVar[tuple[str, ...]] = (
        "vocab_size",
        "max_position_embeddings",
        "n_heads",
        "dim",
        "hidden_dim",
    )

    vocab_size: int = 30522
    max_position_embeddings: int = 512
    n_layers: int = 6
    n_heads: int = 12
    dim: int = 768
    hidden_dim: int = 3072
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation: str = "gelu"
    qa_dropout: float = 0.1
    seq_classif_dropout: float = 0.2
    pad_token_id: int | None = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.divides("dim", "n_heads")
        activation(self.activation)


class Embeddings(nn.Module):
    """Words and positions, added and normalised."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.dim, config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, input_ids: Tensor) -> Tensor:
        check_length(input_ids.shape[-1], self.position_embeddings.num_embeddings)
        words = embed(self.word_embeddings, input_ids)
        places = dc.arange(input_ids.shape[1], device=input_ids.device)[None]
        return self.dropout(self.LayerNorm(words + self.position_embeddings(places)))


class SelfAttention(nn.Module):
    """Attention over heads with its output projection."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            setattr(self, name, nn.Linear(config.dim, config.dim))
        self.heads, self.dropout = config.n_heads, config.attention_dropout

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = (
            split_heads(layer(x), self.heads) for layer in (self.q_lin, self.k_lin, self.v_lin)
        )
        dropout = self.dropout if self.training else 0.0
        return self.out_lin(attend(query, key, value, mask, dropout=dropout))


class FeedForward(nn.Module):
    """Two projections around the activation."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.lin1 = nn.Linear(config.dim, config.hidden_dim)
        self.lin2 = nn.Linear(config.hidden_dim, config.dim)
        self.act = activation(config.activation)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.lin2(self.act(self.lin1(x))))


class Block(nn.Module):
    """Attention and projections, each added to what it began with and normalised."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.sa_layer_norm = nn.LayerNorm(config.dim, eps=1e-12)
        self.ffn = FeedForward(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.sa_layer_norm(self.attention(x, mask) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class Transformer(nn.Module):
    """The blocks one after the other."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Block(config) for _ in range(config.n_layers))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for layer in self.layer:
            x = layer(x, mask)
        return x


class DistilBertModel(PretrainedModel[DistilBertConfig]):
    """The bare encoder: input_ids (N, L), attention_mask (N, L) -> EncoderOutput."""

    config_class = DistilBertConfig
    base_prefix = "distilbert"

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.transformer = Transformer(config)
        self.finish()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> EncoderOutput:
        x = self.embeddings(input_ids)
        return EncoderOutput(self.transformer(x, padding_mask(attention_mask)))


class _Head(PretrainedModel[DistilBertConfig]):
    config_class = DistilBertConfig
    base_prefix = "distilbert"

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)


class DistilBertForMaskedLM(_Head):
    """Guesses masked words: logits (N, L, V); labels (N, L), -100 where nothing is to be guessed."""

    tied = {  # noqa: RUF012  a table of the class
        "vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"
    }

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.act = activation(config.activation)
        self.vocab_transform = nn.Linear(config.dim, config.dim)
        self.vocab_layer_norm = nn.LayerNorm(config.dim, eps=1e-12)
        self.vocab_projector = nn.Linear(config.dim, config.vocab_size)
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        x = self.act(self.vocab_transform(self.distilbert(input_ids, attention_mask)[0]))
        logits = self.vocab_projector(self.vocab_layer_norm(x))
        return LogitsOutput(token_loss(logits, labels), logits)


class DistilBertForSequenceClassification(_Head):
    """A class for each text: logits (N, num_labels), labels (N,)."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.classifier = nn.Linear(config.dim, config.num_labels)
        self.dropout = nn.Dropout(config.seq_classif_dropout)
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        first = self.distilbert(input_ids, attention_mask)[0][:, 0]
        logits = self.classifier(self.dropout(F.relu(self.pre_classifier(first))))
        return LogitsOutput(class_loss(logits, labels), logits)


class DistilBertForTokenClassification(_Head):
    """A class for each token: logits (N, L, num_labels), labels (N, L)."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.dim, config.num_labels)
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        logits = self.classifier(self.dropout(self.distilbert(input_ids, attention_mask)[0]))
        return LogitsOutput(token_loss(logits, labels), logits)


class DistilBertForQuestionAnswering(_Head):
    """Where in the text the answer begins and ends: two logits (N, L), positions (N,)."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.qa_outputs = nn.Linear(config.dim, 2)
        self.dropout = nn.Dropout(config.qa_dropout)
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
    ) -> SpanOutput:
        hidden = self.dropout(self.distilbert(input_ids, attention_mask)[0])
        start, end = self.qa_outputs(hidden).unbind(-1)
        first, last = token_loss(start, start_positions), token_loss(end, end_positions)
        loss = None if first is None or last is None else (first + last) / 2
        return SpanOutput(loss, start, end)
