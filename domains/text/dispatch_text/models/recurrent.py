"""Recurrent models: a classifier of texts, and a translator with attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import Tensor
from dispatch_core.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from dispatch_text.generation.steps import Steps
from dispatch_text.models.blocks import class_loss, embed, shift_right, token_loss
from dispatch_text.models.config import Config
from dispatch_text.models.outputs import LogitsOutput, Seq2SeqOutput
from dispatch_text.models.pretrained import PretrainedModel

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


@dataclass(kw_only=True)
class RecurrentConfig(Config):
    """Sizes of a recurrent model."""

    positive: ClassVar[tuple[str, ...]] = (
        "vocab_size",
        "embedding_size",
        "hidden_size",
        "num_layers",
    )

    vocab_size: int
    embedding_size: int = 128
    hidden_size: int = 128
    num_layers: int = 1
    cell: str = "lstm"
    dropout: float = 0.0
    pad_token_id: int | None = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(CELLS)}, got {self.cell!r}")


@dataclass(kw_only=True)
class RecurrentClassifierConfig(RecurrentConfig):
    """Sizes of RecurrentClassifier."""

    model_type: ClassVar[str] = "recurrent_classifier"

    bidirectional: bool = True


def lengths_of(input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
    """How many tokens each text has, (N,) on the cpu; padding stands on the right.

    ValueError for a text without tokens, or padding elsewhere.
    """
    if attention_mask is None:
        return dc.full((input_ids.shape[0],), input_ids.shape[1], dtype=dc.int64)
    mask = (attention_mask != 0).cpu()
    lengths = mask.sum(1)
    if bool((lengths == 0).any()):
        raise ValueError(f"text {int(lengths.argmin())} of the batch has no tokens")
    if bool((mask[:, 1:] & ~mask[:, :-1]).any()):
        raise ValueError("recurrent models read from the left: pad on the right")
    return lengths


class RecurrentClassifier(PretrainedModel[RecurrentClassifierConfig]):
    """A class for each text, from the last states of an LSTM or GRU (both ways, if so configured).

    input_ids (N, L), attention_mask (N, L), labels (N,) -> LogitsOutput with logits (N, num_labels).
    """

    config_class = RecurrentClassifierConfig

    def __init__(self, config: RecurrentClassifierConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size, config.pad_token_id)
        self.rnn = CELLS[config.cell](
            config.embedding_size,
            config.hidden_size,
            config.num_layers,
            batch_first=True,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
            bidirectional=config.bidirectional,
        )
        self.dropout = nn.Dropout(config.dropout)
        ways = 2 if config.bidirectional else 1
        self.classifier = nn.Linear(ways * config.hidden_size, config.num_labels)

    def init_weights(self, module: nn.Module) -> None:
        """Modules have drawn their parameters themselves."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> LogitsOutput:
        words = self.dropout(embed(self.embedding, input_ids))
        packed = pack_padded_sequence(
            words, lengths_of(input_ids, attention_mask), batch_first=True, enforce_sorted=False
        )
        _, state = self.rnn(packed)
        last = state[0] if self.config.cell == "lstm" else state
        ways = 2 if self.config.bidirectional else 1
        logits = self.classifier(self.dropout(dc.cat(list(last[-ways:]), -1)))
        return LogitsOutput(class_loss(logits, labels), logits)


@dataclass(kw_only=True)
class RecurrentSeq2SeqConfig(RecurrentConfig):
    """Sizes of RecurrentSeq2Seq; source and target share a vocabulary."""

    model_type: ClassVar[str] = "recurrent_seq2seq"

    cell: str = "gru"
    decoder_start_token_id: int = 2
    eos_token_id: int | list[int] | None = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cell != "gru":
            raise ValueError(f"the translator's cells are GRUs, got cell={self.cell!r}")


class AdditiveAttention(nn.Module):
    """How much a state looks at each position: v^T tanh(W q + U k) (Bahdanau et al. 2014)."""

    def __init__(self, query: int, key: int, inner: int) -> None:
        super().__init__()
        self.query = nn.Linear(query, inner, bias=False)
        self.key = nn.Linear(key, inner)
        self.score = nn.Linear(inner, 1, bias=False)

    def forward(self, state: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """The weighted mean of `values` (N, L, D); `keys` is what `key` makes of them."""
        scores = self.score(dc.tanh(self.query(state).unsqueeze(1) + keys)).squeeze(-1)
        weights = scores.masked_fill(~mask, -float("inf")).softmax(-1)
        return (weights.unsqueeze(1) @ values).squeeze(1)


class RecurrentSeq2Seq(PretrainedModel[RecurrentSeq2SeqConfig]):
    """Text to text: a GRU reads both ways, another writes and looks at what was read.

    input_ids (N, L), attention_mask (N, L), labels (N, M) of what it should write -> Seq2SeqOutput
    with logits (N, M, V); `generate` writes with it.
    """

    config_class = RecurrentSeq2SeqConfig

    def __init__(self, config: RecurrentSeq2SeqConfig) -> None:
        super().__init__(config)
        size, hidden = config.embedding_size, config.hidden_size
        self.embedding = nn.Embedding(config.vocab_size, size, config.pad_token_id)
        self.reader = nn.GRU(
            size,
            hidden,
            config.num_layers,
            batch_first=True,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
            bidirectional=True,
        )
        self.bridge = nn.Linear(2 * hidden, hidden)
        self.attention = AdditiveAttention(hidden, 2 * hidden, hidden)
        self.writer = nn.GRUCell(size + 2 * hidden, hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(size + 3 * hidden, config.vocab_size)

    def init_weights(self, module: nn.Module) -> None:
        """Modules have drawn their parameters themselves."""

    def encode(
        self, input_ids: Tensor, attention_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What was read (N, L, 2D), which of it is text (N, L), the state to write from (N, D)."""
        words = self.dropout(embed(self.embedding, input_ids))
        lengths = lengths_of(input_ids, attention_mask)
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        read, last = self.reader(packed)
        values = pad_packed_sequence(read, batch_first=True, total_length=input_ids.shape[1])[0]
        if attention_mask is None:
            mask = dc.ones_like(input_ids, dtype=dc.bool)
        else:
            mask = attention_mask != 0
        return values, mask, dc.tanh(self.bridge(dc.cat([last[-2], last[-1]], -1)))

    def write(
        self, token: Tensor, state: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits (N, V) of what follows a token (N,), and the new state."""
        word = self.dropout(self.embedding(token))
        context = self.attention(state, keys, values, mask)
        state = self.writer(dc.cat([word, context], -1), state)
        return self.out(self.dropout(dc.cat([state, context, word], -1))), state

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
    ) -> Seq2SeqOutput:
        if decoder_input_ids is None:
            if labels is None:
                raise ValueError("give labels or decoder_input_ids; generate() writes freely")
            pad = self.config.pad_token_id or 0
            decoder_input_ids = shift_right(labels, self.config.decoder_start_token_id, pad)
        values, mask, state = self.encode(input_ids, attention_mask)
        keys = self.attention.key(values)
        written = []
        for token in decoder_input_ids.unbind(1):
            logits, state = self.write(token, state, keys, values, mask)
            written.append(logits)
        logits = dc.stack(written, 1)
        return Seq2SeqOutput(token_loss(logits, labels), logits, None, values)

    def steps(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = True
    ) -> Steps:
        """What `generate` asks for the next token; its state is all the cache there is."""
        return RecurrentSteps(self, input_ids, attention_mask)


class RecurrentSteps(Steps):
    """Of a recurrent writer: its state and what was read."""

    def __init__(
        self, model: RecurrentSeq2Seq, input_ids: Tensor, attention_mask: Tensor | None
    ) -> None:
        self.model, self.read = model, 0
        self.values, self.mask, self.state = model.encode(input_ids, attention_mask)
        self.keys = model.attention.key(self.values)
        self.ids = dc.full_like(input_ids[:, :1], model.config.decoder_start_token_id)

    def logits(self, ids: Tensor) -> Tensor:
        for token in ids[:, self.read :].unbind(1):
            logits, self.state = self.model.write(
                token, self.state, self.keys, self.values, self.mask
            )
        self.read = ids.shape[1]
        return logits

    def reorder(self, rows: Tensor) -> None:
        for name in ("values", "mask", "state", "keys"):
            setattr(self, name, getattr(self, name).index_select(0, rows))
