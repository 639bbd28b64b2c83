"""What models return: results by name."""

from __future__ import annotations

from typing import Any, NamedTuple

from dispatch_core.extend import Tensor


class EncoderOutput(NamedTuple):
    """Of an encoder: the last layer (N, L, D), and the pooled first position (N, D) if it has one."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None


class DecoderOutput(NamedTuple):
    """Of a bare decoder: the last layer (N, L, D), and the cache it was given or filled."""

    last_hidden_state: Tensor
    past_key_values: Any = None


class LogitsOutput(NamedTuple):
    """Of a model with a head: the loss where labels were given, logits (..., classes)."""

    loss: Tensor | None
    logits: Tensor


class SpanOutput(NamedTuple):
    """Of question answering: the loss, logits (N, L) of where an answer begins and ends."""

    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor


class CausalOutput(NamedTuple):
    """Of a language model: the loss where labels were given, logits (N, L, V), the cache."""

    loss: Tensor | None
    logits: Tensor
    past_key_values: Any = None


class Seq2SeqOutput(NamedTuple):
    """Of an encoder with a decoder: loss, logits (N, L, V), the cache, the encoder's last layer."""

    loss: Tensor | None
    logits: Tensor
    past_key_values: Any
    encoder_last_hidden_state: Tensor
