"""RoBERTa (Liu et al. 2019): BERT with positions that leave padding out, and heads of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_core.nn import functional as F
from dispatch_text.models.bert import (
    B,
    BertConfig,
    BertHead,
    BertModel,
    Embeddings,
    QuestionAnswering,
    TokenClassification,
)
from dispatch_text.models.blocks import class_loss, token_loss
from dispatch_text.models.outputs import LogitsOutput


@dataclass(kw_only=True)
class RobertaConfig(BertConfig):
    """Fields of RoBERTa's config.json; the defaults are Hugging Face's."""

    model_type: ClassVar[str] = "roberta"

    vocab_size: int = 50265
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_position_embeddings <= (self.pad_token_id or 0) + 1:
            raise ValueError(
                f"max_position_embeddings={self.max_position_embeddings} leaves no position behind "
                f"that of padding, {self.pad_token_id}"
            )


class RobertaEmbeddings(Embeddings):
    """Positions count from behind the id of padding, and padding has that id as its position."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.padding = config.pad_token_id or 0
        self.position_embeddings.padding_idx = self.padding

    @property
    def limit(self) -> int:
        return self.position_embeddings.num_embeddings - self.padding - 1

    def positions(self, input_ids: Tensor) -> Tensor:
        there = (input_ids != self.padding).to(dc.int64)
        return there.cumsum(1) * there + self.padding


class RobertaModel(BertModel[RobertaConfig]):
    """The bare encoder, called like BertModel."""

    config_class = RobertaConfig
    base_prefix = "roberta"
    embeddings_class = RobertaEmbeddings


class _Roberta(BertHead[B], Generic[B]):
    """What RoBERTa's heads have in common."""

    config_class = RobertaConfig
    base_prefix = "roberta"
    base_class: ClassVar[Any] = RobertaModel


class LMHead(nn.Module):
    """Logits of words, from the table of word embeddings."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(dc.zeros(config.vocab_size))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.layer_norm(F.gelu(self.dense(x))))


class RobertaForMaskedLM(_Roberta[RobertaConfig]):
    """Guesses masked words: logits (N, L, V); labels (N, L), -100 where nothing is to be guessed."""

    tied = {  # noqa: RUF012  a table of the class
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }

    def make_head(self) -> None:
        self.lm_head = LMHead(self.config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        logits = self.lm_head(self.base(input_ids, attention_mask, token_type_ids)[0])
        return LogitsOutput(token_loss(logits, labels), logits)


class ClassificationHead(nn.Module):
    """A class, from the first position."""

    def __init__(self, config: RobertaConfig, dropout: nn.Dropout) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = dropout
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(self.dropout(dc.tanh(self.dense(self.dropout(x[:, 0])))))


class RobertaForSequenceClassification(_Roberta[RobertaConfig]):
    """A class for each text: logits (N, num_labels), labels (N,)."""

    def make_head(self) -> None:
        self.classifier = ClassificationHead(self.config, self.classifier_dropout())

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        logits = self.classifier(self.base(input_ids, attention_mask, token_type_ids)[0])
        return LogitsOutput(class_loss(logits, labels), logits)


class RobertaForTokenClassification(_Roberta[RobertaConfig], TokenClassification[RobertaConfig]):
    """A class for each token, as named entities are found."""


class RobertaForQuestionAnswering(_Roberta[RobertaConfig], QuestionAnswering[RobertaConfig]):
    """The stretch of a text that answers a question."""
