"""BERT (Devlin et al. 2018): an encoder, and its heads for words, texts, tokens and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
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
class BertConfig(Config):
    """Fields of BERT's config.json; the defaults are those of bert-base-uncased."""

    model_type: ClassVar[str] = "bert"
    positive: ClassVar[tuple[str, ...]] = (
        "vocab_size",
        "hidden_size",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
    )

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    classifier_dropout: float | None = None
    pad_token_id: int | None = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.divides("hidden_size", "num_attention_heads")
        activation(self.hidden_act)


class Embeddings(nn.Module):
    """Words, positions and kinds of text, added and normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, size, config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.LayerNorm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def positions(self, input_ids: Tensor) -> Tensor:
        """The place of each token, from 0 on."""
        return dc.arange(input_ids.shape[1], device=input_ids.device)[None]

    @property
    def limit(self) -> int:
        """How long a text may be."""
        return self.position_embeddings.num_embeddings

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None) -> Tensor:
        check_length(input_ids.shape[-1], self.limit)
        words = embed(self.word_embeddings, input_ids)
        kinds = dc.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        x = words + self.token_type_embeddings(kinds)
        return self.dropout(self.LayerNorm(x + self.position_embeddings(self.positions(input_ids))))


class SelfAttention(nn.Module):
    """Query, key and value of each position."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = (
            split_heads(layer(x), self.heads) for layer in (self.query, self.key, self.value)
        )
        dropout = self.dropout if self.training else 0.0
        return attend(query, key, value, mask, dropout=dropout)


class ResidualOutput(nn.Module):
    """A projection, added to what the block began with, normalised."""

    def __init__(self, inputs: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(x)) + residual)


class Attention(nn.Module):
    """Self-attention and what comes out of it."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = ResidualOutput(config.hidden_size, config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return self.output(self.self(x, mask), x)


class DenseActivation(nn.Module):
    """A projection and the activation."""

    def __init__(self, inputs: int, outputs: int, act: str) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.dense(x))


class Layer(nn.Module):
    """Attention, then two projections."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = DenseActivation(
            config.hidden_size, config.intermediate_size, config.hidden_act
        )
        self.output = ResidualOutput(config.intermediate_size, config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Encoder(nn.Module):
    """The layers one after the other."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for layer in self.layer:
            x = layer(x, mask)
        return x


B = TypeVar("B", bound=BertConfig)


class BertModel(PretrainedModel[B], Generic[B]):
    """The bare encoder.

    input_ids (N, L) int64, attention_mask (N, L) 0 where padding is, token_type_ids (N, L) ->
    EncoderOutput.
    """

    config_class = BertConfig
    base_prefix = "bert"
    embeddings_class: ClassVar[type[Embeddings]] = Embeddings

    def __init__(self, config: B, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embeddings = self.embeddings_class(config)
        self.encoder = Encoder(config)
        self.pooler = DenseActivation(size, size, "tanh") if add_pooling_layer else None
        self.finish()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> EncoderOutput:
        x = self.embeddings(input_ids, token_type_ids)
        x = self.encoder(x, padding_mask(attention_mask))
        return EncoderOutput(x, None if self.pooler is None else self.pooler(x[:, 0]))


class BertHead(PretrainedModel[B], Generic[B]):
    """A model with a head: holds the bare one under `base_prefix`."""

    config_class = BertConfig
    base_prefix = "bert"
    base_class: ClassVar[type[BertModel[BertConfig]]] = BertModel
    ignored_keys = (*PretrainedModel.ignored_keys, r"(^|\.)pooler\.")
    pooled: ClassVar[bool] = False

    def __init__(self, config: B) -> None:
        super().__init__(config)
        setattr(self, self.base_prefix, self.base_class(config, add_pooling_layer=self.pooled))
        self.make_head()
        self.finish()

    def make_head(self) -> None:
        """Make the modules of the head."""
        raise NotImplementedError(f"{type(self).__name__} must define make_head()")

    def classifier_dropout(self) -> nn.Dropout:
        """The dropout before a classifier."""
        given = self.config.classifier_dropout
        return nn.Dropout(self.config.hidden_dropout_prob if given is None else given)


class PredictionTransform(nn.Module):
    """What words are predicted from."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.act = activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.LayerNorm(self.act(self.dense(x)))


class PredictionHead(nn.Module):
    """Logits of words, from the table of word embeddings."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = PredictionTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(dc.zeros(config.vocab_size))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.transform(x))


class MaskedLMHead(nn.Module):
    """BERT's head for words; the other half of its training, the next sentence, is left out."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = PredictionHead(config)

    def forward(self, x: Tensor) -> Tensor:
        return self.predictions(x)


class BertForMaskedLM(BertHead[BertConfig]):
    """Guesses masked words: logits (N, L, V); labels (N, L), -100 where nothing is to be guessed."""

    tied = {  # noqa: RUF012  a table of the class
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }

    def make_head(self) -> None:
        self.cls = MaskedLMHead(self.config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        logits = self.cls(self.base(input_ids, attention_mask, token_type_ids)[0])
        return LogitsOutput(token_loss(logits, labels), logits)


class BertForSequenceClassification(BertHead[BertConfig]):
    """A class for each text: logits (N, num_labels), labels (N,)."""

    pooled = True

    def make_head(self) -> None:
        self.dropout = self.classifier_dropout()
        self.classifier = nn.Linear(self.config.hidden_size, self.config.num_labels)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        pooled = self.base(input_ids, attention_mask, token_type_ids).pooler_output
        logits = self.classifier(self.dropout(pooled))
        return LogitsOutput(class_loss(logits, labels), logits)


class TokenClassification(BertHead[B], Generic[B]):
    """A class for each token: logits (N, L, num_labels), labels (N, L)."""

    def make_head(self) -> None:
        self.dropout = self.classifier_dropout()
        self.classifier = nn.Linear(self.config.hidden_size, self.config.num_labels)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        hidden = self.base(input_ids, attention_mask, token_type_ids)[0]
        logits = self.classifier(self.dropout(hidden))
        return LogitsOutput(token_loss(logits, labels), logits)


class QuestionAnswering(BertHead[B], Generic[B]):
    """Where in the text the answer begins and ends: two logits (N, L), positions (N,)."""

    def make_head(self) -> None:
        self.qa_outputs = nn.Linear(self.config.hidden_size, 2)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
    ) -> SpanOutput:
        hidden = self.base(input_ids, attention_mask, token_type_ids)[0]
        start, end = self.qa_outputs(hidden).unbind(-1)
        first, last = token_loss(start, start_positions), token_loss(end, end_positions)
        loss = None if first is None or last is None else (first + last) / 2
        return SpanOutput(loss, start, end)


class BertForTokenClassification(TokenClassification[BertConfig]):
    """A class for each token, as named entities are found."""


class BertForQuestionAnswering(QuestionAnswering[BertConfig]):
    """The stretch of a text that answers a question."""
