"""Text for dispatch_core: tokenizers, language models, generation, metrics, data sets."""

from dispatch_text import datasets, metrics, models, ops, tokenizers
from dispatch_text.collate import BucketBatchSampler, PadCollator, pad
from dispatch_text.generation import KeyValueCache, generate, stream, stream_text
from dispatch_text.models import load_model
from dispatch_text.sentence import SentenceEncoder, similarity
from dispatch_text.tokenizers import (
    ByteTokenizer,
    CharTokenizer,
    HuggingFaceTokenizer,
    RegexTokenizer,
    SentencePieceTokenizer,
    WhitespaceTokenizer,
)
from dispatch_text.vocab import Vocab, build_vocab_from_iterator, vocab

__all__ = [
    "BucketBatchSampler",
    "ByteTokenizer",
    "CharTokenizer",
    "HuggingFaceTokenizer",
    "KeyValueCache",
    "PadCollator",
    "RegexTokenizer",
    "SentenceEncoder",
    "SentencePieceTokenizer",
    "Vocab",
    "WhitespaceTokenizer",
    "build_vocab_from_iterator",
    "datasets",
    "generate",
    "load_model",
    "metrics",
    "models",
    "ops",
    "pad",
    "similarity",
    "stream",
    "stream_text",
    "tokenizers",
    "vocab",
]
